import {
  COMPATIBILITY_STATES,
  GROUP,
  KEY_LABEL,
  KIND,
  LONGEST_NAME,
  PATH_PATTERN,
  RESOURCE,
  VERSION,
} from '../controllers/sync-target.ts';
import { type ResourceSchemaParts, resourceSchema } from './resource-schemas.ts';
import { flag, listByKeys, map, objectSchema, quantities, type Schema, text, textByName, time } from './schema-parts.ts';

const SPEC: Schema = {
  description: 'What whoever runs the cluster says of it.',
  ...map({
    unschedulable: {
      description: 'No namespaces are brought to the cluster that it does not have.',
      ...flag,
      default: false,
    },
    evictAfter: {
      description: 'When the cluster loses the namespaces that it has. By default it keeps them.',
      ...time,
    },
    supportedAPIExports: {
      description: 'The APIExports whose resources may be synced. By default the export "kubernetes" of the same workspace.',
      type: 'array',
      maxItems: 100,
      'x-kubernetes-list-type': 'atomic',
      default: [{ export: 'kubernetes' }],
      items: map(
        {
          path: {
            description: 'The path of the workspace of the export, by default that of the SyncTarget.',
            ...text,
            pattern: PATH_PATTERN,
          },
          export: { description: 'The name of the export.', ...text, minLength: 1 },
        },
        ['export'],
      ),
    },
    cells: {
      description: 'What the cluster belongs to. Clusters with the same cells are as one.',
      ...textByName,
    },
  }),
};

const URL: Schema = { type: 'string', format: 'uri', minLength: 1 };

const STATUS: Schema = {
  description: 'What is known of the cluster and its syncer.',
  ...map({
    virtualWorkspaces: {
      description: 'Where the syncer finds its objects: one entry for each server. Written by the service that serves them.',
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      items: map({ syncerURL: URL, upsyncerURL: URL }, ['syncerURL', 'upsyncerURL']),
    },
    syncedResources: {
      description: 'The resources of the supported exports. Written by the service, each state by the syncer.',
      // Three keys: a syncer can apply the state of an entry, and no more of it.
      ...listByKeys(
        map(
          {
            group: { ...text, default: '' },
            resource: { ...text, minLength: 1 },
            identityHash: { description: 'The identity of the export.', ...text, default: '' },
            versions: {
              description: 'The versions that are served, by priority.',
              type: 'array',
              items: text,
              minItems: 1,
              'x-kubernetes-list-type': 'atomic',
            },
            state: {
              description: 'Whether the cluster can take the resource: only what is Accepted is synced.',
              ...text,
              enum: COMPATIBILITY_STATES,
              default: 'Pending',
            },
          },
          ['resource', 'versions'],
        ),
        'group',
        'resource',
        'identityHash',
      ),
    },
    lastSyncerHeartbeatTime: { description: 'When the syncer was last heard of. Written by the syncer.', ...time },
    conditions: {
      description:
        'HeartbeatHealthy: the syncer is alive. SyncerAuthorized: it may write to its cluster, as it says itself. Ready: the sum.',
      ...listByKeys(
        map(
          {
            type: text,
            status: { ...text, enum: ['True', 'False', 'Unknown'] },
            severity: text,
            lastTransitionTime: time,
            reason: text,
            message: text,
          },
          ['type', 'status', 'lastTransitionTime'],
        ),
        'type',
      ),
    },
    allocatable: { description: 'The resources that workloads may have.', ...quantities },
    capacity: { description: 'The resources of the cluster.', ...quantities },
  }),
};

const SCHEMA: Schema = {
  ...objectSchema('A physical cluster, whose syncer brings objects of workspaces there and their status back.', {
    spec: SPEC,
    status: STATUS,
  }),
};

const PARTS: ResourceSchemaParts = {
  group: GROUP,
  version: VERSION,
  names: {
    plural: RESOURCE,
    singular: KIND.toLowerCase(),
    kind: KIND,
    listKind: `${KIND}List`,
    shortNames: ['st'],
    categories: ['kcp'],
  },
  scope: 'Cluster',
  schema: {
    ...SCHEMA,
    properties: { ...SCHEMA.properties, metadata: map({ name: { ...text, minLength: 1, maxLength: LONGEST_NAME } }) },
  },
  subresources: { status: {} },
  columns: [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Unschedulable', type: 'boolean', jsonPath: '.spec.unschedulable' },
    { name: 'Heartbeat', type: 'date', jsonPath: '.status.lastSyncerHeartbeatTime' },
    { name: 'Evict after', type: 'string', jsonPath: '.spec.evictAfter', priority: 1 },
    { name: 'Key', type: 'string', jsonPath: `.metadata.labels['${KEY_LABEL.replaceAll('.', '\\.')}']`, priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
};

/** How a workspace comes to know SyncTargets. */
export const syncTargetSchema = () => resourceSchema(PARTS);
