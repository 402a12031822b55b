import type { InformerEvent } from '@kcp-vw/shared/informer/informer.ts';
import { CLUSTER_ANNOTATION, clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Metrics } from '@kcp-vw/shared/observe/metrics.ts';
import { GROUP, identityOf, RESOURCE, type SyncTarget, VERSION } from '../controllers/sync-target.ts';
import type { SyncTargetKey } from '../transform/names.ts';
import { syncTargetKey } from '../transform/sync-target-key.ts';
import { type FollowedCollection, type FollowingTiming, followCollection, isSettled, observed } from './followed-collection.ts';
import type { Shards, SyncTargetChange, SyncTargets } from './knowledge.ts';
import { type Connections, exportUrl, type KnownExport, type KnownSyncTarget } from './knowledge.ts';
import { createListeners } from './listeners.ts';

export interface FollowedSyncTargets extends SyncTargets {
  /** To be called when `workload` may have another answer. */
  refresh(): void;
  stop(): void;
}

export interface SyncTargetsOptions extends FollowingTiming {
  readonly shards: Pick<Shards, 'list' | 'bases' | 'missing' | 'onChange'>;
  readonly connections: Pick<Connections, 'at'>;
  /** The export of SyncTargets; undefined: it is not known yet. */
  readonly workload: () => Pick<KnownExport, 'cluster' | 'name'> | undefined;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  readonly observe?: Metrics['observeInformer'];
}

const PATH = `/clusters/*/apis/${GROUP}/${VERSION}/${RESOURCE}`;

/** The SyncTargets of one shard. */
interface Source {
  /** The shards that have it, by name. */
  names: ReadonlySet<string>;
  base: string;
  /** All of the export's objects there. */
  url: string;
  collection: FollowedCollection<SyncTarget>;
  /** What was taken over from another address has been looked through. */
  isSwept: boolean;
}

interface Owned {
  readonly known: KnownSyncTarget;
  readonly source: Source;
}

const placeOf = (cluster: string, name: string): string => `${cluster}/${name}`;

