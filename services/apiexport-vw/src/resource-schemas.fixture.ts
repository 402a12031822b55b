/** Test equipment: bindings, exports and schemas that a test changes, in informers without a server. */
import type { InformerEvent } from '@kcp-vw/shared/informer/informer.ts';
import { type Indexes, ObjectStore } from '@kcp-vw/shared/informer/store.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ApiBinding, ApiExport, ApiResourceSchema } from './apis-kcp-io.ts';

export class FakeInformer<T extends KubeObject> {
  readonly #store: ObjectStore<T>;
  readonly #listeners: ((event: InformerEvent<T>) => void)[] = [];
  isSynced = true;

  constructor(indexes: Indexes<T> = {}) {
    this.#store = new ObjectStore<T>(object => object as T, indexes);
  }

  synced = (): boolean => this.isSynced;
  get = (cluster: string, name: string): T | undefined => this.#store.get(`${cluster}//${name}`);
  list = (): T[] => this.#store.list();
  byIndex = (index: string, key: string): T[] => this.#store.byIndex(index, key);
  onEvent(listener: (event: InformerEvent<T>) => void): () => void {
    this.#listeners.push(listener);
    return () => undefined;
  }

  put(object: T): void {
    this.#emit(this.#store.put(this.#store.entry(object)));
  }

  remove(cluster: string, name: string): void {
    const object = this.get(cluster, name);
    if (object) this.#emit(this.#store.remove(this.#store.entry(object)));
  }

  /** As after a watch that was lost: all at once. */
  replace(objects: readonly T[]): void {
    this.#emit(this.#store.replace(objects.map(object => this.#store.entry(object))));
  }

  #emit(changes: readonly InformerEvent<T>[]): void {
    for (const change of changes) for (const listener of this.#listeners) listener(change);
  }
}

export class FakeSources {
  readonly bindings = new FakeInformer<ApiBinding>({ cluster: binding => [clusterOf(binding)] });
  readonly exports = new FakeInformer<ApiExport>();
  readonly schemas = new FakeInformer<ApiResourceSchema>();
}

let version = 0;

/** Of a new version; the same `uid` makes it the same object. */
function metadata(cluster: string, name: string, uid = `${cluster}-${name}`) {
  version += 1;
  return { name, uid, resourceVersion: String(version), annotations: { 'kcp.io/cluster': cluster } };
}

/** Binds `to`, `<logical cluster>/<export>`. */
export function binding(cluster: string, name: string, to: string, phase = 'Bound'): ApiBinding {
  const [provider = '', exportName = ''] = to.split('/');
  return {
    metadata: metadata(cluster, name),
    spec: { reference: { export: { path: 'root:a-path', name: exportName } } },
    status: { apiExportClusterName: provider, phase },
  };
}

export const apiExport = (cluster: string, name: string, schemas: readonly string[]): ApiExport => ({
  metadata: metadata(cluster, name),
  spec: { resources: schemas.map(schema => ({ group: 'example.dev', name: schema, schema })) },
});

export const schema = (cluster: string, name: string, uid?: string): ApiResourceSchema => ({
  apiVersion: 'apis.kcp.io/v1alpha1',
  kind: 'APIResourceSchema',
  metadata: metadata(cluster, name, uid),
  spec: {
    group: 'example.dev',
    names: { plural: 'cowboys', kind: 'Cowboy' },
    scope: 'Namespaced',
    versions: [{ name: 'v1', served: true, storage: true, schema: { type: 'object', description: name } }],
  },
});
