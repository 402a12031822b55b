/** Test equipment: a shard in memory with all that the feed asks for, and an index that tells what it was told. */
import { settle } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { INITIAL_EVENTS_END, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import {
  type UpstreamCall,
  UpstreamError,
  type UpstreamFailure,
  type UpstreamHandler,
  type UpstreamRequest,
} from '@kcp-vw/shared/upstream/upstream.ts';
import type { IndexWriter } from '../index/facts.ts';

export const ROLES = '/clusters/*/apis/rbac.authorization.k8s.io/v1/clusterroles';
export const BINDINGS = '/clusters/*/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
export const LOGICAL_CLUSTERS = '/clusters/*/apis/core.kcp.io/v1alpha1/logicalclusters';
export const WORKSPACES = '/clusters/*/apis/tenancy.kcp.io/v1alpha1/workspaces:hash';
const IDENTITIES = '/clusters/system:shard/api/v1/namespaces/default/configmaps/apiexport-identity-cache';

interface Collection {
  readonly objects: Map<string, KubeObject>;
  /** The oldest version that a watch may begin at. */
  oldest: number;
  readonly lines: { readonly version: number; readonly text: string }[];
}

interface Stream {
  readonly path: string;
  readonly handler: UpstreamHandler;
}

const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;

export class FakeShard implements ManagedUpstream {
  readonly name: string;
  readonly basePath = '';
  readonly requests: string[] = [];
  isReachable = true;
  /** Takes requests and says nothing, not even on streams. */
  hangs = false;
  /** What `/livez` answers. */
  health = 200;
  /** Of the APIExport of workspaces; undefined: not published yet. */
  identity: string | undefined = 'hash';
  isClosed = false;
  /** Paths that are not served any more. */
  readonly unknown = new Set<string>();
  readonly #collections = new Map<string, Collection>();
  readonly #streams = new Set<Stream>();
  #inFlight = 0;
  #version = 100;

  constructor(name = 'shard') {
    this.name = name;
  }

  /** Creates the object, or changes it. */
  put(path: string, cluster: string, name: string, fields: object = {}): void {
    const collection = this.#collection(path);
    const key = `${cluster}/${name}`;
    const before = collection.objects.get(key);
    const annotations = { 'kcp.io/cluster': cluster, ...(fields as KubeObject).metadata?.annotations };
    const metadata = {
      name,
      uid: before?.metadata?.uid ?? `${key}@${this.#version}`,
      resourceVersion: `${++this.#version}`,
      annotations,
    };
    const object = { ...fields, metadata };
    collection.objects.set(key, object);
    this.#publish(path, line(before ? 'MODIFIED' : 'ADDED', object));
  }

  remove(path: string, cluster: string, name: string): void {
    const { objects } = this.#collection(path);
    const before = objects.get(`${cluster}/${name}`);
    objects.delete(`${cluster}/${name}`);
    this.#version += 1;
    this.#publish(
      path,
      line('DELETED', { ...before, metadata: { ...before?.metadata, resourceVersion: String(this.#version) } }),
    );
  }

  /** Ends every stream; what a stream could be resumed from is forgotten. Changes made `meanwhile` are seen by nobody. */
  expire(meanwhile: () => void): void {
    const streams = [...this.#streams];
    this.#streams.clear();
    meanwhile();
    for (const collection of this.#collections.values()) {
      collection.lines.length = 0;
      collection.oldest = this.#version;
    }
    for (const { handler } of streams) {
      handler.onData(Buffer.from(line('ERROR', { kind: 'Status', code: 410, message: 'too old resource version' })));
      handler.onEnd();
    }
  }

  /** Breaks all connections. */
  cut(failure: UpstreamFailure = 'reset'): void {
    for (const { handler } of [...this.#streams]) handler.onError(new UpstreamError(failure, `${this.name} is away`));
    this.#streams.clear();
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** Requests that wait for an answer. */
  get unanswered(): number {
    return this.#inFlight;
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    this.requests.push(request.path);
    const { pathname, searchParams } = new URL(request.path, 'http://shard');
    const stream: Stream = { path: decodeURIComponent(pathname), handler };
    let isOver = false;
    this.#inFlight += 1;
    const answered = (): void => {
      if (!isOver) this.#inFlight -= 1;
      isOver = true;
    };
    const answer = (status: number, body: unknown): void => {
      answered();
      handler.onHead(status, []);
      handler.onData(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
      handler.onEnd();
    };
    setImmediate(() => {
      if (isOver || this.hangs) return;
      if (!this.isReachable || this.isClosed) {
        answered();
        handler.onError(new UpstreamError('unreachable', `${this.name} is away`));
      } else if (stream.path === '/livez') answer(this.health, 'ok');
      else if (stream.path === IDENTITIES) answer(200, { data: { ...(this.identity && { 'tenancy.kcp.io': this.identity }) } });
      else if (searchParams.get('watch') === 'true' && !this.unknown.has(stream.path)) {
        answered();
        this.#watch(stream, searchParams);
      } else answer(404, { kind: 'Status', code: 404, message: 'not found' });
    });
    return {
      resume: () => undefined,
      abort: () => {
        answered();
        this.#streams.delete(stream);
      },
    };
  }

  #watch(stream: Stream, query: URLSearchParams): void {
    const { path, handler } = stream;
    const { objects, lines, oldest } = this.#collection(path);
    handler.onHead(200, []);
    const write = (text: string): void => void handler.onData(Buffer.from(text));
    if (query.get('sendInitialEvents') === 'true') {
      for (const object of objects.values()) write(line('ADDED', object));
      const annotations = { [INITIAL_EVENTS_END]: 'true' };
      write(line('BOOKMARK', { metadata: { resourceVersion: String(this.#version), annotations } }));
    } else if (Number(query.get('resourceVersion')) < oldest) {
      write(line('ERROR', { kind: 'Status', code: 410, message: 'too old resource version' }));
      handler.onEnd();
      return;
    } else for (const { version, text } of lines) if (version > Number(query.get('resourceVersion'))) write(text);
    this.#streams.add(stream);
  }

  #publish(path: string, text: string): void {
    this.#collection(path).lines.push({ version: this.#version, text });
    if (this.hangs) return;
    for (const stream of this.#streams) if (stream.path === path) stream.handler.onData(Buffer.from(text));
  }

  #collection(path: string): Collection {
    const collection = this.#collections.get(path) ?? { objects: new Map(), oldest: 0, lines: [] };
    this.#collections.set(path, collection);
    return collection;
  }

  setCredentials(): void {}

  stats() {
    return { unaryConnections: 0, unaryInFlight: this.#inFlight, watchSessions: 0, watchStreams: this.#streams.size };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.cut('unreachable');
  }
}

/** Facts as they are in the index, by `<shard> <kind> <cluster>/<name>`, and every change as it came. */
export class FakeIndex implements IndexWriter {
  readonly facts = new Map<string, unknown>();
  /** `+` put, `-` taken out; a batch is one entry. */
  readonly changes: string[][] = [];
  #batch: string[] | undefined;

  role = (shard: string, cluster: string, name: string, facts: unknown): void =>
    this.#set(shard, `role ${cluster}/${name}`, facts);
  binding = (shard: string, cluster: string, name: string, facts: unknown): void =>
    this.#set(shard, `binding ${cluster}/${name}`, facts);
  logicalCluster = (shard: string, cluster: string, facts: unknown): void => this.#set(shard, `cluster ${cluster}`, facts);
  workspace = (shard: string, cluster: string, name: string, facts: unknown): void =>
    this.#set(shard, `workspace ${cluster}/${name}`, facts);

  forgetShard(shard: string): void {
    this.changes.push([`forget ${shard}`]);
    for (const key of [...this.facts.keys()]) if (key.startsWith(`${shard} `)) this.facts.delete(key);
  }

  batch(work: () => void): void {
    this.#batch = [];
    try {
      work();
    } finally {
      if (this.#batch.length > 0) this.changes.push(this.#batch);
      this.#batch = undefined;
    }
  }

  #set(shard: string, fact: string, facts: unknown): void {
    const key = `${shard} ${fact}`;
    if (facts === undefined) this.facts.delete(key);
    else this.facts.set(key, facts);
    const change = `${facts === undefined ? '-' : '+'}${key}`;
    if (this.#batch) this.#batch.push(change);
    else this.changes.push([change]);
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

/** A log that keeps its lines. */
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
  return { lines, log: { info: at('info'), warn: at('warn'), error: at('error'), debug: at('debug') } as never };
}
