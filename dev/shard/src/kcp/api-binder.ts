import { randomBytes } from 'node:crypto';
import { createInformer, type Informer } from '@kcp-vw/shared/informer/informer.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import { createUpstream, type ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import type { ApiBinding, ApiExport } from './api-objects.ts';
import { isTrue, withCondition } from './conditions.ts';
import type { Reader } from './loopback.ts';
import { shortHash } from './names.ts';
import type { ExportReference, LogicalCluster } from './objects.ts';
import { API_BINDINGS, API_BINDINGS_INITIALIZER, API_EXPORTS, LOGICAL_CLUSTER_NAME, TYPE_ANNOTATION } from './refs.ts';
import { WorkQueue } from './work-queue.ts';
import { findType, typeClosure } from './workspace-types.ts';

export interface ApiBinderOptions {
  readonly objects: Reader;
  /** Where the view of the initializer is: the base URL of the shard's virtual workspaces. */
  readonly virtualWorkspaceURL: URL;
  /** The shard's own certificate, PEM, and what verifies the virtual workspaces. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly onError: (error: unknown, what: string) => void;
}

const VIEW = `/services/initializingworkspaces/${API_BINDINGS_INITIALIZER}/clusters`;
const LOGICAL_CLUSTERS = '/apis/core.kcp.io/v1alpha1/logicalclusters';
const BINDINGS = '/apis/apis.kcp.io/v1alpha2/apibindings';

/**
 * Gives new workspaces the bindings of their types. It works through the initializing view alone, as every owner of an initializer
 * does: while that is away, nobody's workspace becomes Ready.
 */
export class ApiBinder {
  readonly #options: ApiBinderOptions;
  readonly #upstream: ManagedUpstream;
  readonly #informer: Informer<LogicalCluster>;
  readonly #queue: WorkQueue;
  readonly #stopListening: () => void;

  constructor(options: ApiBinderOptions) {
    this.#options = options;
    // kcp derives this client from its loopback one, and a token that nobody else knows is left over in it.
    const token = randomBytes(24).toString('base64url');
    this.#upstream = createUpstream({
      name: 'the virtual workspaces',
      origin: options.virtualWorkspaceURL,
      limits: { watchStreams: 10 },
      tls: { ca: options.tls.ca, cert: options.tls.cert, key: options.tls.key },
      authorization: () => token,
    });
    this.#informer = createInformer<LogicalCluster>({
      upstream: this.#upstream,
      path: `${VIEW}/*${LOGICAL_CLUSTERS}`,
      name: 'logicalclusters of the apibinder',
      project: object => object as LogicalCluster,
      onError: (error, attempt) => options.onError(error, `list or watch of the apibinder, attempt ${attempt}`),
      backoff: { initial: 100, max: 2_000 },
    });
    this.#queue = new WorkQueue(cluster => this.#reconcile(cluster), {
      onError: (error, cluster) => options.onError(error, `apibinder, logical cluster ${cluster}`),
    });
    this.#informer.onEvent(({ object }) => this.#queue.add(clusterOf(object)));
    this.#stopListening = options.objects.store.onChange(({ resource, cluster }) => {
      if (resource === `${API_BINDINGS.group}/${API_BINDINGS.resource}`) this.#queue.add(cluster);
    });
  }

  start(): void {
    this.#informer.start();
  }

  async stop(): Promise<void> {
    this.#stopListening();
    this.#informer.stop();
    this.#queue.stop();
    await this.#upstream.close();
  }

  async #reconcile(cluster: string): Promise<void> {
    const shown = this.#informer.get(cluster, LOGICAL_CLUSTER_NAME);
    if (!shown?.status?.initializers?.includes(API_BINDINGS_INITIALIZER)) return;
    const wanted = this.#wantedBindings(shown);
    for (const reference of wanted) await this.#ensureBinding(cluster, reference);
    const waiting = wanted.filter(reference => !this.#isBound(cluster, reference)).map(({ export: name }) => name);
    await this.#patchStatus(cluster, shown, waiting);
  }

  #wantedBindings({ metadata }: LogicalCluster): readonly ExportReference[] {
    const { objects } = this.#options;
    const annotation = metadata.annotations?.[TYPE_ANNOTATION] ?? '';
    const colon = annotation.lastIndexOf(':');
    const type = findType(objects, { path: annotation.slice(0, Math.max(colon, 0)), name: annotation.slice(colon + 1) });
    if (type === undefined) throw new Error(`workspace type ${annotation} does not exist`);
    const all = typeClosure(objects, type).flatMap(({ spec }) => spec?.defaultAPIBindings ?? []);
    return [...new Map(all.map(reference => [`${reference.path}|${reference.export}`, reference])).values()];
  }

  async #ensureBinding(cluster: string, { path = '', export: name }: ExportReference): Promise<void> {
    const { objects } = this.#options;
    if (objects.findByPath<ApiExport>(API_EXPORTS, path, name) === undefined) {
      throw new Error(`APIExport ${path}|${name} does not exist`);
    }
    const binding = `${name}-${shortHash(`${cluster}|${path}|${name}`)}`;
    if (objects.get(API_BINDINGS, cluster, binding) !== undefined) return;
    await this.#send('POST', `${VIEW}/${cluster}${BINDINGS}`, 'application/json', [201, 409], {
      apiVersion: 'apis.kcp.io/v1alpha2',
      kind: 'APIBinding',
      metadata: { name: binding },
      spec: { reference: { export: { path, name } } },
    });
  }

  #isBound(cluster: string, { path = '', export: name }: ExportReference): boolean {
    return this.#options.objects.list<ApiBinding>(API_BINDINGS, cluster).some(({ spec, status }) => {
      const reference = spec?.reference?.export;
      return reference?.path === path && reference.name === name && isTrue(status?.conditions, 'InitialBindingCompleted');
    });
  }

  /** A condition while bindings are missing, and the end of the own initializer when none are. */
  async #patchStatus(cluster: string, { metadata, status }: LogicalCluster, waiting: readonly string[]): Promise<void> {
    const { uid, resourceVersion } = metadata;
    const initializers = (status?.initializers ?? []).filter(name => name !== API_BINDINGS_INITIALIZER);
    const conditions = withCondition(status?.conditions, {
      type: 'APIBindingsInitialized',
      status: 'False',
      severity: 'Info',
      reason: 'WaitingOnAPIBindings',
      message: `APIBinding(s) not yet fully bound: ${[...waiting].sort().join(', ')}`,
    });
    // Go's clients leave an empty list out, which a merge patch says with a null.
    const patch = waiting.length > 0 ? { conditions } : { initializers: initializers.length > 0 ? initializers : null };
    const path = `${VIEW}/${cluster}${LOGICAL_CLUSTERS}/${LOGICAL_CLUSTER_NAME}/status`;
    const body = { metadata: { uid, resourceVersion }, status: patch };
    // Gone from the view: somebody was faster. A conflict: the informer brings a newer version, and with it another round.
    await this.#send('PATCH', path, 'application/merge-patch+json', [200, 404, 409], body);
  }

  async #send(method: string, path: string, contentType: string, expected: readonly number[], body: unknown): Promise<void> {
    const answer = await requestJson<{ message?: string }>(this.#upstream, {
      method,
      path,
      headers: ['content-type', contentType],
      body,
      timeout: 10_000,
    });
    if (!expected.includes(answer.status)) {
      throw new Error(`${method} ${path} was answered with ${answer.status}: ${answer.body.message ?? ''}`);
    }
  }
}
