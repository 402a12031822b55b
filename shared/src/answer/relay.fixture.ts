/** For relay's tests: a proxy with a plain HTTP/1.1 exchange and nothing else of a listener, its clients, and an upstream that obeys. */
import {
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
  request as sendRequest,
} from 'node:http';
import type { Exchange } from '../listener/exchange.ts';
import { httpServer } from '../upstream/upstream.fixture.ts';
import type { Upstream, UpstreamHandler, UpstreamRequest } from '../upstream/upstream.ts';
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

/** What a client got: `cut` if the response broke off. */
export interface Got {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly cut: boolean;
}

export function open(url: URL, options: RequestOptions = {}): { request: ClientRequest; response: Promise<IncomingMessage> } {
  const request = sendRequest(url, { agent: false, ...options });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  request.on('error', () => undefined);
  // Tests that leave do not wait for it.
  response.catch(() => undefined);
  return { request, response };
}

export async function read(response: IncomingMessage): Promise<Got> {
  const chunks: Buffer[] = [];
  let cut = false;
  response.on('data', chunk => chunks.push(chunk)).resume();
  await new Promise<void>(resolve => {
    response.once('end', resolve);
    response.once('error', () => {
      cut = true;
      resolve();
    });
  });
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks), cut };
}

export async function fetchFrom(url: URL, path = '/', options: RequestOptions = {}, body?: string): Promise<Got> {
  const { request, response } = open(new URL(path, url), options);
  request.end(body);
  return read(await response);
}

export const statusIn = (got: Got): unknown => JSON.parse(got.body.toString());

/** An upstream that answers as told, after `dispatch` has returned. */
export function fakeUpstream(answer: (handler: UpstreamHandler, request: { method: string }) => void): Upstream {
  return {
    name: 'shard',
    dispatch(request, handler) {
      let dropped = false;
      const unlessDropped: UpstreamHandler = {
        onHead: (status, headers) => void (dropped || handler.onHead(status, headers)),
        onData: chunk => dropped || handler.onData(chunk),
        onEnd: () => void (dropped || handler.onEnd()),
        onError: error => void (dropped || handler.onError(error)),
      };
      queueMicrotask(() => answer(unlessDropped, request));
      return {
        resume: () => undefined,
        abort: () => {
          dropped = true;
        },
      };
    },
    stats: () => ({ unaryConnections: 0, unaryInFlight: 0, watchSessions: 0, watchStreams: 0 }),
    close: () => Promise.resolve(),
  };
}
