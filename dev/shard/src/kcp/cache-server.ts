import { sendText } from '@kcp-vw/shared/answer/send.ts';
import { type Identity, isMasters } from '@kcp-vw/shared/authn/identity.ts';
import { forbidden } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { requestInfo } from '@kcp-vw/shared/target/request-info.ts';
import type { Target } from '@kcp-vw/shared/target/target.ts';
import { handleApi } from '../api/handle.ts';
import { type ResourceDefinition, resourceKey } from '../store/definition.ts';
import { KCP_RESOURCES } from '../store/kcp-resources.ts';
import { KUBERNETES_RESOURCES } from '../store/kubernetes-resources.ts';
import { Registry } from '../store/registry.ts';
import { Store } from '../store/store.ts';
import { clusterTarget } from './cluster-target.ts';
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES } from './refs.ts';

type Ref = Pick<ResourceDefinition, 'group' | 'resource'>;

const SHARD_ANNOTATION = 'kcp.io/shard';
const ORIGINAL_VERSION_ANNOTATION = 'cache.kcp.io/original-resource-version';
const ORIGINAL_UID_ANNOTATION = 'cache.kcp.io/original-resource-UID';

const RBAC: readonly string[] = [CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS].map(resourceKey);

/** Copies are stored whole, and nothing is checked: their shards have done so. RBAC, too, is made of CRDs there. */
const DEFINITIONS: readonly ResourceDefinition[] = [
  ...KCP_RESOURCES,
  ...KUBERNETES_RESOURCES.filter(definition => RBAC.includes(resourceKey(definition))),
].map(definition => ({
  ...definition,
  custom: true,
  statusSubresource: false,
  tracksGeneration: false,
  verbs: ['get', 'list', 'watch'],
}));

/** What the shards let each other know, with a sequence of versions of its own. It outlives the shards' states. */
export class CacheServer {
  /** Of all shards. */
  readonly store = new Store();
  readonly registry = new Registry(DEFINITIONS);
  /** The same by shard. */
  readonly #shards = new Map<string, Store>();
  readonly #definitions = new Map(DEFINITIONS.map(definition => [resourceKey(definition), definition]));

  put(shard: string, ref: Ref, cluster: string, object: KubeObject): void {
    for (const store of [this.store, this.#of(shard)]) {
      const name = object.metadata?.name ?? '';
      const known = store.get(ref, cluster, name);
      const { resourceVersion = '', uid = '', finalizers: _held, ...metadata } = object.metadata ?? {};
      const original = known?.metadata?.annotations;
      const annotations = {
        ...metadata.annotations,
        [SHARD_ANNOTATION]: shard,
        // As with kcp, these are the first ones for ever.
        [ORIGINAL_VERSION_ANNOTATION]: original?.[ORIGINAL_VERSION_ANNOTATION] ?? resourceVersion,
        [ORIGINAL_UID_ANNOTATION]: original?.[ORIGINAL_UID_ANNOTATION] ?? uid,
      };
      const copy = { ...object, metadata: { ...metadata, annotations } };
      if (known === undefined) store.create(this.#definition(ref), cluster, copy, { uid });
      else store.update(this.#definition(ref), cluster, copy);
    }
  }

  /** Nothing happens to what is not there. */
  remove(shard: string, ref: Ref, cluster: string, name: string): void {
    for (const store of [this.store, this.#of(shard)]) {
      const known = store.get(ref, cluster, name);
      if (known?.metadata?.annotations?.[SHARD_ANNOTATION] !== shard) continue;
      store.delete(this.#definition(ref), { cluster, namespace: '', name });
    }
  }

  /** A shard that has lost its state replicates what it has then. */
  forget(shard: string): void {
    for (const ref of DEFINITIONS) {
      for (const { metadata } of this.#of(shard).list(ref, { cluster: '*' }).items) {
        this.remove(shard, ref, metadata?.annotations?.['kcp.io/cluster'] ?? '', metadata?.name ?? '');
      }
    }
  }

  /** `/services/cache/shards/<shard|*>/clusters/<cluster|*>/…`, for masters. Throws a StatusError 403. */
  async handle(exchange: Exchange, target: Target, caller: Identity, serverAddress: string): Promise<void> {
    const [, , shards, shard] = target.segments;
    const { cluster, rest } = clusterTarget(target, 4);
    const request = requestInfo(exchange.method, rest);
    if (!isMasters(caller)) throw forbidden(caller.name, request, 'access denied');
    if (shards !== 'shards' || shard === undefined || cluster === undefined)
      return sendText(exchange, 404, '404 page not found\n');
    const store = shard === '*' ? this.store : this.#of(shard);
    await handleApi(exchange, { cluster, rest, request, user: caller }, store, this.registry, { serverAddress });
  }

  #of(shard: string): Store {
    const known = this.#shards.get(shard) ?? new Store();
    this.#shards.set(shard, known);
    return known;
  }

  #definition(ref: Ref): ResourceDefinition {
    const definition = this.#definitions.get(resourceKey(ref));
    if (definition === undefined) throw new Error(`the cache knows no resource ${resourceKey(ref)}`);
    return definition;
  }
}
