import { type ApiResource, storageVersionHash } from '@kcp-vw/shared/kube/discovery.ts';
import type { TableColumn } from '@kcp-vw/shared/kube/table.ts';

const COLUMNS: readonly TableColumn[] = [
  {
    name: 'Phase',
    type: 'string',
    description: 'The current phase (e.g. Scheduling, Initializing, Ready, Deleting)',
    priority: 0,
    jsonPath: '.status.phase',
  },
  { name: 'URL', type: 'string', description: 'URL to access the logical cluster', priority: 0, jsonPath: '.status.URL' },
  { name: 'Age', type: 'date', description: '', priority: 0, jsonPath: '.metadata.creationTimestamp' },
];

function logicalClusters(verbs: readonly string[], statusVerbs: readonly string[] | null): readonly ApiResource[] {
  const kind = { group: 'core.kcp.io', version: 'v1alpha1', kind: 'LogicalCluster', namespaced: false };
  return Object.freeze([
    {
      ...kind,
      name: 'logicalclusters',
      singularName: 'logicalcluster',
      verbs,
      categories: ['kcp'],
      storageVersionHash: storageVersionHash(kind.group, kind.version, kind.kind),
      columns: COLUMNS,
    },
    { ...kind, name: 'logicalclusters/status', singularName: '', verbs: statusVerbs },
  ]);
}

/**
 * Across logical clusters: list and watch. `get` is named because kcp names it, but cannot work without a cluster, and the status
 * subresource is shown with no verbs at all.
 */
export const WILDCARD_APIS = logicalClusters(['get', 'list', 'watch'], null);

/** Of one logical cluster. */
export const SINGLE_APIS = logicalClusters(['get'], ['get', 'patch', 'update']);
