import { createHash } from 'node:crypto';
import { type PreparedDocument, prepare } from './prepared.ts';
import type { TableColumn } from './table.ts';
import { compareVersions } from './versions.ts';

/** One resource (or subresource) of an API set, as discovery shows it. */
export interface ApiResource {
  /** Empty for the legacy group. */
  readonly group: string;
  readonly version: string;
  /** `secrets`, or `secrets/status` for a subresource. */
  readonly name: string;
  readonly singularName: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Null is what kcp shows for a subresource that is listed but not served: Go tells it from an empty list. */
  readonly verbs: readonly string[] | null;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
  readonly columns?: readonly TableColumn[];
  /** Of a subresource whose kind is not of the resource's own group version: `autoscaling/v1` for `scale`. */
  readonly kindGroup?: string;
  readonly kindVersion?: string;
  /** How OpenAPI describes it; absent: as an object of any fields. */
  readonly openapi?: ResourceOpenapi;
}

/** A CRD's `openAPIV3Schema`, or the parts of an OpenAPI v3 document that another server has made: paths, and components by their names. */
export type ResourceOpenapi =
  | { readonly schema: object }
  | { readonly paths: Readonly<Record<string, object>>; readonly components: Readonly<Record<string, object>> };

export interface GroupVersion {
  /** Empty for the legacy group. */
  readonly group: string;
  readonly version: string;
  /** In the order given. */
  readonly resources: readonly ApiResource[];
}

/** `v1`, or `apps/v1`: an object's apiVersion. */
export const apiVersionOf = ({ group, version }: { group: string; version: string }): string =>
  group === '' ? version : `${group}/${version}`;

/** `/api/v1`, or `/apis/apps/v1`: where a group version is served. */
export const groupVersionPath = ({ group, version }: { group: string; version: string }): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`;

/** Resources by group version: groups by alphabet, the versions of a group by Kubernetes' priority, resources as given. */
export function groupVersions(resources: readonly ApiResource[]): readonly GroupVersion[] {
  const byPath = Map.groupBy(resources, groupVersionPath);
  const found = [...byPath.values()].flatMap(members => {
    const [first] = members;
    return first === undefined ? [] : [{ group: first.group, version: first.version, resources: members }];
  });
  return found.sort((a, b) => compareText(a.group, b.group) || compareVersions(a.version, b.version));
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The legacy (not aggregated) discovery documents of a set of resources, by path: `/api`, `/apis`, `/api/<version>` where there are
 * resources of the legacy group, `/apis/<group>`, `/apis/<group>/<version>`. A path that is not in the map is a 404.
 *
 * `serverAddress` is the `host:port` that `/api` tells clients.
 */
export function discoveryDocuments(
  resources: readonly ApiResource[],
  serverAddress: string,
): ReadonlyMap<string, PreparedDocument> {
  const all = groupVersions(resources);
  const groups = [
    ...Map.groupBy(
      all.filter(one => one.group !== ''),
      one => one.group,
    ),
  ].map(([name, members]) => apiGroup(name, members));
  const documents = new Map<string, PreparedDocument>();
  documents.set('/api', prepare(apiVersions(serverAddress)));
  // The group list is always there: a set without resources is an empty list, not a 404.
  documents.set('/apis', prepare({ kind: 'APIGroupList', apiVersion: 'v1', groups }));
  for (const group of groups) documents.set(`/apis/${group.name}`, prepare({ ...typeMeta('APIGroup', group.name), ...group }));
  for (const one of all) documents.set(groupVersionPath(one), prepare(apiResourceList(one)));
  return documents;
}

/** Names v1 whatever is served: client-go then asks for `/api/v1` and takes its 404 for an empty list, as with kcp. */
const apiVersions = (serverAddress: string): object => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
});

/** Kubernetes answers for these groups without an apiVersion, as its release 1.1 did (`keepUnversioned`). */
const UNVERSIONED_GROUPS: ReadonlySet<string> = new Set(['', 'extensions']);

const typeMeta = (kind: string, group: string): object => (UNVERSIONED_GROUPS.has(group) ? { kind } : { kind, apiVersion: 'v1' });

function apiGroup(name: string, members: readonly GroupVersion[]): { name: string } {
  const versions = members.map(one => ({ groupVersion: apiVersionOf(one), version: one.version }));
  return { name, ...{ versions, preferredVersion: versions[0] } };
}

const apiResourceList = (one: GroupVersion): object => ({
  ...typeMeta('APIResourceList', one.group),
  groupVersion: apiVersionOf(one),
  resources: one.resources.map(apiResource),
});

/** The fields in Go's order; `omitempty` ones only when they hold something. */
function apiResource(resource: ApiResource): object {
  const { name, singularName, namespaced, kind, verbs, shortNames = [], categories = [], storageVersionHash = '' } = resource;
  const { kindGroup = '', kindVersion = '' } = resource;
  return {
    ...{ name, singularName, namespaced },
    ...(kindGroup !== '' && { group: kindGroup }),
    ...(kindVersion !== '' && { version: kindVersion }),
    ...{ kind, verbs },
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(storageVersionHash !== '' && { storageVersionHash }),
  };
}

/** kcp's `StorageVersionHash`; `cluster` is the logical cluster of the schema, empty for kcp's own system types. */
export function storageVersionHash(group: string, version: string, kind: string, cluster = ''): string {
  return createHash('sha256').update(`${cluster}/${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64');
}
