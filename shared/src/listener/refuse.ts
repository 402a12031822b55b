import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { StatusError } from '../kube/errors.ts';
import type { Exchange } from './exchange.ts';

/** Answers with the error's Status. Only before the exchange has a status. */
export function refuse(exchange: Exchange, error: StatusError): void {
  const body = Buffer.from(JSON.stringify(error.status));
  const retryAfter = error.status.details?.retryAfterSeconds;
  exchange.writeHead(error.code, [
    ...['content-type', 'application/json', 'content-length', String(body.length)],
    ...(retryAfter === undefined ? [] : ['retry-after', String(retryAfter)]),
  ]);
  exchange.end(body);
}

/** The same where there is no exchange, but an HTTP/1.1 connection that ends with it. */
export function refuseSocket(socket: Duplex, error: StatusError): void {
  const retryAfter = error.status.details?.retryAfterSeconds;
  const further = retryAfter === undefined ? [] : [`retry-after: ${retryAfter}`];
  endSocket(socket, responseText(error.code, 'application/json', JSON.stringify(error.status), further));
}

/** A status for which there is no Status reason. */
export const refuseSocketWith = (socket: Duplex, status: number): void =>
  endSocket(socket, responseText(status, 'text/plain', ''));

const responseText = (status: number, contentType: string, body: string, further: readonly string[] = []): string =>
  [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `content-type: ${contentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...further,
    '',
    body,
  ].join('\r\n');

/** How long a client may go on sending what nobody reads, milliseconds. */
const LINGER = 1_000;

/**
 * Sends `last` and ends the connection, but closes it only when the client has done so too or a second has passed: a socket that is
 * closed with unread data makes the kernel reset the connection, and the client never sees the answer.
 */
export function endSocket(socket: Duplex, last?: Uint8Array | string): void {
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.once('close', () => clearTimeout(timer));
  socket.on('error', () => socket.destroy());
  socket.end(last);
  socket.resume();
}

/** Makes Node end the connection that way after a response with `connection: close` to a request that is not complete. */
export function lingerAfterResponse(socket: Socket): void {
  socket.destroySoon = () => endSocket(socket);
}
