import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import type { SelectableFields } from '@kcp-vw/shared/kube/field-selectors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { TableColumn } from '@kcp-vw/shared/kube/table.ts';

/** A write on its way to the store, as admission sees it. */
export interface Write {
  readonly verb: 'create' | 'update' | 'delete';
  /** Empty for the object itself. */
  readonly subresource: '' | 'status';
  readonly cluster: string;
  readonly user: Identity;
  /** What is stored now; absent when the object is created. */
  readonly previous?: KubeObject;
  readonly dryRun: boolean;
}

/** One kind of objects: what discovery shows of it, and the rules its objects obey. Stored under `<group>/<resource>`. */
export interface ResourceDefinition {
  /** Empty for the legacy group. */
  readonly group: string;
  /** The served versions, best first. Objects differ in their apiVersion only. */
  readonly versions: readonly string[];
  /** Plural and lower case: `configmaps`. */
  readonly resource: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly categories?: readonly string[];
  readonly shortNames?: readonly string[];
  /** Defined by a CRD, as kcp's own types are: no strategic merge patch, and no update without a resourceVersion. */
  readonly custom: boolean;
  /** The status is written under `/status` only, and nothing else is written there. */
  readonly statusSubresource: boolean;
  /** `metadata.generation` counts the changes outside of metadata (and status). */
  readonly tracksGeneration: boolean;
  /** As `kubectl get` prints it, without the name. */
  readonly columns: readonly TableColumn[];
  /** What discovery names; default `ALL_VERBS`. Others are refused with 405. */
  readonly verbs?: readonly string[];
  /** The hash of the APIExport that it comes from: wildcard requests must then name it, `<resource>:<identity>`. */
  readonly identity?: string;
  /** The logical cluster of the schema, which discovery's storageVersionHash depends on; empty for what the shard brings itself. */
  readonly schemaCluster?: string;
  /** Fields besides those of the metadata that a field selector may name. */
  readonly selectableFields?: SelectableFields;
  /** What makes an item of a list, by the list's path, for server-side apply: `{'status.endpoints': ['instance']}`. */
  readonly listMapKeys?: Readonly<Record<string, readonly string[]>>;
  /** Puts defaults into what is written; called before `validate`. Must return a changed copy or the object itself. */
  readonly admit?: (object: KubeObject, write: Write) => KubeObject;
  /** Throws a StatusError, 422 for an object that its schema does not allow. */
  readonly validate?: (object: KubeObject, previous: KubeObject | undefined) => void;
  /** Besides `metadata.finalizers`: true keeps a deleted object until it is updated to something that is not held. */
  readonly isHeld?: (object: KubeObject) => boolean;
  /** What a deletion that has to wait changes in the object: a namespace becomes Terminating. */
  readonly whenDeleting?: (object: KubeObject) => KubeObject;
  /** For reviews: creating one answers with this and stores nothing. */
  readonly evaluate?: (object: KubeObject, write: Write) => KubeObject | Promise<KubeObject>;
}

export const ALL_VERBS: readonly string[] = Object.freeze([
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]);

/** The name of a kind of objects in the store: `<group>/<resource>`, the group empty for the legacy one. */
export const resourceKey = ({ group, resource }: { readonly group: string; readonly resource: string }): string =>
  `${group}/${resource}`;

/** The apiVersion that objects are stored with. */
export function storedApiVersion({ group, versions }: ResourceDefinition): string {
  const [version = 'v1'] = versions;
  return group === '' ? version : `${group}/${version}`;
}
