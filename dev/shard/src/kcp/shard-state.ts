import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import { KUBERNETES_RESOURCES } from '../store/kubernetes-resources.ts';
import { runNamespaceLifecycle } from '../store/namespace-lifecycle.ts';
import { Registry } from '../store/registry.ts';
import { Store } from '../store/store.ts';
import { ApiBinder, type ApiBinderOptions } from './api-binder.ts';
import type { Tokens } from './authentication.ts';
import { type Authorize, createAuthorizer } from './authorizer.ts';
import { ClusterEndings } from './cluster-endings.ts';
import { startControllers } from './controllers.ts';
import { cachedDefinitions, exportedDefinitions, systemDefinitions } from './definitions.ts';
import { Loopback, Reader } from './loopback.ts';
import { reviewDefinitions } from './reviews.ts';
import { newIdentities, seed } from './seed.ts';

export interface ShardStateOptions {
  readonly shardName: string;
  /** Where other components reach the shard. */
  readonly baseURL: string;
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
  /** What the cache server embedded in the shard serves of the same objects. */
  readonly cacheRegistry: Registry;
  readonly objects: Loopback;
  readonly authorize: Authorize;
  readonly endings: ClusterEndings;
  /** Marks a caller whose reviews are to be deep ones. */
  readonly deepReviewers: WeakSet<Identity>;
  start(): void;
  stop(): Promise<void>;
}

export function createShardState(options: ShardStateOptions): ShardState {
  const { shardName, externalURL, tokens, onError } = options;
  const store = new Store();
  const reader = new Reader(store);
  const authorize = createAuthorizer(reader);
  const deepReviewers = new WeakSet<Identity>();
  const context = { objects: reader, authorize };
  const identities = newIdentities();
  const exported = exportedDefinitions(context, identities);
  const reviews = reviewDefinitions({ authorize, tokens, isDeep: user => deepReviewers.has(user) });
  const registry = new Registry([...KUBERNETES_RESOURCES, ...systemDefinitions(context), ...reviews]);
  const objects = new Loopback(store, registry, Object.values(exported).flat());
  const facts = { shardName, externalURL };
  const binder = new ApiBinder({ objects, virtualWorkspaceURL: options.virtualWorkspaceURL, tls: options.tls, onError });
  let stops: (() => void)[] = [];

  return {
    store,
    registry,
    cacheRegistry: new Registry(cachedDefinitions()),
    objects,
    authorize,
    endings: new ClusterEndings(store),
    deepReviewers,
    start() {
      stops = [runNamespaceLifecycle(store, registry), startControllers({ objects, facts, exported, onError })];
      seed(objects, { ...options, virtualWorkspaceURL: options.virtualWorkspaceURL.origin, identities });
      binder.start();
    },
    async stop() {
      for (const stop of stops) stop();
      await binder.stop();
    },
  };
}
