/** Test equipment: a client that asks a shard's API, in memory. */
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { type Identity, identity } from '@kcp-vw/shared/authn/identity.ts';
import { ManualClock, settle } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import type { KubeObject, WatchEvent } from '@kcp-vw/shared/kube/objects.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue, type RawHeaders } from '@kcp-vw/shared/listener/headers.ts';
import { requestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import type { ResourceDefinition } from '../store/definition.ts';
import { KCP_RESOURCES } from '../store/kcp-resources.ts';
import { KUBERNETES_RESOURCES, NAMESPACES, namespaceObject } from '../store/kubernetes-resources.ts';
import { runNamespaceLifecycle } from '../store/namespace-lifecycle.ts';
import { Registry } from '../store/registry.ts';
import { Store } from '../store/store.ts';
import { handleApi } from './handle.ts';

export class RecordedExchange implements Exchange {
  readonly httpVersion = '1.1';
  readonly method: string;
  readonly url: string;
  readonly headers: RawHeaders;
  readonly peer = { address: '192.0.2.1' };
  readonly body: Readable | null;
  readonly startedAt = 0;
  status = 0;
  sentHeaders: RawHeaders = [];
  closed = false;
  /** True: the client does not read. */
  blocked = false;
  readonly #chunks: Buffer[] = [];
  readonly #close: ((complete: boolean) => void)[] = [];
  #drain = (): void => {};

  constructor(method: string, url: string, headers: RawHeaders, body: string | undefined) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.body = body === undefined ? null : Readable.from([Buffer.from(body)]);
  }

  get bytesWritten(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  get text(): string {
    const bytes = Buffer.concat(this.#chunks);
    return (this.header('content-encoding') === 'gzip' ? gunzipSync(bytes) : bytes).toString();
  }

  onClose(listener: (complete: boolean) => void): void {
    if (this.closed) listener(true);
    else this.#close.push(listener);
  }

  writeHead(status: number, headers: RawHeaders): void {
    this.status = status;
    this.sentHeaders = headers;
  }

  write(chunk: Uint8Array | string): boolean {
    this.#chunks.push(Buffer.from(chunk as string));
    return !this.blocked;
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  end(chunk?: Uint8Array | string): void {
    if (chunk !== undefined) this.write(chunk);
    this.#settle(true);
  }

  abort(): void {
    this.#settle(false);
  }

  // --- the client's side

  unblock(): void {
    this.blocked = false;
    this.#drain();
  }

  leave(): void {
    this.#settle(false);
  }

  header(name: string): string | undefined {
    return headerValue(this.sentHeaders, name);
  }

  json<T = Answer>(): T {
    return JSON.parse(this.text) as T;
  }

  events(): WatchEvent[] {
    return this.text
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line) as WatchEvent);
  }

  /** `ADDED a`, `BOOKMARK`. */
  summary(): string[] {
    return this.events().map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`.trim());
  }

  #settle(complete: boolean): void {
    if (this.closed) return;
    this.closed = true;
    for (const listener of this.#close) listener(complete);
  }
}

/** What any answer may hold. */
export interface Answer extends KubeObject {
  readonly items: KubeObject[];
  readonly message: string;
  readonly reason: string;
  readonly code: number;
  readonly details: { readonly causes: { readonly field: string; readonly message: string }[]; readonly uid: string };
}

export interface Asked {
  readonly headers?: RawHeaders;
  /** Sent as it is when it is text, else as JSON. */
  readonly body?: unknown;
  readonly type?: string;
  readonly blocked?: boolean;
  readonly user?: Identity;
}

export const WIDGETS: ResourceDefinition = {
  ...{ group: 'example.dev', versions: ['v1'], resource: 'widgets', singular: 'widget', kind: 'Widget', namespaced: false },
  ...{ custom: true, statusSubresource: true, tracksGeneration: true },
  columns: [{ name: 'Color', type: 'string', description: '', priority: 0, jsonPath: '.spec.color' }],
};

export const CONFIGMAPS_PATH = '/api/v1/namespaces/default/configmaps';
export const WIDGETS_PATH = '/apis/example.dev/v1/widgets';

export const widget = (name: string, fields: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'example.dev/v1',
  kind: 'Widget',
  metadata: { name },
  ...fields,
});

/** A shard with Kubernetes' and kcp's resources, where cluster `a` also has widgets, and `a` and `b` a namespace `default`. */
export class TestShard {
  readonly store: Store;
  readonly registry = new Registry([...KUBERNETES_RESOURCES, ...KCP_RESOURCES]);
  readonly clock = new ManualClock();
  cluster = 'a';

  constructor(window = 1000) {
    this.store = new Store({ window });
    this.registry.add('a', WIDGETS);
    runNamespaceLifecycle(this.store, this.registry);
    for (const cluster of ['a', 'b']) this.store.create(NAMESPACES, cluster, namespaceObject('default'), { keepStatus: true });
  }

  /** Sends a request and lets happen what happens at once. */
  async ask(method: string, url: string, options: Asked = {}): Promise<RecordedExchange> {
    const { body, blocked = false, user = identity('admin', []) } = options;
    const type = options.type ?? (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');
    const headers = [...(options.headers ?? []), ...(body === undefined ? [] : ['content-type', type])];
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const exchange = new RecordedExchange(method, url, headers, text);
    exchange.blocked = blocked;
    const rest = parseTarget(url);
    const request = { cluster: this.cluster, rest, request: requestInfo(method, rest), user };
    const done = handleApi(exchange, request, this.store, this.registry, { clock: this.clock });
    if (requestInfo(method, rest).verb === 'watch') await settle();
    else await done;
    return exchange;
  }

  get = (url: string, headers: RawHeaders = []): Promise<RecordedExchange> => this.ask('GET', url, { headers });
  post = (url: string, body: unknown): Promise<RecordedExchange> => this.ask('POST', url, { body });
  put = (url: string, body: unknown): Promise<RecordedExchange> => this.ask('PUT', url, { body });
  patch = (url: string, body: unknown, type?: string): Promise<RecordedExchange> =>
    this.ask('PATCH', url, type === undefined ? { body } : { body, type });
  delete = (url: string, body?: unknown): Promise<RecordedExchange> => this.ask('DELETE', url, { body });
  watch = (url: string, options: Asked = {}): Promise<RecordedExchange> =>
    this.ask('GET', `${url}${url.includes('?') ? '&' : '?'}watch=true`, options);
}
