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

/** `subresources.scale` of a version of a CRD. */
export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
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
  /** A write of the status takes labels, annotations and finalizers along. Absent: it leaves all metadata as it is. */
  readonly statusWithMetadata?: boolean;
  /** `metadata.generation` counts the changes outside of metadata (and status). */
  readonly tracksGeneration: boolean;
  /** As `kubectl get` prints it, without the name. */
  readonly columns: readonly TableColumn[];
  /** The same for versions that are printed in another way. */
  readonly columnsByVersion?: Readonly<Record<string, readonly TableColumn[]>>;
  /** What discovery names; default `ALL_VERBS`. Others are refused with 405. */
  readonly verbs?: readonly string[];
  /** The hash of the APIExport that it comes from: wildcard requests must then name it, `<resource>:<identity>`. */
  readonly identity?: string;
  /** Objects are kept apart from those of the same name that have another identity. */
  readonly isolated?: boolean;
  /** Objects lie with those of another resource, which they are converted to. */
  readonly storedAs?: ResourceDefinition;
  /** The object in another apiVersion, where more than that differs. Must return a changed copy. */
  readonly convert?: (object: KubeObject, apiVersion: string) => KubeObject;
  /** Where the numbers of `/scale` are, by version: JSON paths, `.spec.replicas`. */
  readonly scale?: Readonly<Record<string, ScalePaths>>;
  /** What it comes from is being deleted: there are no new objects, and discovery shows what is left to do. */
  readonly isTerminating?: boolean;
  /** Answers a creation of `/token`: with what is in the body, and the object that the token is for. */
  readonly issueToken?: (request: KubeObject, object: KubeObject) => KubeObject;
  /** `openAPIV3Schema` by version, for OpenAPI and for server-side apply. */
  readonly schemas?: Readonly<Record<string, object>>;
  /** The logical cluster of the schema, which discovery's storageVersionHash depends on; empty for what the shard brings itself. */
  readonly schemaCluster?: string;
  /** Fields besides those of the metadata that a field selector may name. */
  readonly selectableFields?: SelectableFields;
  /** Puts defaults into what is written; called before `validate`. Must return a changed copy or the object itself. */
  readonly admit?: (object: KubeObject, write: Write) => KubeObject;
  /** The paths of fields that the schema does not know: `spec.extra`. */
  readonly unknownFields?: (object: KubeObject) => readonly string[];
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

/** The name of a kind of objects: `<group>/<resource>`, the group empty for the legacy one. */
export const resourceKey = ({ group, resource }: { readonly group: string; readonly resource: string }): string =>
  `${group}/${resource}`;

/** What the store knows a kind of objects by. */
export type StorageRef = Pick<ResourceDefinition, 'group' | 'resource'> &
  Partial<Pick<ResourceDefinition, 'identity' | 'isolated'>>;

/** The name of a kind of objects in the store: its `resourceKey`, followed by `:<identity>` where objects are kept apart by that. */
export const storageKey = (ref: StorageRef): string =>
  ref.isolated === true ? `${resourceKey(ref)}:${ref.identity}` : resourceKey(ref);

/** What a name in the store stands for. */
export function parseStorageKey(key: string): StorageRef {
  const slash = key.indexOf('/');
  const [resource = '', identity] = key.slice(slash + 1).split(':');
  return { group: key.slice(0, slash), resource, ...(identity !== undefined && { identity, isolated: true }) };
}

/** The definition under which the objects lie. */
export const storedDefinition = (definition: ResourceDefinition): ResourceDefinition => definition.storedAs ?? definition;

/** The apiVersion that objects are stored with. */
export function storedApiVersion({ group, versions }: ResourceDefinition): string {
  const [version = 'v1'] = versions;
  return group === '' ? version : `${group}/${version}`;
}
