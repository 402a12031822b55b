import type { ResourceRef } from './errors.ts';

/**
 * How the fields of a built-in type merge, as the tags `patchStrategy` and `patchMergeKey` of its Go struct say. Fields that are not
 * named: maps merge, lists are replaced.
 */
export interface MapSchema {
  readonly maps?: Readonly<Record<string, MapSchema>>;
  readonly lists?: Readonly<Record<string, ListSchema>>;
}

/** A list that is merged: of maps by the value of `key`, without it of plain values, each of them once. */
export interface ListSchema {
  readonly key?: string;
}

const OBJECT_META: MapSchema = { lists: { finalizers: {}, ownerReferences: { key: 'uid' } } };
const ONLY_METADATA: MapSchema = { maps: { metadata: OBJECT_META } };

/** Of k8s.io/api/core/v1, by resource. Lists without tags are a Namespace's `spec.finalizers` and a ServiceAccount's `imagePullSecrets`. */
const CORE_V1: ReadonlyMap<string, MapSchema> = new Map<string, MapSchema>([
  ['configmaps', ONLY_METADATA],
  ['secrets', ONLY_METADATA],
  ['serviceaccounts', { ...ONLY_METADATA, lists: { secrets: { key: 'name' } } }],
  ['namespaces', { maps: { metadata: OBJECT_META, status: { lists: { conditions: { key: 'type' } } } } }],
]);

/** Undefined: strategic merge patches of the resource are not known here. */
export const strategicSchema = ({
  group,
  resource,
  version,
}: ResourceRef & { readonly version: string }): MapSchema | undefined =>
  group === '' && version === 'v1' ? CORE_V1.get(resource) : undefined;
