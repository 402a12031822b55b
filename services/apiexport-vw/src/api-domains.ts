import type { Informer, InformerEvent } from '@kcp-vw/shared/informer/informer.ts';
import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import { type ApiDefinition, type ApiSet, type ApiSources, apiSetOf, definitionKey } from './api-set.ts';
import type { ApiExport, ApiResourceSchema, ExportKey } from './apis-kcp-io.ts';
import type { ShardResources } from './shard-resources.ts';

/** The API sets of all exports, as the cache has these: worked out when first asked for, and anew when something of them changes. */
export interface ApiDomains {
  exportOf(key: ExportKey): ApiExport | undefined;
  /** Several may share an identity; sorted. */
  exportsOf(identityHash: string): readonly ApiExport[];
  /**
   * Undefined for an export that is not there or has no identity. Since its URL may be known to clients before it and its schemas are known
   * here, that is only said after a moment. Throws a StatusError 503 while not even the exports are known.
   */
  setOf(key: ExportKey): Promise<ApiSet | undefined>;
  /** Calls `then` once, when that is no longer how the export's view serves the resource. Returns how to stop. */
  whenReplaced(key: ExportKey, definition: ApiDefinition, then: () => void): () => void;
  /** Works everything out anew that has been asked for. */
  refresh(): void;
  stop(): void;
}

export interface ApiDomainsOptions {
  readonly exports: Pick<Informer<ApiExport>, 'get' | 'byIndex' | 'onEvent' | 'synced'>;
  readonly schemas: Pick<Informer<ApiResourceSchema>, 'get' | 'onEvent' | 'synced'>;
  readonly openapi: ApiSources['openapi'];
  /** Without it nothing is served. */
  readonly shardResources: Pick<ShardResources, 'known' | 'includes'>;
  /** Milliseconds that a request waits for an export to appear. */
  readonly patience?: number;
}

/** Names of the indexes that the informer of exports needs, and their keys. */
export const EXPORT_INDEXES = {
  identity: (exported: ApiExport): string[] => (exported.status?.identityHash ? [exported.status.identityHash] : []),
  cluster: (exported: ApiExport): string[] => [clusterOf(exported)],
};

