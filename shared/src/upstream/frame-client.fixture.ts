/** Test equipment: an upstream before a listener on a Unix socket, with frames between them. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_LIMITS } from '../config/options.ts';
import type { Exchange, Handler } from '../listener/exchange.ts';
import { temporaryFolder } from '../listener/listener.fixture.ts';
import { createListener, type Listener } from '../listener/listener.ts';
import { createUpstream, type ManagedUpstream } from './pool.ts';
import { track } from './upstream.fixture.ts';
import type { UpstreamRequest } from './upstream.ts';

export interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

export const GET = { method: 'GET', path: '/', headers: [], body: null, longRunning: false } satisfies UpstreamRequest;

export function ask(upstream: ManagedUpstream, request: Partial<UpstreamRequest> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let headers: readonly string[] = [];
    const chunks: Uint8Array[] = [];
    upstream.dispatch(
      { ...GET, ...request },
      {
        onHead(code, given) {
          status = code;
          headers = given;
        },
        onData(chunk) {
          chunks.push(chunk);
          return true;
        },
        onEnd: () => resolve({ status, headers, body: Buffer.concat(chunks) }),
        onError: reject,
      },
    );
  });
}

export interface Pair {
  readonly listener: Listener;
  readonly upstream: ManagedUpstream;
  /** Of each exchange: whether it came over a connection of its own. */
  readonly seen: Exchange[];
}

export async function pair(handler: Handler, unary: Parameters<typeof createUpstream>[0]['unary'] = {}): Promise<Pair> {
  const socketPath = join(temporaryFolder(), 'service.sock');
  const seen: Exchange[] = [];
  const listener = track(
    await createListener({
      address: { socketPath },
      limits: DEFAULT_LIMITS,
      handler(exchange) {
        seen.push(exchange);
        return handler(exchange);
      },
      onError(error) {
        throw error;
      },
    }),
  );
  const upstream = track(createUpstream({ name: 'service', origin: { socketPath }, limits: DEFAULT_LIMITS, unary }));
  await ask(upstream, { path: '/first' });
  // The connection with frames and the one that it was offered on.
  while (upstream.stats().unaryConnections < 2) await sleep(5);
  return { listener, upstream, seen };
}

export const text = (exchange: Exchange, body: string): void => {
  exchange.writeHead(200, ['content-type', 'text/plain', 'content-length', String(Buffer.byteLength(body))]);
  exchange.end(body);
};
