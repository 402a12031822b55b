import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { notFound, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject, ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import { type ResourceDefinition, type StorageRef, storageKey } from './definition.ts';
import { type Change, EventLog } from './event-log.ts';
import { deepFreeze } from './json.ts';
import { desiredState, generatedName, type Place, storedObject, timestamp } from './metadata.ts';
import {
  alreadyExists,
  invalidFields,
  modified,
  type Preconditions,
  refuseNewFinalizers,
  refuseUnlessMeant,
} from './refusals.ts';
import { SortedObjects } from './sorted-objects.ts';

export interface StoreOptions {
  /** Changes kept for watches that resume; default 4,096. */
  readonly window?: number;
  /** The version before the first change; default 1,000: what is older counts as compacted, as on a shard that has been running. */
  readonly firstVersion?: number;
  readonly now?: () => Date;
}

/** What is listed: of one logical cluster or of all (`*`), in one namespace or (empty) in all. */
export interface Scope {
  readonly cluster: string;
  readonly namespace?: string;
}

export interface Listing {
  readonly resourceVersion: string;
  /** Sorted by (logical cluster, namespace, name). Frozen objects. */
  readonly items: readonly KubeObject[];
}

export interface WriteOptions {
  /** Everything is done but storing; the version stays the one of before. Default false. */
  readonly dryRun?: boolean;
  /** A created object keeps its status, though that is a subresource: for controllers. Default false. */
  readonly keepStatus?: boolean;
  /** A created object has this uid: for copies. Default: a new one. */
  readonly uid?: string;
}

export interface DeleteOptions extends WriteOptions {
  readonly preconditions?: Preconditions;
}

/**
 * All objects of a shard, by resource, logical cluster, namespace and name, under one sequence of versions.
 *
 * Objects go in as given and come out frozen, with the logical cluster in their annotations; clone before changing. Refusals are
 * StatusErrors with Kubernetes' texts. Writes check what the store itself is about (names, versions, uids, finalizers): admission and
 * schemas are the API's, so that controllers may write what clients may not.
 */
export class Store {
  readonly #log: EventLog;
  readonly #now: () => Date;
  readonly #resources = new Map<string, Map<string, SortedObjects>>();

  constructor({ window = 4096, firstVersion = 1_000, now = () => new Date() }: StoreOptions = {}) {
    this.#log = new EventLog(window, firstVersion);
    this.#now = now;
  }

  /** The version of the newest change. */
  get resourceVersion(): string {
    return String(this.#log.head);
  }

  get watchers(): number {
    return this.#log.listeners;
  }

  get(ref: StorageRef, cluster: string, name: string, namespace = ''): KubeObject | undefined {
    return this.#resources.get(storageKey(ref))?.get(cluster)?.get(namespace, name);
  }

  list(ref: StorageRef, { cluster, namespace = '' }: Scope): Listing {
    const clusters = this.#resources.get(storageKey(ref));
    const items =
      cluster === '*'
        ? [...(clusters?.keys() ?? [])].sort().flatMap(one => clusters?.get(one)?.list(namespace) ?? [])
        : (clusters?.get(cluster)?.list(namespace) ?? []);
    return { resourceVersion: this.resourceVersion, items };
  }

  /** Every object of a logical cluster, whatever its kind. */
  contents(cluster: string): readonly { readonly resource: string; readonly object: KubeObject }[] {
    return [...this.#resources].flatMap(([resource, clusters]) =>
      (clusters.get(cluster)?.list('') ?? []).map(object => ({ resource, object })),
    );
  }

  create(definition: ResourceDefinition, cluster: string, object: KubeObject, options: WriteOptions = {}): KubeObject {
    const { generateName = '', resourceVersion } = object.metadata ?? {};
    const namespace = definition.namespaced ? (object.metadata?.namespace ?? '') : '';
    if (resourceVersion) throw new StatusError('InternalError', 'resourceVersion should not be set on objects to be created');
    const name =
      object.metadata?.name || (typeof generateName === 'string' && generateName !== '' && generatedName(generateName));
    if (!name) throw nameRequired(definition);
    if (this.get(definition, cluster, name, namespace) !== undefined) throw alreadyExists(definition, name);
    const proposed = storedObject(definition, { cluster, namespace, name }, object, {
      uid: options.uid ?? randomUUID(),
      creationTimestamp: timestamp(this.#now()),
      generation: definition.tracksGeneration ? 1 : undefined,
      deletionTimestamp: undefined,
    });
    if (definition.statusSubresource && options.keepStatus !== true) delete proposed.status;
    return this.#put(definition, { cluster, namespace, name }, proposed, undefined, options);
  }

  /** Replaces all but the status, where that is a subresource. An object without resourceVersion replaces whatever there is. */
  update(definition: ResourceDefinition, cluster: string, object: KubeObject, options: WriteOptions = {}): KubeObject {
    const { place, previous } = this.#meant(definition, cluster, object);
    refuseNewFinalizers(definition, place.name, previous, object);
    const { status: _status, ...withoutStatus } = object;
    const given = definition.statusSubresource
      ? { ...withoutStatus, ...(previous.status !== undefined && { status: previous.status }) }
      : object;
    const isChanged = !isDeepStrictEqual(desiredState(definition, given), desiredState(definition, previous));
    const proposed = storedObject(definition, place, given, {
      ...serverFields(previous),
      generation: definition.tracksGeneration ? generationOf(previous) + Number(isChanged) : undefined,
    });
    return this.#put(definition, place, proposed, previous, options);
  }

  /** Replaces the status, with those who manage it, and nothing else but the metadata where that goes along. */
  updateStatus(definition: ResourceDefinition, cluster: string, object: KubeObject, options: WriteOptions = {}): KubeObject {
    const { place, previous } = this.#meant(definition, cluster, object);
    const { status: _status, ...rest } = previous;
    const { managedFields = previous.metadata?.managedFields } = object.metadata ?? {};
    if (definition.statusWithMetadata) refuseNewFinalizers(definition, place.name, previous, object);
    const metadata = { ...(definition.statusWithMetadata ? object.metadata : previous.metadata), managedFields };
    const given = { ...rest, metadata, ...(object.status !== undefined && { status: object.status }) };
    const proposed = storedObject(definition, place, given, serverFields(previous));
    return this.#put(definition, place, proposed, previous, options);
  }

  /**
   * Deletes the object, or marks it as being deleted as long as it has finalizers. Returns its last state; `gone` tells which.
   */
  delete(
    definition: ResourceDefinition,
    { cluster, namespace, name }: Place,
    { preconditions = {}, dryRun = false }: DeleteOptions = {},
  ): { readonly object: KubeObject; readonly gone: boolean } {
    const previous = this.get(definition, cluster, name, namespace);
    if (previous === undefined) throw notFound(definition, name);
    refuseUnlessMeant(definition, name, previous, preconditions);
    const place = { cluster, namespace, name };
    if (!isHeld(definition, previous))
      return { object: dryRun ? previous : this.#remove(definition, place, previous), gone: true };
    if (previous.metadata?.deletionTimestamp !== undefined) return { object: previous, gone: false };
    const proposed = storedObject(definition, place, definition.whenDeleting?.(previous) ?? previous, {
      ...serverFields(previous),
      generation: definition.tracksGeneration ? generationOf(previous) + 1 : undefined,
      deletionTimestamp: timestamp(this.#now()),
    });
    return { object: this.#put(definition, place, proposed, previous, { dryRun }), gone: false };
  }

  /** The changes after a version, oldest first. Throws a StatusError 410 when they are not all known any more. */
  changesSince(resourceVersion: string): readonly Change[] {
    return this.#log.since(Number(resourceVersion));
  }

  /**
   * Hears every change, in order, after it is committed and before the writer gets its answer; a change made by a listener is told after
   * the one that it heard. The returned function ends it.
   */
  onChange(listener: (change: Change) => void): () => void {
    return this.#log.listen(listener);
  }

  /** Forgets the history, as a compaction does: older versions are answered 410 from now on. */
  compact(): void {
    this.#log.compact();
  }

  #meant(definition: ResourceDefinition, cluster: string, object: KubeObject): { place: Place; previous: KubeObject } {
    const { name = '', resourceVersion, uid } = object.metadata ?? {};
    const namespace = definition.namespaced ? (object.metadata?.namespace ?? '') : '';
    const previous = this.get(definition, cluster, name, namespace);
    if (previous === undefined) throw notFound(definition, name);
    if (uid) refuseUnlessMeant(definition, name, previous, { uid });
    if (resourceVersion && resourceVersion !== previous.metadata?.resourceVersion) throw modified(definition, name);
    return { place: { cluster, namespace, name }, previous };
  }

  #put(
    definition: ResourceDefinition,
    place: Place,
    proposed: KubeObject & { metadata: ObjectMeta },
    previous: KubeObject | undefined,
    { dryRun = false }: WriteOptions,
  ): KubeObject {
    if (previous !== undefined) {
      proposed.metadata = { ...proposed.metadata, resourceVersion: previous.metadata?.resourceVersion ?? '' };
      // What changes nothing is no change: it gets no version, and nobody is told.
      if (isDeepStrictEqual(proposed, previous)) return previous;
    }
    const isOver = previous?.metadata?.deletionTimestamp !== undefined && !isHeld(definition, proposed);
    if (dryRun) return deepFreeze(proposed);
    if (isOver && previous !== undefined) {
      this.#remove(definition, place, previous);
      return deepFreeze(proposed);
    }
    const resource = storageKey(definition);
    const change = this.#log.append(resourceVersion => {
      proposed.metadata = { ...proposed.metadata, resourceVersion };
      const object = deepFreeze(proposed);
      return previous === undefined
        ? { type: 'ADDED', ...place, resource, object, resourceVersion }
        : { type: 'MODIFIED', ...place, resource, object, previous, resourceVersion };
    });
    this.#objects(resource, place.cluster).set(place.namespace, place.name, change.object);
    this.#log.tell();
    return change.object;
  }

  /** The last state with the version of its end, as a watcher sees it. */
  #remove(definition: ResourceDefinition, place: Place, previous: KubeObject): KubeObject {
    const resource = storageKey(definition);
    const { object } = this.#log.append(resourceVersion => {
      const last = deepFreeze({ ...previous, metadata: { ...previous.metadata, resourceVersion } });
      return { type: 'DELETED', ...place, resource, object: last, previous, resourceVersion };
    });
    const clusters = this.#resources.get(resource);
    const objects = clusters?.get(place.cluster);
    objects?.delete(place.namespace, place.name);
    if (objects?.size === 0) clusters?.delete(place.cluster);
    this.#log.tell();
    return object;
  }

  #objects(resource: string, cluster: string): SortedObjects {
    const clusters = this.#resources.get(resource) ?? new Map<string, SortedObjects>();
    const objects = clusters.get(cluster) ?? new SortedObjects();
    this.#resources.set(resource, clusters.set(cluster, objects));
    return objects;
  }
}

const generationOf = ({ metadata }: KubeObject): number => (typeof metadata?.generation === 'number' ? metadata.generation : 0);

/** What an update takes over from the object that it replaces. */
const serverFields = (previous: KubeObject) => ({
  uid: previous.metadata?.uid ?? '',
  creationTimestamp: previous.metadata?.creationTimestamp ?? '',
  generation: typeof previous.metadata?.generation === 'number' ? previous.metadata.generation : undefined,
  deletionTimestamp: previous.metadata?.deletionTimestamp ?? undefined,
});

const isHeld = (definition: ResourceDefinition, object: KubeObject): boolean =>
  (object.metadata?.finalizers ?? []).length > 0 || definition.isHeld?.(object) === true;

const nameRequired = (definition: ResourceDefinition): StatusError =>
  invalidFields(definition, '', [
    { reason: 'FieldValueRequired', field: 'metadata.name', message: 'Required value: name or generateName is required' },
  ]);