/** Follows the SyncTargets of all shards, through the export that they are of. */
export function createSyncTargets(options: SyncTargetsOptions): FollowedSyncTargets {
  const { shards, connections, workload, log, observe, ...timing } = options;
  const owned = new Map<string, Owned>();
  const byKey = new Map<SyncTargetKey, KnownSyncTarget>();
  let sources: Source[] = [];
  /** By the names of shards that went: what they had, which nobody has seen to go. `*`: more than is known. */
  const lost = new Map<string, Set<string>>();
  const listeners = createListeners<SyncTargetChange>(err => log.warn({ err }, 'a listener to SyncTargets failed'));

  const tell = (type: SyncTargetChange['type'], target: KnownSyncTarget): void => listeners.tell({ type, target });

  function put(source: Source, object: SyncTarget): void {
    const identity = identityOf(object);
    const place = placeOf(identity.cluster, identity.name);
    const before = owned.get(place);
    const key = before?.known.key ?? syncTargetKey(identity);
    const known: KnownSyncTarget = Object.freeze({ identity: Object.freeze(identity), key, object, base: source.base });
    if (before && before.known.identity.uid !== identity.uid) drop(place, before);
    const isNew = !owned.has(place);
    owned.set(place, { known, source });
    byKey.set(key, known);
    for (const [shard, places] of lost) if (places.delete(place) && places.size === 0) lost.delete(shard);
    tell(isNew ? 'ADDED' : 'MODIFIED', known);
  }

  function drop(place: string, { known }: Owned): void {
    owned.delete(place);
    byKey.delete(known.key);
    tell('DELETED', known);
  }

  const onEvent = (source: Source, { type, object }: InformerEvent<SyncTarget>): void => {
    if (type !== 'DELETED') {
      put(source, object);
      return;
    }
    const place = placeOf(clusterOf(object), object.metadata?.name ?? '');
    const found = owned.get(place);
    // Its logical cluster may have been moved to another shard.
    if (found?.source !== source || found.known.identity.uid !== object.metadata?.uid) return;
    drop(place, { ...found, known: { ...found.known, object } });
  };

  /** What a shard had under an address that it has no more, and does not have now. */
  function sweep(source: Source): void {
    const { standing, isGivenUp } = source.collection;
    if (source.isSwept || (standing !== 'current' && !isGivenUp)) return;
    source.isSwept = true;
    for (const [place, found] of owned) {
      const { cluster, name } = found.known.identity;
      if (found.source === source && source.collection.get(cluster, name) === undefined) drop(place, found);
    }
  }

  /** `sourceOf` is not asked before the next turn. */
  function follow(base: string, url: string, sourceOf: () => Source): FollowedCollection<SyncTarget> {
    return followCollection<SyncTarget>({
      ...{ ...timing, log, mayBeAbsent: true, project: keptOf, name: RESOURCE },
      ...{ upstream: connections.at(base, 'control'), path: `${url.slice(base.length)}${PATH}` },
      onEvent: event => onEvent(sourceOf(), event),
      onChange: () => sweep(sourceOf()),
    });
  }

  const begin = (base: string, url: string, names: ReadonlySet<string>): Source => {
    const source: Source = { names, base, url, isSwept: true, collection: follow(base, url, () => source) };
    for (const name of names) lost.delete(name);
    return source;
  };

  /** The shard has another address: what it had counts until it is known what it has there. */
  function move(source: Source, base: string, url: string): void {
    source.collection.stop();
    Object.assign(source, { base, url, isSwept: false, collection: follow(base, url, () => source) });
  }

  function end(source: Source): void {
    const isSure = isCertain(source);
    source.collection.stop();
    const had = [...owned].filter(([, found]) => found.source === source);
    const places = new Set(had.map(([place]) => place));
    if (!isSure) places.add('*');
    if (places.size > 0) for (const name of source.names) lost.set(name, new Set(places));
    for (const [place, found] of had) drop(place, found);
    log.warn({ shards: [...source.names], targets: had.length }, 'a shard is followed no more: its SyncTargets are gone');
  }

  /** One address may be that of several shards. */
  function refresh(): void {
    const exported = workload();
    if (exported === undefined) return;
    const wanted = new Map<string, Set<string>>();
    for (const [name, base] of shards.bases()) wanted.set(base, (wanted.get(base) ?? new Set()).add(name));
    const gone = sources.filter(({ base }) => !wanted.has(base));
    const kept = sources.filter(({ base }) => wanted.has(base));
    const next: Source[] = [];
    for (const [base, names] of wanted) {
      const url = exportUrl(base, exported);
      const same = kept.find(source => source.base === base);
      const moved = same ?? gone.find(source => [...source.names].some(name => names.has(name)));
      if (moved === undefined) next.push(begin(base, url, names));
      else {
        if (gone.includes(moved)) gone.splice(gone.indexOf(moved), 1);
        moved.names = names;
        for (const name of names) lost.delete(name);
        if (moved.url !== url) move(moved, base, url);
        next.push(moved);
      }
    }
    sources = next;
    for (const source of gone) end(source);
  }

  observe?.(RESOURCE, () => observed(sources.map(({ collection }) => collection)));
  const stopListening = shards.onChange(refresh);
  refresh();

  return {
    refresh,
    missing() {
      if (workload() === undefined) return 'the export of SyncTargets';
      const noShards = shards.bases().size === 0 ? (shards.missing() ?? 'a shard with an address') : undefined;
      if (noShards !== undefined) return noShards;
      // That it is forbidden is a fault of the installation, and all SyncTargets would seem to be gone.
      const waiting = sources.find(({ collection }) => !isSettled(collection) || isUnreadable(collection));
      return waiting && `the SyncTargets of ${[...waiting.names].join(', ')}`;
    },
    get: (cluster, name) => owned.get(placeOf(cluster, name))?.known,
    byKey: key => byKey.get(key),
    list: () => [...owned.values()].map(({ known }) => known),
    complete: () =>
      // A shard without an address that can be used is not followed.
      sources.length > 0 && shards.list().length === shards.bases().size && lost.size === 0 && sources.every(isCertain),
    onChange: listeners.add,
    stop() {
      stopListening();
      for (const source of sources) source.collection.stop();
      sources = [];
    },
  };
}

const isUnreadable = (collection: FollowedCollection<SyncTarget>): boolean =>
  collection.standing === 'forbidden' && collection.list().length === 0;

const isCertain = ({ collection, isSwept }: Source): boolean =>
  (isSwept && collection.standing === 'current') || collection.standing === 'absent';

/** Without what nothing here reads: of everybody's SyncTargets a quarter of a megabyte of annotations each would be kept. */
function keptOf(object: KubeObject): SyncTarget {
  const { managedFields: _, annotations: __, ...metadata } = object.metadata ?? {};
  const annotations = { [CLUSTER_ANNOTATION]: clusterOf(object) };
  return Object.freeze({ ...object, metadata: { ...metadata, annotations } }) as SyncTarget;
}
