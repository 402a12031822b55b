import { clusterOf, type KubeObject, PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import { type ResourceDefinition, resourceKey, type StorageRef } from '../store/definition.ts';
import type { Registry } from '../store/registry.ts';
import { type DeleteOptions, Store, type WriteOptions } from '../store/store.ts';

/** Reads what is stored, typed by the caller, since the store holds what it was given. */
export class StoreReader {
  readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  get<T extends KubeObject>(ref: StorageRef, cluster: string, name: string, namespace = ''): T | undefined {
    return this.store.get(ref, cluster, name, namespace) as T | undefined;
  }

  /** Of one logical cluster, or of all (`*`). */
  list<T extends KubeObject>(ref: StorageRef, cluster: string): readonly T[] {
    return this.store.list(ref, { cluster }).items as readonly KubeObject[] as readonly T[];
  }
}

/** What a shard knows: its own objects, and in the cache those that other shards let it know. */
export class Reader extends StoreReader {
  readonly cache: StoreReader;

  constructor(store: Store, cache: Store = new Store()) {
    super(store);
    this.cache = new StoreReader(cache);
  }

  /** The shard's own object, which is never stale, else the cache's. */
  find<T extends KubeObject>(ref: StorageRef, cluster: string, name: string): T | undefined {
    return this.get<T>(ref, cluster, name) ?? this.cache.get<T>(ref, cluster, name);
  }

  /** The object in the workspace with that path, or in the logical cluster of that name, wherever it is. */
  findByPath<T extends KubeObject>(ref: StorageRef, path: string, name: string): T | undefined {
    const isMeant = (object: KubeObject): boolean =>
      object.metadata?.name === name && (object.metadata.annotations?.[PATH_ANNOTATION] === path || clusterOf(object) === path);
    return this.list<T>(ref, '*').find(isMeant) ?? this.cache.list<T>(ref, '*').find(isMeant);
  }
}

/** How the shard's own controllers read and write: as masters do, past authorization and admission. */
export class Loopback extends Reader {
  readonly registry: Registry;
  readonly #known: ReadonlyMap<string, ResourceDefinition>;

  /** `known`: definitions for objects of logical clusters that do not serve them, or not any more. */
  constructor(store: Store, registry: Registry, known: readonly ResourceDefinition[], cache?: Store) {
    super(store, cache);
    this.registry = registry;
    this.#known = new Map(known.map(definition => [resourceKey(definition), definition]));
  }

  create(ref: StorageRef, cluster: string, object: KubeObject, options: WriteOptions = { keepStatus: true }): KubeObject {
    return this.store.create(this.#definition(ref, cluster), cluster, object, options);
  }

  update(ref: StorageRef, cluster: string, object: KubeObject): KubeObject {
    return this.store.update(this.#definition(ref, cluster), cluster, object);
  }

  updateStatus(ref: StorageRef, cluster: string, object: KubeObject): KubeObject {
    return this.store.updateStatus(this.#definition(ref, cluster), cluster, object);
  }

  /** Nothing happens to an object that does not exist. */
  delete(ref: StorageRef, cluster: string, name: string, namespace = '', options: DeleteOptions = {}): void {
    if (this.get(ref, cluster, name, namespace) === undefined) return;
    this.store.delete(this.#definition(ref, cluster), { cluster, namespace, name }, options);
  }

  #definition(ref: StorageRef, cluster: string): ResourceDefinition {
    const definition = this.registry.find(cluster, ref) ?? this.#known.get(resourceKey(ref));
    if (definition === undefined) throw new Error(`the shard knows no resource ${resourceKey(ref)}`);
    return definition;
  }
}
