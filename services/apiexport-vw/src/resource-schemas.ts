import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { expired } from '@kcp-vw/shared/kube/errors.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import type { Collection } from '@kcp-vw/shared/view/collection.ts';
import type { ApiResourceSchema } from './apis-kcp-io.ts';
import { boundSchemas, exportKey, keyOf, type SchemaSources, schemaKey } from './resource-schemas-bound.ts';
import { createSchemaCollection, runAll, SCHEMA_COLLECTION, type SchemaCollection } from './resource-schemas-collection.ts';

export interface ResourceSchemasOptions {
  readonly clock?: Clock;
  /** How long a collection that nobody watches is kept for whoever comes back with a resourceVersion, milliseconds; default 10 minutes. */
  readonly unwatchedLifetime?: number;
  /** How many such are kept; default 1,000. Those that are watched are bounded by the watches that this server takes. */
  readonly maxUnwatched?: number;
}

/** The schemas that consumers have bound: a live collection for each logical cluster that is asked about. */
export interface ResourceSchemas {
  /**
   * Made when it is not there. It is let go when nobody has watched it or asked for it for a while; its resourceVersions are `Expired`
   * then, as are those of another process.
   */
  of(consumer: string): Collection<ApiResourceSchema>;
  /** Collections that are there. */
  readonly size: number;
}

interface Kept extends SchemaCollection {
  readonly consumer: string;
  /** Keys of what the content was made from. */
  readFrom: ReadonlySet<string>;
  watchers: number;
  usedAt: number;
}

/** Follows the sources for as long as they run; they must have synced before the first collection is asked for. */
export function followResourceSchemas(sources: SchemaSources, options: ResourceSchemasOptions = {}): ResourceSchemas {
  const { clock = systemClock, unwatchedLifetime = 600_000, maxUnwatched = 1_000 } = options;
  const byConsumer = new Map<string, Kept>();
  /** The one that was used last is last. */
  const unwatched = new Set<Kept>();
  const readers = new Map<string, Set<Kept>>();

  const setReadFrom = (kept: Kept, keys: ReadonlySet<string>): void => {
    for (const key of kept.readFrom) {
      if (keys.has(key)) continue;
      readers.get(key)?.delete(kept);
      if (readers.get(key)?.size === 0) readers.delete(key);
    }
    for (const key of keys) readers.set(key, (readers.get(key) ?? new Set()).add(kept));
    kept.readFrom = keys;
  };
  const refresh = (kept: Kept): void => {
    const { byName, readFrom } = boundSchemas(kept.consumer, sources);
    setReadFrom(kept, readFrom);
    kept.replace(byName);
  };
  const markUsed = (kept: Kept): void => {
    kept.usedAt = clock.now();
    unwatched.delete(kept);
    if (kept.watchers === 0) unwatched.add(kept);
  };
  /** With every request and every change: nothing grows while there are neither. */
  const letGo = (): void => {
    for (const kept of unwatched) {
      if (clock.now() - kept.usedAt < unwatchedLifetime && unwatched.size <= maxUnwatched) return;
      unwatched.delete(kept);
      byConsumer.delete(kept.consumer);
      setReadFrom(kept, new Set());
    }
  };

  const make = (consumer: string): Kept => {
    const kept: Kept = { ...createSchemaCollection(), consumer, readFrom: new Set(), watchers: 0, usedAt: 0 };
    refresh(kept);
    byConsumer.set(consumer, kept);
    return kept;
  };
  const watch = (
    kept: Kept,
    ...[resourceVersion, listener]: Parameters<Collection<ApiResourceSchema>['watch']>
  ): (() => void) => {
    // Nothing would ever come.
    if (byConsumer.get(kept.consumer) !== kept) throw expired(`too old resource version: ${resourceVersion}`);
    const stop = kept.collection.watch(resourceVersion, listener);
    kept.watchers += 1;
    markUsed(kept);
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      stop();
      kept.watchers -= 1;
      markUsed(kept);
    };
  };

  const changed = (affected: Iterable<Kept>): void => {
    letGo();
    runAll([...affected].map(kept => () => refresh(kept)));
  };
  sources.bindings.onEvent(({ object }) => {
    const kept = byConsumer.get(clusterOf(object));
    changed(kept ? [kept] : []);
  });
  sources.exports.onEvent(({ object }) => changed(readers.get(keyOf(exportKey, object)) ?? []));
  sources.schemas.onEvent(({ object }) => changed(readers.get(keyOf(schemaKey, object)) ?? []));

  return {
    of(consumer) {
      const kept = byConsumer.get(consumer) ?? make(consumer);
      markUsed(kept);
      letGo();
      return {
        ...SCHEMA_COLLECTION,
        list: kept.collection.list,
        get: kept.collection.get,
        watch: (...parameters) => watch(kept, ...parameters),
      };
    },
    get size() {
      return byConsumer.size;
    },
  };
}
