import type { TableColumn } from '@kcp-vw/shared/kube/table.ts';
import type { ResourceDefinition } from './definition.ts';

const column = (name: string, type: TableColumn['type'], jsonPath: string, description = ''): TableColumn => ({
  ...{ name, type, description, priority: 0, jsonPath },
});

const AGE = column('Age', 'date', '.metadata.creationTimestamp');
const PHASE = column('Phase', 'string', '.status.phase', 'The current phase (e.g. Scheduling, Initializing, Ready, Deleting)');
const REGION = column('Region', 'string', '.metadata.labels.region');
const READY = column('Ready', 'string', '.status.conditions[?(@.type=="Ready")].status');

type Shape = Pick<ResourceDefinition, 'group' | 'resource' | 'singular' | 'kind'> & Partial<ResourceDefinition>;

/** kcp's own types are defined by CRDs, which all are cluster-scoped. */
const ofKcp = (shape: Shape): ResourceDefinition => ({
  versions: ['v1alpha1'],
  namespaced: false,
  categories: ['kcp'],
  custom: true,
  statusSubresource: true,
  tracksGeneration: true,
  columns: [AGE],
  ...shape,
});

const APIS = 'apis.kcp.io';
const CORE = 'core.kcp.io';
const TENANCY = 'tenancy.kcp.io';
const TOPOLOGY = 'topology.kcp.io';

/** The types that kcp adds to its logical clusters. Their rules (`admit`, `validate`) are added by whoever knows them. */
export const KCP_RESOURCES: readonly ResourceDefinition[] = [
  ofKcp({
    ...{ group: CORE, resource: 'logicalclusters', singular: 'logicalcluster', kind: 'LogicalCluster' },
    columns: [PHASE, column('URL', 'string', '.status.URL', 'URL to access the logical cluster'), AGE],
  }),
  ofKcp({
    ...{ group: CORE, resource: 'shards', singular: 'shard', kind: 'Shard' },
    columns: [REGION, column('URL', 'string', '.spec.baseURL'), column('External URL', 'string', '.spec.externalURL'), AGE],
  }),
  ofKcp({
    ...{ group: TENANCY, resource: 'workspaces', singular: 'workspace', kind: 'Workspace', shortNames: ['ws'] },
    columns: [column('Type', 'string', '.spec.type.name'), REGION, PHASE, column('URL', 'string', '.spec.URL'), AGE],
  }),
  ofKcp({ group: TENANCY, resource: 'workspacetypes', singular: 'workspacetype', kind: 'WorkspaceType' }),
  ofKcp({
    ...{ group: APIS, resource: 'apibindings', singular: 'apibinding', kind: 'APIBinding', versions: ['v1alpha2', 'v1alpha1'] },
    columns: [AGE, READY],
  }),
  ofKcp({ group: APIS, resource: 'apiexports', singular: 'apiexport', kind: 'APIExport', versions: ['v1alpha2', 'v1alpha1'] }),
  ofKcp({
    ...{ group: APIS, resource: 'apiexportendpointslices', singular: 'apiexportendpointslice', kind: 'APIExportEndpointSlice' },
    columns: [column('Export', 'string', '.spec.export.name'), column('Partition', 'string', '.spec.partition'), AGE],
  }),
  ofKcp({
    ...{ group: APIS, resource: 'apiresourceschemas', singular: 'apiresourceschema', kind: 'APIResourceSchema' },
    statusSubresource: false,
  }),
  ofKcp({
    ...{ group: APIS, resource: 'apiconversions', singular: 'apiconversion', kind: 'APIConversion' },
    statusSubresource: false,
  }),
  ofKcp({
    ...{ group: TOPOLOGY, resource: 'partitions', singular: 'partition', kind: 'Partition' },
    statusSubresource: false,
  }),
  ofKcp({
    ...{ group: TOPOLOGY, resource: 'partitionsets', singular: 'partitionset', kind: 'PartitionSet' },
    columns: [column('Count', 'string', '.status.count'), AGE],
  }),
];
