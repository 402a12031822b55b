import { type ApiResource, type GroupVersion, groupVersions } from './discovery.ts';

/** `/api` is about the legacy group, `/apis` about all others. */
export type DiscoveryRoot = '/api' | '/apis';
/** Versions of `apidiscovery.k8s.io`: the same shape. */
export type AggregatedVersion = 'v2' | 'v2beta1';

/** Everything that legacy discovery says below `root`, in one document: an `APIGroupDiscoveryList` (KEP-3352). */
export function aggregatedDiscovery(resources: readonly ApiResource[], root: DiscoveryRoot, version: AggregatedVersion): object {
  const members = groupVersions(resources).filter(one => (one.group === '') === (root === '/api'));
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: [...Map.groupBy(members, one => one.group)].map(([group, versions]) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versions.map(versionDiscovery),
    })),
  };
}

const versionDiscovery = (one: GroupVersion): object => ({
  version: one.version,
  resources: [...Map.groupBy(one.resources, ({ name }) => name.split('/', 1)[0] ?? '')].map(([name, entries]) =>
    resourceDiscovery(name, entries),
  ),
  freshness: 'Current',
});

/** A resource from its entries in legacy discovery: its own, and one for every subresource (`configmaps/status`). */
function resourceDiscovery(resource: string, entries: readonly ApiResource[]): object {
  const main = entries.find(entry => entry.name === resource);
  const subresources = entries.filter(entry => entry !== main).map(subresourceDiscovery);
  return {
    resource,
    // Without one, clients know that there are subresources only.
    ...(main && { responseKind: responseKind(main) }),
    scope: (main ?? entries[0])?.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: main?.singularName ?? '',
    verbs: main?.verbs ?? [],
    ...nonEmpty('shortNames', main?.shortNames),
    ...nonEmpty('categories', main?.categories),
    ...nonEmpty('subresources', subresources),
  };
}

const subresourceDiscovery = (entry: ApiResource): object => ({
  subresource: entry.name.slice(entry.name.indexOf('/') + 1),
  responseKind: responseKind(entry),
  verbs: entry.verbs ?? [],
});

const responseKind = ({ group, version, kind, kindGroup, kindVersion }: ApiResource): object => ({
  group: kindGroup ?? group,
  version: kindVersion ?? version,
  kind,
});

const nonEmpty = (name: string, items: readonly unknown[] | undefined): object =>
  items !== undefined && items.length > 0 ? { [name]: items } : {};