interface Domain {
  readonly key: ExportKey;
  set: ApiSet;
  /** Identities that the set was looked up by. */
  identities: ReadonlySet<string>;
  readonly watchers: Set<() => void>;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

const PATIENCE_MS = 2_000;
/** Requests that wait at a time, in all and for one logical cluster, so that its owner alone cannot hold up all. One more is told at once. */
const MAX_WAITING = 1_000;
const MAX_WAITING_PER_CLUSTER = 100;

const textOf = ({ cluster, name }: ExportKey): string => `${cluster}/${name}`;

export function createApiDomains(options: ApiDomainsOptions): ApiDomains {
  const { exports, schemas, openapi, shardResources, patience = PATIENCE_MS } = options;
  const domains = new Map<string, Domain>();
  const changed = new Set<Domain>();
  /** Requests that wait for something of a logical cluster. */
  const waiting = new Map<string, Set<() => void>>();
  let waiters = 0;
  let isStopped = false;
  let scheduled: NodeJS.Immediate | undefined;

  const exportOf = ({ cluster, name }: ExportKey): ApiExport | undefined => exports.get(cluster, name);
  const exportsOf = (identityHash: string): readonly ApiExport[] =>
    exports.byIndex('identity', identityHash).sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const sources: ApiSources = {
    schema: (cluster, name) => schemas.get(cluster, name),
    exportsOf,
    isShardsOwn: shardResources.includes,
    openapi,
  };

  const compute = (key: ExportKey): ApiSet | undefined => {
    const known = domains.get(textOf(key));
    if (known && !changed.has(known)) return known.set;
    const exported = exportOf(key);
    const set = exported && apiSetOf(exported, sources, known?.set);
    if (exported === undefined || set === undefined) {
      domains.delete(textOf(key));
    } else if (known) {
      known.set = set;
      known.identities = claimedIdentities(exported);
    } else {
      domains.set(textOf(key), { key, set, identities: claimedIdentities(exported), watchers: new Set(), since: Date.now() });
    }
    if (known) {
      changed.delete(known);
      // Not a copy: who has stopped listening meanwhile is not told.
      for (const tell of known.watchers) tell();
    }
    return set;
  };

  const recompute = (): void => {
    scheduled = undefined;
    for (const { key } of [...changed]) compute(key);
  };

  /** What comes in one go, as a list does, is worked out once. */
  const touch = (cluster: string, identities: readonly string[]): void => {
    for (const domain of domains.values()) {
      if (domain.key.cluster === cluster || identities.some(one => domain.identities.has(one))) changed.add(domain);
    }
    schedule();
    for (const wake of [...(waiting.get(cluster) ?? [])]) wake();
  };
  const schedule = (): void => {
    if (changed.size > 0) scheduled ??= setImmediate(recompute);
  };

  const stops = [
    exports.onEvent(({ object, previous }: InformerEvent<ApiExport>) => {
      const both = previous ? [object, previous] : [object];
      touch(clusterOf(object), both.flatMap(EXPORT_INDEXES.identity));
    }),
    schemas.onEvent(({ object }) => {
      const home = clusterOf(object);
      touch(home, exports.byIndex('cluster', home).flatMap(EXPORT_INDEXES.identity));
    }),
  ];

  const mayNotWait = (cluster: string): boolean =>
    waiters >= MAX_WAITING || (waiting.get(cluster)?.size ?? 0) >= MAX_WAITING_PER_CLUSTER;

  /** Until an export or schema of the logical cluster changes, or the time is over. */
  const change = (cluster: string, milliseconds: number): Promise<void> =>
    new Promise(resolve => {
      const here = waiting.get(cluster) ?? new Set();
      const done = (): void => {
        clearTimeout(timer);
        here.delete(done);
        if (here.size === 0) waiting.delete(cluster);
        waiters -= 1;
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      waiting.set(cluster, here.add(done));
      waiters += 1;
    });

  return {
    exportOf,
    exportsOf,
    async setOf(key) {
      let deadline: number | undefined;
      for (;;) {
        const isKnown = exports.synced() && schemas.synced() && shardResources.known();
        const set = isKnown ? compute(key) : undefined;
        if (set?.complete) return set;
        deadline ??= Date.now() + patience;
        // A schema that is missing for longer is missing, and holds up nobody.
        const ends = set ? (domains.get(textOf(key))?.since ?? 0) + patience : deadline;
        const left = Math.min(deadline, ends) - Date.now();
        if (left <= 0 || isStopped || mayNotWait(key.cluster)) {
          if (!isKnown) throw serviceUnavailable('the APIExports are not known yet');
          return set;
        }
        await change(key.cluster, isKnown ? left : Math.min(left, 100));
      }
    },
    whenReplaced(key, definition, then) {
      const domain = domains.get(textOf(key));
      const { group, version, resource } = definition;
      const isCurrent = (): boolean =>
        domains.get(textOf(key))?.set.definitions.get(definitionKey(group, version, resource)) === definition;
      const check = (): void => {
        if (isCurrent()) return;
        domain?.watchers.delete(check);
        then();
      };
      domain?.watchers.add(check);
      check();
      return () => domain?.watchers.delete(check);
    },
    refresh() {
      for (const domain of domains.values()) changed.add(domain);
      schedule();
    },
    stop() {
      isStopped = true;
      for (const stop of stops) stop();
      if (scheduled) clearImmediate(scheduled);
      for (const waits of [...waiting.values()]) for (const wake of [...waits]) wake();
    },
  };
}

const claimedIdentities = ({ spec }: ApiExport): ReadonlySet<string> =>
  new Set((spec?.permissionClaims ?? []).flatMap(({ identityHash }) => identityHash || []));

const sortKey = (exported: ApiExport): string => `${exported.metadata?.name} ${clusterOf(exported)}`;
