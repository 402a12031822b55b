/** A resource in the version in which it is synced. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural. */
  readonly resource: string;
}

export const NAMESPACES: Resource = { group: '', version: 'v1', resource: 'namespaces' };
export const CONFIG_MAPS: Resource = { group: '', version: 'v1', resource: 'configmaps' };
export const SECRETS: Resource = { group: '', version: 'v1', resource: 'secrets' };
export const PODS: Resource = { group: '', version: 'v1', resource: 'pods' };
export const PERSISTENT_VOLUMES: Resource = { group: '', version: 'v1', resource: 'persistentvolumes' };

/** `deployments.apps`, `services`. */
export const nameOf = ({ group, resource }: Pick<Resource, 'group' | 'resource'>): string =>
  group ? `${resource}.${group}` : resource;

/** With the version: `deployments.apps/v1`. */
export const textOf = (resource: Resource): string => `${nameOf(resource)}/${resource.version}`;

export const isSame = (a: Pick<Resource, 'group' | 'resource'>, b: Pick<Resource, 'group' | 'resource'>): boolean =>
  a.group === b.group && a.resource === b.resource;

/** `/apis/apps/v1`, or `/api/v1`. */
export const versionPath = ({ group, version }: Pick<Resource, 'group' | 'version'>): string =>
  group ? `/apis/${group}/${version}` : `/api/${version}`;

/** Of the collection; without a namespace: of all. */
export const collectionPath = (resource: Resource, namespace = ''): string =>
  `${versionPath(resource)}${namespace && `/namespaces/${namespace}`}/${resource.resource}`;

export const objectPath = (resource: Resource, namespace: string, name: string): string =>
  `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;

/** Where an object is upstream; cluster-scoped ones have the empty namespace. */
export interface Place {
  /** Logical cluster. */
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
}

/** Of the object, below the URL of a virtual workspace. */
export const upstreamPath = (resource: Resource, { cluster, namespace, name }: Place): string =>
  `/clusters/${cluster}${objectPath(resource, namespace, name)}`;
