import type { KubeList, KubeObject, ListMeta, ObjectMeta } from './objects.ts';

/** The versions of meta.k8s.io that clients ask for. */
export type MetaVersion = 'v1' | 'v1beta1';

export interface PartialObjectMetadata extends KubeObject {
  readonly kind: 'PartialObjectMetadata';
  readonly apiVersion: `meta.k8s.io/${MetaVersion}`;
  readonly metadata: ObjectMeta;
}

export interface PartialObjectMetadataList {
  readonly kind: 'PartialObjectMetadataList';
  readonly apiVersion: `meta.k8s.io/${MetaVersion}`;
  readonly metadata: ListMeta;
  readonly items: readonly PartialObjectMetadata[];
}

export interface PartialOptions {
  /** Default `v1`. */
  readonly version?: MetaVersion;
  /** The request was for `/clusters/*`: kcp then notes the object's own apiVersion. Default false. */
  readonly wildcard?: boolean;
}

/** kcp sets it on partial objects of wildcard requests, so that a client knows how to address the object. */
export const ORIGINAL_API_VERSION_ANNOTATION = 'kcp.io/original-api-version';

/** An object reduced to its metadata (which is shared with it, not copied). */
export function partialObjectMetadata(object: KubeObject, options: PartialOptions = {}): PartialObjectMetadata {
  const { version = 'v1', wildcard = false } = options;
  const metadata = object.metadata ?? {};
  const noted = metadata.annotations?.[ORIGINAL_API_VERSION_ANNOTATION];
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: wildcard && !noted ? withOriginalVersion(metadata, object.apiVersion ?? '') : metadata,
  };
}

const withOriginalVersion = (metadata: ObjectMeta, apiVersion: string): ObjectMeta => ({
  ...metadata,
  annotations: { ...metadata.annotations, [ORIGINAL_API_VERSION_ANNOTATION]: apiVersion },
});

/** A list reduced to the metadata of its items. */
export function partialObjectMetadataList(list: KubeList, options: PartialOptions = {}): PartialObjectMetadataList {
  return {
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${options.version ?? 'v1'}`,
    metadata: list.metadata ?? {},
    items: list.items.map(item => partialObjectMetadata(item, options)),
  };
}
