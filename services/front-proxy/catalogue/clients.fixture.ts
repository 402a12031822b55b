/** Whoever asks the front proxy: a token, a certificate or nothing at all, over either protocol. */
import { type ClientHttp2Session, constants, type OutgoingHttpHeaders } from 'node:http2';
import { request as requestHttps } from 'node:https';
import type { KeyPair } from '@kcp-vw/pki/pki.ts';
import { openHttp2, type Protocol, type Response, responseOf } from '@kcp-vw/shared/listener/client.fixture.ts';
import {
  connectFrames,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  GOAWAY,
  HEADERS,
  literal,
  RST_STREAM,
} from '@kcp-vw/shared/listener/http2-frames.fixture.ts';
import { connectRaw, onCleanUp, serverCA, untilClosed } from '@kcp-vw/shared/listener/listener.fixture.ts';

export { type Protocol, protocols, type Response } from '@kcp-vw/shared/listener/client.fixture.ts';

/** With what somebody proves who he is. */
export interface Credentials {
  readonly token?: string;
  readonly pair?: KeyPair;
}

export interface Question extends Credentials {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  readonly trailers?: Readonly<Record<string, string>>;
}

export interface Answering {
  /** Of the head. */
  readonly head: Promise<Response['headers']>;
  /** Settles when the answer has ended, or was cut. */
  readonly response: Promise<Response>;
  /** Of the body what has come so far. */
  text(): string;
  leave(): void;
}

export const PATH = '/services/mirror/clusters/root/api/v1/namespaces/default/configmaps/x';
export const WATCH = '/services/mirror/clusters/root/api/v1/configmaps?watch=true';
/** Of the fake service, which does not interpret it. */
export const RECORDED = '/services/recorded/x';

export const ask = (port: number, protocol: Protocol, question: Question = {}): Promise<Response> =>
  begin(port, protocol, question).response;

/** A request whose answer may not end. */
export const begin = (port: number, protocol: Protocol, question: Question = {}): Answering =>
  protocol === '2.0' ? begin2(openHttp2(port, tlsOf(question)), question) : begin1(port, question);

const tlsOf = ({ pair }: Credentials) => (pair ? { cert: pair.certPem, key: pair.keyPem } : {});

const headersOf = ({ token, headers }: Question): OutgoingHttpHeaders => ({
  ...(token !== undefined && { authorization: `Bearer ${token}` }),
  ...headers,
});

/** Over a session that is open already. */
export function begin2(session: ClientHttp2Session, question: Question): Answering {
  const { method = 'GET', path = PATH, body, trailers } = question;
  const stream = session.request(
    { ...headersOf(question), ':method': method, ':path': path },
    { endStream: body === undefined && trailers === undefined, waitForTrailers: trailers !== undefined },
  );
  if (trailers) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  const head = new Promise<Response['headers']>(resolve => stream.once('response', resolve));
  const response = responseOf(stream);
  if (body !== undefined || trailers !== undefined) stream.end(body);
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  return { head, response, text: () => text, leave: () => stream.close(constants.NGHTTP2_CANCEL) };
}

function begin1(port: number, question: Question): Answering {
  const { method = 'GET', path = PATH, body, trailers } = question;
  const request = requestHttps({
    ...{ host: '127.0.0.1', port, ca: serverCA.certPem, agent: false, method, path, headers: headersOf(question) },
    ...tlsOf(question),
  });
  onCleanUp(() => void request.destroy());
  const head = new Promise<Response['headers']>(resolve => request.once('response', ({ headers }) => resolve(headers)));
  let text = '';
  const response = new Promise<Response>((resolve, reject) => {
    request.once('error', reject);
    request.once('response', message => {
      message.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      message.on('error', () => {});
      request.off('error', reject).on('error', () => {});
      message.once('close', () =>
        resolve({ status: message.statusCode ?? 0, headers: message.headers, body: text, complete: message.complete }),
      );
    });
  });
  if (trailers) request.addTrailers(trailers);
  request.end(body);
  return { head, response, text: () => text, leave: () => void request.destroy() };
}

/** Bytes over a connection of their own; everything that is said until it is closed. */
export async function askRaw(port: number, bytes: string, { pair }: Credentials = {}): Promise<string> {
  const socket = await connectRaw(port, tlsOf({ ...(pair && { pair }) }));
  const received = untilClosed(socket);
  socket.write(Buffer.from(bytes, 'latin1'));
  return received;
}

export const statusOf = (received: string): number => Number(received.split(' ', 2)[1] ?? 0);

/** How a server ended what was asked of it in hand-made frames. */
export interface FramedAnswer {
  readonly end: 'answered' | 'reset' | 'connection ended';
  /** Of an answer its body. */
  readonly text: string;
}

type Field = readonly [name: string, value: string];

const pseudoHeaders = (method: string, path: string): Field[] => [
  ...([
    [':method', method],
    [':scheme', 'https'],
    [':authority', 'a'],
    [':path', path],
  ] as const),
];

/** Headers as an alien library would send them over HTTP/2: nothing is checked, lowered, sorted or joined. */
export async function askFrames(port: number, fields: readonly Field[], data?: string): Promise<FramedAnswer> {
  const socket = await connectFrames(port);
  let received = Buffer.alloc(0);
  let text = '';
  const answered = new Promise<FramedAnswer>(resolve => {
    socket.once('close', () => resolve({ end: 'connection ended', text }));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 9 && received.length >= 9 + received.readUIntBE(0, 3)) {
        const length = received.readUIntBE(0, 3);
        const [type, flags, stream] = [received.readUInt8(3), received.readUInt8(4), received.readUInt32BE(5)];
        if (type === DATA) text += received.subarray(9, 9 + length).toString('latin1');
        if (type === GOAWAY) resolve({ end: 'connection ended', text });
        if (stream === 1 && type === RST_STREAM) resolve({ end: 'reset', text });
        if (stream === 1 && (type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0) resolve({ end: 'answered', text });
        received = received.subarray(9 + length);
      }
    });
  });
  const block = Buffer.concat(fields.map(([name, value]) => literal(name, value)));
  socket.write(frame(HEADERS, END_HEADERS | (data === undefined ? END_STREAM : 0), 1, block));
  if (data !== undefined) socket.write(frame(DATA, END_STREAM, 1, Buffer.from(data, 'latin1')));
  const answer = await answered;
  socket.destroy();
  return answer;
}

/** The fields of a request that is in order, with more after them. */
export const fieldsOf = ({ method = 'GET', path = PATH, token }: Question, ...further: readonly Field[]): readonly Field[] => [
  ...pseudoHeaders(method, path),
  ...(token === undefined ? [] : [['authorization', `Bearer ${token}`] as const]),
  ...further,
];

/** Asks until it is answered so: an address is in force a moment after it has been written. */
export async function askUntil(port: number, question: Question, isAnswered: (response: Response) => boolean): Promise<Response> {
  for (;;) {
    const response = await ask(port, '1.1', question);
    if (isAnswered(response)) return response;
  }
}
