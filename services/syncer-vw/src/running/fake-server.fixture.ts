/** Test equipment: the objects of a shard in memory, as they are served behind exports. */
import { CLUSTER_ANNOTATION, clusterOf, INITIAL_EVENTS_END, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import {
  type Upstream,
  type UpstreamCall,
  UpstreamError,
  type UpstreamHandler,
  type UpstreamRequest,
} from '@kcp-vw/shared/upstream/upstream.ts';

type Json = Readonly<Record<string, unknown>>;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Stream {
  readonly collection: string;
  readonly handler: UpstreamHandler;
}

const PATH =
  /^(.*)\/clusters\/([^/]+)\/(?:api|apis\/([^/]+))\/[^/]+(?:\/namespaces\/([^/]+)(?=\/[^/]+))?\/([^/]+)(?:\/([^/]+))?(\/status)?$/;
const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
const failure = (code: number, message: string, details?: object): Answer => ({
  status: code,
  body: { kind: 'Status', code, message, ...(details && { details }) },
});

export class FakeServer {
  version = 100;
  /** Method and path of every write, in order. */
  readonly writes: string[] = [];
  /** URLs of exports that nobody has bound: nothing is served there. */
  readonly absent = new Set<string>();
  /** What is answered instead of what was asked for. */
  refuse: (request: UpstreamRequest) => Answer | 'reset' | undefined = () => undefined;
  readonly #objects = new Map<string, KubeObject>();
  readonly #lines: { readonly collection: string; readonly version: number; readonly text: string }[] = [];
  readonly #streams = new Set<Stream>();

  /** Of everything behind a URL: `''` for the server itself. */
  at(url: string): Upstream {
    return {
      name: url,
      dispatch: (request, handler) => this.#dispatch(url, request, handler),
      stats: () => ({ unaryConnections: 0, unaryInFlight: 0, watchSessions: 0, watchStreams: this.#streams.size }),
      close: async () => undefined,
    };
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** Creates or changes; `collection`: `apps/deployments`, `/namespaces`. */
  put(collection: string, cluster: string, object: KubeObject): KubeObject {
    const { name = '', namespace = '' } = object.metadata ?? {};
    const key = keyOf(collection, cluster, namespace, name);
    const before = this.#objects.get(key);
    const annotations = { ...object.metadata?.annotations, [CLUSTER_ANNOTATION]: cluster };
    const uid = before?.metadata?.uid ?? object.metadata?.uid ?? `uid-${this.version}`;
    const metadata = { ...object.metadata, uid, resourceVersion: `${++this.version}`, annotations };
    const { finalizers = [], deletionTimestamp } = metadata as NonNullable<KubeObject['metadata']>;
    const stored = { ...object, metadata } as KubeObject;
    if (deletionTimestamp && finalizers.length === 0) {
      this.#objects.delete(key);
      this.#publish(collection, line('DELETED', stored));
    } else {
      this.#objects.set(key, stored);
      this.#publish(collection, line(before ? 'MODIFIED' : 'ADDED', stored));
    }
    return stored;
  }

  get(collection: string, cluster: string, name: string, namespace = ''): KubeObject | undefined {
    return this.#objects.get(keyOf(collection, cluster, namespace, name));
  }

  list(collection: string): readonly KubeObject[] {
    return [...this.#objects].filter(([key]) => key.startsWith(`${collection} `)).map(([, object]) => object);
  }

  /** With finalizers it only begins to go. */
  remove(collection: string, cluster: string, name: string, namespace = ''): void {
    const object = this.get(collection, cluster, name, namespace);
    if (object) {
      this.put(collection, cluster, { ...object, metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
    }
  }

  /** Ends all streams: followers come back at once. */
  endStreams(): void {
    for (const stream of [...this.#streams]) {
      this.#streams.delete(stream);
      stream.handler.onEnd();
    }
  }

  #publish(collection: string, text: string): void {
    this.#lines.push({ collection, version: this.version, text });
    for (const stream of this.#streams) {
      if (stream.collection === collection)
        setImmediate(() => this.#streams.has(stream) && stream.handler.onData(Buffer.from(text)));
    }
  }

  #dispatch(url: string, request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    let isOver = false;
    let stream: Stream | undefined;
    setImmediate(() => {
      if (isOver) return;
      const { pathname, searchParams } = new URL(request.path, 'http://server');
      const answer = this.refuse(request) ?? this.#answer(url, request, pathname);
      if (answer === 'reset') handler.onError(new UpstreamError('reset', 'the server is away'));
      else if (answer !== undefined) {
        handler.onHead(answer.status, []);
        handler.onData(Buffer.from(JSON.stringify(answer.body)));
        handler.onEnd();
      } else stream = this.#watch(pathname, searchParams, handler);
    });
    return {
      resume: () => undefined,
      abort: () => {
        isOver = true;
        if (stream) this.#streams.delete(stream);
      },
    };
  }

  #watch(pathname: string, query: URLSearchParams, handler: UpstreamHandler): Stream {
    const [, , , group = '', , resource] = PATH.exec(pathname) ?? [];
    const collection = `${group}/${resource}`;
    handler.onHead(200, []);
    if (query.get('sendInitialEvents') === 'true') {
      for (const object of this.list(collection)) handler.onData(Buffer.from(line('ADDED', object)));
      const annotations = { [INITIAL_EVENTS_END]: 'true' };
      handler.onData(Buffer.from(line('BOOKMARK', { metadata: { resourceVersion: `${this.version}`, annotations } })));
    } else {
      for (const one of this.#lines) {
        if (one.collection === collection && one.version > Number(query.get('resourceVersion'))) {
          handler.onData(Buffer.from(one.text));
        }
      }
    }
    const stream = { collection, handler };
    this.#streams.add(stream);
    return stream;
  }

  /** Undefined: it is a watch. */
  #answer(url: string, { method, body }: UpstreamRequest, pathname: string): Answer | undefined {
    const [, , cluster = '', group = '', namespace = '', resource, name, status] = PATH.exec(pathname) ?? [];
    if (resource === undefined || this.absent.has(url)) return failure(404, `nothing at ${url}${pathname}`);
    const collection = `${group}/${resource}`;
    if (method === 'GET' && cluster === '*') return undefined;
    const sent = body === null ? {} : (JSON.parse(String(body)) as KubeObject);
    if (method !== 'GET') this.writes.push(`${method} ${pathname}`);
    if (method === 'POST') {
      const created = { ...sent, metadata: { ...sent.metadata, namespace } };
      if (this.get(collection, cluster, created.metadata.name ?? '', namespace)) return failure(409, 'it exists');
      return { status: 201, body: this.put(collection, cluster, created) };
    }
    const object = this.get(collection, cluster, name ?? '', namespace);
    if (object === undefined) return failure(404, `${name} not found`);
    if (method === 'GET') return { status: 200, body: object };
    if (method === 'DELETE') {
      const { preconditions } = sent as { readonly preconditions?: { readonly uid?: string } };
      if (preconditions?.uid !== undefined && preconditions.uid !== object.metadata?.uid) return failure(409, 'another uid');
      this.remove(collection, clusterOf(object), name ?? '', namespace);
      return { status: 200, body: { kind: 'Status', status: 'Success' } };
    }
    const { uid, resourceVersion } = sent.metadata ?? {};
    if (resourceVersion !== undefined && resourceVersion !== object.metadata?.resourceVersion)
      return failure(409, 'it has changed');
    if (uid !== undefined && uid !== object.metadata?.uid) {
      return failure(422, 'metadata.uid: field is immutable', { causes: [{ field: 'metadata.uid' }] });
    }
    const next = method === 'PUT' ? sent : (mergePatched(object as Json, sent as Json) as KubeObject);
    // A status has nothing but the status, and everything else has all but that.
    const merged = status
      ? { ...object, status: next.status }
      : { ...next, ...(object.status !== undefined && { status: object.status }) };
    return { status: 200, body: this.put(collection, clusterOf(object), merged) };
  }
}

const keyOf = (collection: string, cluster: string, namespace: string, name: string): string =>
  `${collection} ${cluster}/${namespace}/${name}`;

/** RFC 7386. */
function mergePatched(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatched(result[name], value);
  }
  return result;
}
