/** Test equipment: servers in memory, connections with them, and a log that keeps its lines. */
import { ManualClock, settle } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { INITIAL_EVENTS_END, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import {
  type Upstream,
  type UpstreamCall,
  UpstreamError,
  type UpstreamHandler,
  type UpstreamRequest,
} from '@kcp-vw/shared/upstream/upstream.ts';
import type { Connections, Shards } from './knowledge.ts';

interface Stream {
  readonly path: string;
  readonly handler: UpstreamHandler;
}

/** What a test says of an object; without a logical cluster it is in `root`. */
export interface Made extends KubeObject {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly cluster?: string;
  readonly uid?: string;
}

const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;

/** Collections by their paths, whole URLs, as streamed lists and watches show them. What nobody has made is 404. */
export class FakeServers {
  readonly requests: string[] = [];
  readonly unreachable = new Set<string>();
  /** Paths that are answered with an error. */
  readonly refused = new Map<string, number>();
  readonly #collections = new Map<string, Map<string, KubeObject>>();
  readonly #streams = new Set<Stream>();
  #version = 100;

  readonly connections: Pick<Connections, 'at'> = { at: url => this.#upstream(url) };

  /** The collection is there, with nothing in it. */
  serve(...urls: readonly string[]): void {
    for (const url of urls) this.#collection(url);
  }

  put(url: string, name: string, { cluster = 'root', uid, annotations = {}, ...fields }: Made = {}): void {
    const collection = this.#collection(url);
    const before = collection.get(`${cluster}/${name}`);
    const metadata = {
      ...{ name, uid: uid ?? before?.metadata?.uid ?? `uid-${cluster}-${name}`, resourceVersion: String(++this.#version) },
      ...{ annotations: { ...annotations, 'kcp.io/cluster': cluster } },
    };
    const object = { ...fields, metadata };
    collection.set(`${cluster}/${name}`, object);
    this.#publish(url, line(before ? 'MODIFIED' : 'ADDED', object));
  }

  remove(url: string, name: string, cluster = 'root'): void {
    const collection = this.#collection(url);
    const before = collection.get(`${cluster}/${name}`);
    collection.delete(`${cluster}/${name}`);
    const metadata = { ...before?.metadata, resourceVersion: String(++this.#version) };
    this.#publish(url, line('DELETED', { ...before, metadata }));
  }

  /** Ends all streams, and forgets what they could be resumed from. */
  expire(): void {
    for (const { handler } of this.#take()) {
      handler.onData(Buffer.from(line('ERROR', { kind: 'Status', code: 410, message: 'too old resource version' })));
      handler.onEnd();
    }
  }

  cut(): void {
    for (const { handler, path } of this.#take()) handler.onError(new UpstreamError('reset', `${path} is away`));
  }

  /** What is open, each with how often. */
  get streams(): readonly string[] {
    return [...this.#streams].map(({ path }) => path).sort();
  }

  #take(): readonly Stream[] {
    const all = [...this.#streams];
    this.#streams.clear();
    return all;
  }

  #upstream(base: string): Upstream {
    return {
      name: base,
      dispatch: (request, handler) => this.#dispatch(base, request, handler),
      stats: () => ({ unaryConnections: 0, unaryInFlight: 0, watchSessions: 0, watchStreams: 0 }),
      close: () => Promise.resolve(),
    };
  }

  #dispatch(base: string, request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    const [path = ''] = request.path.split('?');
    const stream: Stream = { path: base + path, handler };
    let isOver = false;
    this.requests.push(stream.path);
    setImmediate(() => {
      if (isOver) return;
      const code = this.refused.get(stream.path) ?? (this.#collections.has(stream.path) ? 0 : 404);
      if ([...this.unreachable].some(prefix => stream.path.startsWith(prefix))) {
        handler.onError(new UpstreamError('unreachable', `${base} is away`));
      } else if (code > 0) {
        handler.onHead(code, []);
        handler.onData(Buffer.from(JSON.stringify({ kind: 'Status', code, message: 'no' })));
        handler.onEnd();
      } else this.#watch(stream);
    });
    return {
      resume: () => undefined,
      abort: () => {
        isOver = true;
        this.#streams.delete(stream);
      },
    };
  }

  /** Always everything: what a watch could miss is what these tests are not about. */
  #watch(stream: Stream): void {
    stream.handler.onHead(200, []);
    const write = (text: string): void => void stream.handler.onData(Buffer.from(text));
    for (const object of this.#collection(stream.path).values()) write(line('ADDED', object));
    const annotations = { [INITIAL_EVENTS_END]: 'true' };
    write(line('BOOKMARK', { metadata: { resourceVersion: String(this.#version), annotations } }));
    this.#streams.add(stream);
  }

  #publish(url: string, text: string): void {
    for (const { path, handler } of [...this.#streams]) if (path === url) handler.onData(Buffer.from(text));
  }

  #collection(url: string): Map<string, KubeObject> {
    const found = this.#collections.get(url) ?? new Map<string, KubeObject>();
    this.#collections.set(url, found);
    return found;
  }
}

/** Everything that waits for nothing but its turn, over several requests one after the other. */
export async function settleAll(): Promise<void> {
  for (let i = 0; i < 4; i += 1) await settle();
}

export interface LogLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export function fakeLog() {
  const lines: LogLine[] = [];
  const at =
    (level: string) =>
    (first: unknown, second?: string): void =>
      void lines.push(
        typeof first === 'string'
          ? { level, fields: {}, text: first }
          : { level, fields: first as Record<string, unknown>, text: second ?? '' },
      );
  return { lines, log: { warn: at('warn'), debug: at('debug') } as never };
}

/** A clock, and informers that ask again after a second of it. */
export function timing() {
  const clock = new ManualClock();
  return { clock, backoff: { initial: 1000, max: 1000, random: () => 0 }, timing: { watchSeconds: () => 3000 } };
}

/** Shards that a test lists: name → base. An empty one has no address. */
export function fakeShards(first: Readonly<Record<string, string>>) {
  let all = first;
  const listeners = new Set<() => void>();
  const shards: Shards = {
    list: () => Object.keys(all).map(name => ({ metadata: { name } })),
    bases: () => new Map(Object.entries(all).filter(([, base]) => base !== '')),
    own: () => Object.values(all)[0],
    missing: () => (Object.keys(all).length === 0 ? 'the list of shards' : undefined),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const set = (next: Readonly<Record<string, string>>): void => {
    all = next;
    for (const listener of listeners) listener();
  };
  return { shards, set };
}
