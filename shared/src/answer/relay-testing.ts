/** A proxy for relay's tests: a plain HTTP/1.1 exchange, and nothing else of a listener. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from '../listener/exchange.ts';
import { httpServer, track } from '../upstream/testing.ts';
import type { Upstream, UpstreamRequest } from '../upstream/upstream.ts';
import { type RelayOptions, type RelayOutcome, relay } from './relay.ts';

export function exchangeOf(request: IncomingMessage, response: ServerResponse): Exchange {
  let bytesWritten = 0;
  let closed = false;
  let status = 0;
  const close: ((complete: boolean) => void)[] = [];
  const settle = (complete: boolean): void => {
    if (closed) return;
    closed = true;
    for (const listener of close) listener(complete);
  };
  response.once('finish', () => settle(true)).once('close', () => settle(false));
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  return {
    httpVersion: '1.1',
    method: request.method ?? '',
    url: request.url ?? '',
    headers: request.rawHeaders,
    peer: { address: request.socket.remoteAddress ?? '' },
    body: hasBody ? request : null,
    startedAt: performance.now(),
    get status() {
      return status;
    },
    get bytesWritten() {
      return bytesWritten;
    },
    get closed() {
      return closed;
    },
    onClose: listener => void close.push(listener),
    writeHead(code, headers) {
      status = code;
      response.writeHead(code, [...headers]);
      response.flushHeaders();
    },
    write(chunk) {
      bytesWritten += chunk.length;
      return response.write(chunk);
    },
    onDrain: listener => void response.on('drain', listener),
    end: chunk => void response.end(chunk),
    abort() {
      request.socket.destroy();
      settle(false);
    },
  };
}

export interface TestProxy {
  readonly url: URL;
  readonly outcomes: RelayOutcome[];
  readonly errors: unknown[];
}

/** Relays everything to `upstream`; requests whose query says `watch` as long-running ones. */
export async function testProxy(
  upstream: Upstream,
  options: RelayOptions = {},
  request: (exchange: Exchange) => Partial<UpstreamRequest> = () => ({}),
): Promise<TestProxy> {
  const outcomes: RelayOutcome[] = [];
  const errors: unknown[] = [];
  const url = await httpServer((incoming, response) => {
    const exchange = exchangeOf(incoming, response);
    const length = incoming.headers['content-length'];
    relay(
      exchange,
      upstream,
      {
        method: exchange.method,
        path: exchange.url,
        headers: [],
        body: exchange.body,
        ...(length !== undefined && { contentLength: Number(length) }),
        longRunning: exchange.url.includes('watch'),
        ...request(exchange),
      },
      options,
    ).then(
      outcome => outcomes.push(outcome),
      error => {
        errors.push(error);
        exchange.writeHead(599, []);
        exchange.end();
      },
    );
  });
  return { url, outcomes, errors };
}

export { track };
