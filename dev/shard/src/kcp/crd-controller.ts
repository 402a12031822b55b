import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import type { ResourceDefinition } from '../store/definition.ts';
import type { ResourceSpec } from './api-objects.ts';
import { definitionFrom } from './bound-definitions.ts';
import type { Loopback } from './loopback.ts';
import { CUSTOM_RESOURCE_DEFINITIONS } from './refs.ts';
import { lockResources, unlockResources } from './resource-locks.ts';
import { logicalClusterOf } from './workspace-paths.ts';

interface CustomResourceDefinition extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: Omit<ResourceSpec, 'versions'> & {
    readonly versions: readonly (ResourceSpec['versions'][number] & {
      readonly schema?: { readonly openAPIV3Schema?: object };
    })[];
  };
}

/** What CRDs define in their logical clusters. Bindings come first: what is bound already is not defined again. */
export class CustomResources {
  readonly #objects: Loopback;
  /** By logical cluster and name of the CRD. */
  readonly #defined = new Map<string, { readonly spec: object; readonly definition: ResourceDefinition }>();

  constructor(objects: Loopback) {
    this.#objects = objects;
  }

  /** Serves what the CRD defines, and says so in its status; of one that is gone, deletes the objects. */
  reconcile(cluster: string, name: string): void {
    const crd = this.#objects.get<CustomResourceDefinition>(CUSTOM_RESOURCE_DEFINITIONS, cluster, name);
    if (crd === undefined) {
      this.#finish(cluster, name);
      return;
    }
    const served = this.#serve(cluster, name, crd.spec);
    const status = statusOf(crd, served);
    if (isDeepStrictEqual(status, crd.status)) return;
    this.#objects.updateStatus(CUSTOM_RESOURCE_DEFINITIONS, cluster, { ...crd, status });
  }

  #serve(cluster: string, name: string, spec: CustomResourceDefinition['spec']): boolean {
    const { registry } = this.#objects;
    const key = `${cluster}|${name}`;
    const known = this.#defined.get(key);
    if (known?.spec === spec) return registry.find(cluster, known.definition) === known.definition;
    const versions = spec.versions.map(version => ({ ...version, schema: version.schema?.openAPIV3Schema ?? {} }));
    const definition = definitionFrom({ ...spec, versions }, { schemaCluster: cluster });
    const present = registry.find(cluster, definition);
    if (present !== undefined && present !== known?.definition) return false;
    if (!this.#lock(cluster, definition)) return false;
    registry.add(cluster, definition);
    this.#defined.set(key, { spec, definition });
    return true;
  }

  #lock(cluster: string, { group, resource }: ResourceDefinition): boolean {
    const logicalCluster = logicalClusterOf(this.#objects, cluster);
    if (logicalCluster === undefined) return true;
    return lockResources(this.#objects, logicalCluster, { c: true }, [{ group, resource }]).size === 0;
  }

  #finish(cluster: string, name: string): void {
    const { store, registry } = this.#objects;
    const key = `${cluster}|${name}`;
    const definition = this.#defined.get(key)?.definition;
    if (definition === undefined) return;
    for (const { metadata = {} } of store.list(definition, { cluster }).items) {
      store.delete(definition, { cluster, name: metadata.name ?? '', namespace: metadata.namespace ?? '' });
    }
    if (registry.find(cluster, definition) === definition) registry.remove(cluster, definition);
    this.#defined.delete(key);
    const logicalCluster = logicalClusterOf(this.#objects, cluster);
    if (logicalCluster) unlockResources(this.#objects, logicalCluster, { c: true }, definition);
  }
}

interface CrdStatus {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  readonly storedVersions?: readonly string[];
}

/** The status as the API server's own controllers leave it: conditions in their order, times that change with their states only. */
function statusOf({ spec, status }: CustomResourceDefinition, isServed: boolean): object {
  const { conditions = [], storedVersions = [] } = (status ?? {}) as CrdStatus;
  const state = isServed ? 'True' : 'False';
  const condition = (type: string, reason: string, message: string): object => {
    const known = conditions.find(one => one.type === type && one.status === state);
    return known ?? { type, status: state, lastTransitionTime: `${new Date().toISOString().slice(0, 19)}Z`, reason, message };
  };
  const stored = spec.versions.filter(({ storage }) => storage).map(({ name }) => name);
  return {
    acceptedNames: spec.names,
    conditions: [
      condition('NamesAccepted', isServed ? 'NoConflicts' : 'PluralConflict', isServed ? 'no conflicts found' : 'already bound'),
      condition(
        'Established',
        isServed ? 'InitialNamesAccepted' : 'NotAccepted',
        isServed ? 'the initial names have been accepted' : 'not all names are accepted',
      ),
    ],
    storedVersions: [...new Set([...storedVersions, ...stored])],
  };
}
