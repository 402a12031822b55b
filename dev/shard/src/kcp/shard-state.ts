import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import type { ApiSettings } from '../api/call.ts';
import { runNamespaceLifecycle } from '../store/namespace-lifecycle.ts';
import { Registry } from '../store/registry.ts';
import { Store } from '../store/store.ts';
import { ApiBinder, type ApiBinderOptions } from './api-binder.ts';
import { startApiControllers } from './api-controllers.ts';
import type { Tokens } from './authentication.ts';
import { type Authorize, createAuthorizer } from './authorizer.ts';
import { BoundDefinitions } from './bound-definitions.ts';
import type { CacheServer } from './cache-server.ts';
import { admitClaimLabels } from './claim-label-admission.ts';
import { ClusterEndings } from './cluster-endings.ts';
import { type Controllers, startControllers } from './controllers.ts';
import { type DefinitionContext, exportedDefinitions, kubernetesDefinitions, systemDefinitions } from './definitions.ts';
import { Loopback, Reader } from './loopback.ts';
import type { OtherShards } from './other-shards.ts';
import { ROOT_SHARD } from './refs.ts';
import { startReplication } from './replication.ts';
import { reviewDefinitions } from './reviews.ts';
import { seed } from './seed.ts';

export interface ShardStateOptions {
  readonly shardName: string;
  readonly cache: CacheServer;
  /** Milliseconds that the cache lags behind. */
  readonly cacheDelay: number;
  readonly others: OtherShards;
  /** Name of an APIExport of root → the hash that stands for who owns it. */
  readonly identities: Readonly<Record<string, string>>;
  /** Where people reach its workspaces: the front proxy. */
  readonly externalURL: string;
  readonly virtualWorkspaceURL: URL;
  readonly tokens: Tokens;
  /** The shard's own certificate towards the virtual workspaces. */
  readonly tls: ApiBinderOptions['tls'];
  readonly onError: (error: unknown, what: string) => void;
}

/** All that a shard knows, and what works on it. Whoever drops it and makes another has lost its state, as with an emptied etcd. */
export interface ShardState {
  readonly store: Store;
  readonly registry: Registry;
  readonly objects: Loopback;
  readonly authorize: Authorize;
  readonly endings: ClusterEndings;
  /** What is done to every object that is written through the API. */
  readonly admit: NonNullable<ApiSettings['admit']>;
  /** Marks a caller whose reviews are to be deep ones. */
  readonly deepReviewers: WeakSet<Identity>;
  /** Has a workspace looked at again, whose logical cluster has changed. */
  lookAtWorkspace(cluster: string, name: string): void;
  start(): void;
  stop(): Promise<void>;
}

export function createShardState(options: ShardStateOptions): ShardState {
  const { shardName, cache, cacheDelay, others, identities, externalURL, tokens, onError } = options;
  const store = new Store();
  const reader = new Reader(store, cache.store);
  const authorize = createAuthorizer(reader);
  const deepReviewers = new WeakSet<Identity>();
  const context: DefinitionContext = {
    objects: reader,
    authorize,
    issueToken: (request, account) => tokens.serviceAccounts.issue(request, account),
  };
  const exported = exportedDefinitions(context, identities);
  const reviews = reviewDefinitions({ authorize, tokens, isDeep: user => deepReviewers.has(user) });
  const registry = new Registry([...kubernetesDefinitions(context), ...systemDefinitions(context), ...reviews]);
  const objects = new Loopback(store, registry, Object.values(exported).flat(), cache.store);
  const facts = { shardName, externalURL };
  const binder = new ApiBinder({ objects, virtualWorkspaceURL: options.virtualWorkspaceURL, tls: options.tls, onError });
  let stops: (() => void)[] = [];
  let controllers: Controllers | undefined;

  return {
    store,
    registry,
    objects,
    authorize,
    endings: new ClusterEndings(store),
    admit: (definition, object, write) => admitClaimLabels(reader, definition, object, write),
    deepReviewers,
    lookAtWorkspace: (cluster, name) => controllers?.lookAtWorkspace(cluster, name),
    start() {
      controllers = startControllers({
        ...{ objects, others, facts, onError },
        certificates: options.tls.ca,
        tokens: tokens.serviceAccounts,
      });
      stops = [
        runNamespaceLifecycle(store, registry),
        startReplication({ shardName, objects, cache, delay: cacheDelay, onError }),
        controllers.stop,
        startApiControllers({ objects, others, shardName, exported, bound: new BoundDefinitions(), onError }),
      ];
      seed(objects, { isRoot: shardName === ROOT_SHARD, identities });
      binder.start();
    },
    async stop() {
      for (const stop of stops) stop();
      await binder.stop();
    },
  };
}
