import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest } from '../kube/errors.ts';
import type { Upgrade, UpgradeProtocol } from '../listener/exchange.ts';
import { BaseExchange } from '../listener/exchange-base.ts';
import type { UpgradeRequest } from '../listener/front.ts';
import { type RawHeaders, withoutHeaders } from '../listener/headers.ts';
import { endSocket } from '../listener/refuse.ts';
import type { Metrics } from '../observe/metrics.ts';
import { ClientEnd } from './client-end.ts';

export interface UpgradeExchangeOptions {
  readonly request: Omit<UpgradeRequest, 'startedAt' | 'head' | 'socket'>;
  readonly socket: Duplex;
  readonly head: Uint8Array;
  readonly onError: (error: unknown) => void;
  readonly metrics?: Pick<Metrics, 'upgradeStarted'>;
}

/** Bytes of a refusal's body. */
const MAX_BODY = 1024 * 1024;

/**
 * A request to leave HTTP/1.1, with the same face as any other, so that whatever decides about requests decides about this one.
 *
 * The server's own response object is out of play here, and the connection ends with the answer. So a refusal is sent in one piece, when it is
 * whole, with its length; and nothing but a refusal is: a client that gets a success instead of a 101 would have been served by a stage that
 * does not know of upgrades.
 */
export class UpgradeExchange extends BaseExchange {
  override readonly httpVersion = '1.1';
  readonly upgrade: Upgrade;
  readonly #socket: Duplex;
  readonly #client: ClientEnd;
  readonly #metrics: UpgradeExchangeOptions['metrics'];
  #switched = false;
  #refusal: { readonly status: number; readonly headers: RawHeaders } | undefined;
  #chunks: Uint8Array[] = [];

  constructor({ request, socket, head, onError, metrics }: UpgradeExchangeOptions) {
    super({ ...request, body: null, onError });
    const { protocol } = request;
    this.#socket = socket;
    this.#metrics = metrics;
    this.#client = new ClientEnd(socket, head);
    this.upgrade = {
      protocol,
      connection: this.#client,
      switchProtocols: headers => this.#switch(protocol, headers),
    };
    // Who ends his side before there is an answer does not wait for one.
    socket.once('end', () => {
      if (!this.#switched && !this.ended) this.abort();
    });
    socket.once('close', (hadError?: boolean) => this.settle(this.#switched ? hadError !== true : socket.writableFinished));
    if (socket.destroyed) this.settle(false);
  }

  override get status(): number {
    return this.#switched ? 101 : super.status;
  }

  /** A tunnel that has run its course: what was written to the client is on its way before the end. */
  override end(chunk?: Uint8Array | string): void {
    if (!this.#switched) super.end(chunk);
    else if (!this.closed) {
      this.#client.destroy();
      endSocket(this.#socket);
    }
  }

  protected override sendHead(status: number, headers: RawHeaders): void {
    this.#refusal = status < 400 ? undefined : { status, headers };
  }

  protected override sendChunk(chunk: Uint8Array | string): boolean {
    if (this.bytesWritten > MAX_BODY) this.abort();
    else this.#chunks.push(Buffer.from(chunk));
    return true;
  }

  protected override sendEnd(chunk: Uint8Array | string | undefined): void {
    if (chunk !== undefined) this.sendChunk(chunk);
    if (this.closed) return;
    const { status, headers } = this.#refusal ?? { status: 400, headers: ['content-type', 'application/json'] };
    const body = this.#refusal ? Buffer.concat(this.#chunks) : Buffer.from(JSON.stringify(NOT_UPGRADED.status));
    this.#chunks = [];
    const framed = [
      ...withoutHeaders(headers, name => name === 'content-length'),
      ...['content-length', String(body.length), 'connection', 'close'],
    ];
    this.#client.destroy();
    this.#socket.once('finish', () => this.settle(true));
    endSocket(this.#socket, Buffer.concat([headOf(status, framed), body]));
  }

  protected override cut(): void {
    this.#client.destroy();
    this.#socket.destroy();
  }

  #switch(protocol: UpgradeProtocol, headers: RawHeaders): void {
    if (this.closed) return;
    if (this.status !== 0) throw new Error(`the request to upgrade ${this.url} has been answered already`);
    const head = headOf(101, ['connection', 'Upgrade', 'upgrade', protocol, ...headers]);
    this.#switched = true;
    if (this.#metrics) this.onClose(this.#metrics.upgradeStarted(protocol));
    this.#socket.write(head);
  }
}

const NOT_UPGRADED = badRequest('this request cannot be upgraded to another protocol');

/** A response's head. Throws for a header that would end before its end. */
function headOf(status: number, headers: RawHeaders): Buffer {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name, value] = [headers[i] as string, headers[i + 1] as string];
    validateHeaderName(name);
    validateHeaderValue(name, value);
    text += `${name}: ${value}\r\n`;
  }
  return Buffer.from(`${text}\r\n`, 'latin1');
}
