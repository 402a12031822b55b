/** Test equipment: an upstream that answers as a test says, and a clock that a test moves. */
import { INITIAL_EVENTS_END, type KubeObject } from '../kube/objects.ts';
import type { RawHeaders } from '../listener/headers.ts';
import type { Upstream, UpstreamCall, UpstreamHandler, UpstreamRequest } from '../upstream/upstream.ts';
import { UpstreamError, type UpstreamFailure } from '../upstream/upstream.ts';
import type { Clock } from './clock.ts';

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise(resolve => setImmediate(resolve));
}

export class ManualClock implements Clock {
  #now = 0;
  #timers = new Set<{ at: number; callback: () => void }>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Milliseconds until each pending timer, ascending. */
  get pending(): number[] {
    return [...this.#timers].map(timer => timer.at - this.#now).sort((a, b) => a - b);
  }

  /** Moves on and calls what is due, then lets its consequences happen. */
  async advance(milliseconds: number): Promise<void> {
    await settle();
    this.#now += milliseconds;
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at <= this.#now && this.#timers.delete(timer)) timer.callback();
    }
    await settle();
  }
}

/** One request that an upstream was sent, to be answered by hand. */
export class ScriptedCall implements UpstreamCall {
  readonly request: UpstreamRequest;
  readonly path: string;
  readonly query: URLSearchParams;
  aborted = false;
  readonly #handler: UpstreamHandler;

  constructor(request: UpstreamRequest, handler: UpstreamHandler) {
    this.request = request;
    this.#handler = handler;
    const url = new URL(request.path, 'http://upstream');
    this.path = url.pathname;
    this.query = url.searchParams;
  }

  resume(): void {}

  abort(): void {
    this.aborted = true;
  }

  head(status: number, headers: RawHeaders = []): this {
    if (!this.aborted) this.#handler.onHead(status, headers);
    return this;
  }

  raw(chunk: Uint8Array | string): this {
    if (!this.aborted) this.#handler.onData(Buffer.from(chunk));
    return this;
  }

  event(type: string, object: KubeObject): this {
    return this.raw(`${JSON.stringify({ type, object })}\n`);
  }

  bookmark(resourceVersion: string, annotations?: Record<string, string>): this {
    return this.event('BOOKMARK', { metadata: { resourceVersion, ...(annotations && { annotations }) } });
  }

  initialEnd(resourceVersion: string): this {
    return this.bookmark(resourceVersion, { [INITIAL_EVENTS_END]: 'true' });
  }

  end(): void {
    if (!this.aborted) this.#handler.onEnd();
  }

  fail(failure: UpstreamFailure): void {
    if (!this.aborted) this.#handler.onError(new UpstreamError(failure, `connection ${failure}`));
  }

  json(status: number, body: unknown, headers: RawHeaders = []): void {
    this.head(status, headers).raw(JSON.stringify(body)).end();
  }

  status(code: number, message = 'no', details?: object, headers: RawHeaders = []): void {
    this.json(code, { kind: 'Status', code, message, details }, headers);
  }

  list(resourceVersion: string, items: KubeObject[], next = ''): void {
    const metadata = { resourceVersion, ...(next && { continue: next }) };
    this.json(200, { apiVersion: 'v1', kind: 'ThingList', metadata, items });
  }
}

export class ScriptedUpstream implements Upstream {
  readonly name = 'https://shard';
  readonly calls: ScriptedCall[] = [];
  #taken = 0;

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    const call = new ScriptedCall(request, handler);
    this.calls.push(call);
    return call;
  }

  /** The next request that no test has taken yet. */
  async next(): Promise<ScriptedCall> {
    await settle();
    const call = this.calls[this.#taken];
    if (!call) throw new Error(`no request came after ${this.#taken}`);
    this.#taken += 1;
    return call;
  }

  /** Requests that came and were not taken. */
  async waiting(): Promise<number> {
    await settle();
    return this.calls.length - this.#taken;
  }

  stats(): { unaryConnections: number; unaryInFlight: number; watchSessions: number; watchStreams: number } {
    return { unaryConnections: 0, unaryInFlight: 0, watchSessions: 0, watchStreams: 0 };
  }

  async close(): Promise<void> {}
}

export function thing(
  name: string,
  resourceVersion: string,
  more: { cluster?: string; uid?: string; color?: string } = {},
): KubeObject {
  const { cluster = 'one', uid = `uid-${name}`, color } = more;
  return {
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: { name, uid, resourceVersion, annotations: { 'kcp.io/cluster': cluster } },
    ...(color !== undefined && { color }),
  };
}
