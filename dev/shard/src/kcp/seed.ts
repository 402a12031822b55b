import { createHash, randomBytes } from 'node:crypto';
import { type KubeObject, PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import { namespaceObject } from '../store/kubernetes-resources.ts';
import { bootstrapPolicy, type PolicyObjects, rootPolicy } from './bootstrap-policy.ts';
import { DELETION_FINALIZER } from './logical-cluster-state.ts';
import type { Loopback } from './loopback.ts';
import type { Shard, WorkspaceType } from './objects.ts';
import { EXPORT_LABEL, exportHash } from './permission-claims.ts';
import {
  API_BINDINGS,
  API_EXPORTS,
  API_RESOURCE_SCHEMAS,
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  CONFIG_MAPS,
  LOCAL_ADMIN_CLUSTER,
  LOGICAL_CLUSTER_NAME,
  LOGICAL_CLUSTERS,
  NAMESPACES,
  OWNER_ANNOTATION,
  ROOT,
  SHARD_CLUSTER,
  SHARDS,
  TYPE_ANNOTATION,
  WORKSPACE_TYPES,
} from './refs.ts';
import { systemSchema, systemSchemaName } from './system-schemas.ts';

export interface SeedOptions {
  readonly isRoot: boolean;
  /** Name of an APIExport of root → the hash that stands for who owns it. */
  readonly identities: Readonly<Record<string, string>>;
}

const EXPORTS: Readonly<Record<string, readonly string[]>> = {
  'shards.core.kcp.io': ['core.kcp.io/shards'],
  'tenancy.kcp.io': ['tenancy.kcp.io/workspaces', 'tenancy.kcp.io/workspacetypes'],
  'topology.kcp.io': ['topology.kcp.io/partitions', 'topology.kcp.io/partitionsets'],
};

/** A new identity for each of kcp's own exports: the hash of a secret that nobody needs to know. */
export const newIdentities = (): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.keys(EXPORTS).map(name => [name, createHash('sha256').update(randomBytes(32)).digest('hex')]));

const UNIVERSAL = [{ name: 'universal', path: ROOT }];
const inRoot = (name: string) => ({ name, path: ROOT });

/** The workspace types that kcp brings along. */
const TYPES: Readonly<Record<string, NonNullable<WorkspaceType['spec']>>> = {
  root: {
    defaultChildWorkspaceType: inRoot('organization'),
    limitAllowedParents: { none: true },
    extend: { with: UNIVERSAL },
  },
  universal: {
    initializer: true,
    defaultAPIBindings: [
      { path: ROOT, export: 'tenancy.kcp.io' },
      { path: ROOT, export: 'topology.kcp.io' },
    ],
    defaultChildWorkspaceType: inRoot('universal'),
  },
  organization: {
    extend: { with: UNIVERSAL },
    defaultChildWorkspaceType: inRoot('universal'),
    limitAllowedChildren: { types: UNIVERSAL },
    limitAllowedParents: { types: [inRoot('root')] },
  },
  home: {
    extend: { with: UNIVERSAL },
    defaultChildWorkspaceType: inRoot('universal'),
    limitAllowedParents: { none: true },
  },
  team: {
    extend: { with: UNIVERSAL },
    defaultChildWorkspaceType: inRoot('universal'),
    limitAllowedParents: { types: [inRoot('organization'), inRoot('team')] },
  },
};

/** What a shard has before anybody uses it: policy, what it knows about itself, and the root shard root with its types and exports. */
export function seed(objects: Loopback, { isRoot, identities }: SeedOptions): void {
  seedPolicy(objects, LOCAL_ADMIN_CLUSTER, bootstrapPolicy());
  objects.create(NAMESPACES, SHARD_CLUSTER, namespaceObject('default'));
  if (isRoot) {
    seedPolicy(objects, ROOT, rootPolicy());
    objects.create(NAMESPACES, ROOT, namespaceObject('default'));
    seedRoot(objects, identities);
  }
  // So that what root exports is served of all logical clusters before any workspace has bound it.
  bindRootAPIs(objects, SHARD_CLUSTER);
  objects.create(LOGICAL_CLUSTERS, SHARD_CLUSTER, { metadata: { name: LOGICAL_CLUSTER_NAME }, status: { phase: 'Scheduling' } });
  objects.create(CONFIG_MAPS, SHARD_CLUSTER, {
    metadata: { name: 'apiexport-identity-cache', namespace: 'default' },
    data: identities,
  });
}

function bindRootAPIs(objects: Loopback, cluster: string): void {
  for (const name of Object.keys(EXPORTS)) {
    objects.create(API_BINDINGS, cluster, {
      metadata: { name, labels: { [EXPORT_LABEL]: exportHash(ROOT, name) }, annotations: { [PATH_ANNOTATION]: cluster } },
      spec: { reference: { export: { path: ROOT, name } } },
    });
  }
}

function seedPolicy(objects: Loopback, cluster: string, { clusterRoles, clusterRoleBindings }: PolicyObjects): void {
  for (const role of clusterRoles) objects.create(CLUSTER_ROLES, cluster, role);
  for (const binding of clusterRoleBindings) objects.create(CLUSTER_ROLE_BINDINGS, cluster, binding);
}

/** As kcp's test server labels its shards, one after the other. */
const REGIONS = ['us-east-2', 'us-east-1', 'us-west-1', 'us-west-2'];

/** Makes a shard known in root, which each does for itself when it starts. */
export function registerShard(root: Loopback, name: string, index: number, spec: NonNullable<Shard['spec']>): void {
  if (root.get(SHARDS, ROOT, name) !== undefined) return;
  const labels = { name, region: REGIONS[index % REGIONS.length] ?? '', shared: 'true' };
  root.create(SHARDS, ROOT, { metadata: { name, labels }, spec });
}

function seedRoot(objects: Loopback, identities: SeedOptions['identities']): void {
  const create = (ref: Parameters<Loopback['create']>[0], object: KubeObject): void => {
    objects.create(ref, ROOT, object);
  };
  for (const [name, resources] of Object.entries(EXPORTS)) {
    for (const resource of resources) create(API_RESOURCE_SCHEMAS, systemSchema(resource));
    create(API_EXPORTS, {
      metadata: { name, annotations: { [PATH_ANNOTATION]: ROOT } },
      spec: {
        ...(name === 'tenancy.kcp.io' && { maximalPermissionPolicy: { local: {} } }),
        resources: resources.map(resource => {
          const [group = '', plural = ''] = resource.split('/');
          const schema = systemSchemaName({ group, resource: plural });
          return { group, name: plural, schema, storage: { crd: {} } };
        }),
      },
      status: { identityHash: identities[name], conditions: [] },
    });
  }
  bindRootAPIs(objects, ROOT);
  for (const [name, spec] of Object.entries(TYPES)) {
    create(WORKSPACE_TYPES, { metadata: { name, annotations: { [PATH_ANNOTATION]: ROOT } }, spec });
  }
  create(LOGICAL_CLUSTERS, {
    metadata: {
      name: LOGICAL_CLUSTER_NAME,
      annotations: {
        [TYPE_ANNOTATION]: 'root:root',
        [OWNER_ANNOTATION]: JSON.stringify({ username: 'system:kcp-bootstrapper' }),
      },
      finalizers: [DELETION_FINALIZER],
    },
    spec: { directlyDeletable: false },
    status: { phase: 'Scheduling' },
  });
}
