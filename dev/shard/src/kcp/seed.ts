import { createHash, randomBytes } from 'node:crypto';
import { type KubeObject, PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import { namespaceObject } from '../store/kubernetes-resources.ts';
import { bootstrapPolicy, rootPolicy } from './bootstrap-policy.ts';
import type { Loopback } from './loopback.ts';
import type { WorkspaceType } from './objects.ts';
import {
  API_BINDINGS,
  API_EXPORTS,
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

export interface SeedOptions {
  readonly shardName: string;
  readonly baseURL: string;
  readonly externalURL: string;
  readonly virtualWorkspaceURL: string;
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
  team: {
    extend: { with: UNIVERSAL },
    defaultChildWorkspaceType: inRoot('universal'),
    limitAllowedParents: { types: [inRoot('organization'), inRoot('team')] },
  },
};

/** What a shard has before anybody uses it: policy, root with its types and exports, and what it knows about itself. */
export function seed(objects: Loopback, options: SeedOptions): void {
  const policies = [
    { cluster: LOCAL_ADMIN_CLUSTER, policy: bootstrapPolicy() },
    { cluster: ROOT, policy: rootPolicy() },
  ];
  for (const { cluster, policy } of policies) {
    for (const role of policy.clusterRoles) objects.create(CLUSTER_ROLES, cluster, role);
    for (const binding of policy.clusterRoleBindings) objects.create(CLUSTER_ROLE_BINDINGS, cluster, binding);
  }
  for (const cluster of [SHARD_CLUSTER, ROOT]) objects.create(NAMESPACES, cluster, namespaceObject('default'));
  seedRoot(objects, options);
  objects.create(CONFIG_MAPS, SHARD_CLUSTER, {
    metadata: { name: 'apiexport-identity-cache', namespace: 'default' },
    data: options.identities,
  });
}

function seedRoot(objects: Loopback, { shardName, baseURL, externalURL, virtualWorkspaceURL, identities }: SeedOptions): void {
  const create = (ref: Parameters<Loopback['create']>[0], object: KubeObject): void => {
    objects.create(ref, ROOT, object);
  };
  for (const [name, resources] of Object.entries(EXPORTS)) {
    create(API_EXPORTS, {
      metadata: { name, annotations: { [PATH_ANNOTATION]: ROOT } },
      spec: {
        resources: resources.map(resource => {
          const [group = '', plural = ''] = resource.split('/');
          return { group, name: plural, schema: `v1.${plural}.${group}`, storage: { crd: {} } };
        }),
      },
      status: { identityHash: identities[name], conditions: [] },
    });
    create(API_BINDINGS, { metadata: { name }, spec: { reference: { export: { path: ROOT, name } } } });
  }
  create(SHARDS, {
    metadata: { name: shardName, labels: { name: shardName } },
    spec: { baseURL, externalURL, virtualWorkspaceURL },
  });
  for (const [name, spec] of Object.entries(TYPES)) {
    create(WORKSPACE_TYPES, { metadata: { name, annotations: { [PATH_ANNOTATION]: ROOT } }, spec });
  }
  create(LOGICAL_CLUSTERS, {
    metadata: {
      name: LOGICAL_CLUSTER_NAME,
      annotations: {
        [TYPE_ANNOTATION]: 'root:root',
        [PATH_ANNOTATION]: ROOT,
        [OWNER_ANNOTATION]: JSON.stringify({ username: 'system:kcp-bootstrapper' }),
      },
    },
    spec: { directlyDeletable: false },
    status: { phase: 'Scheduling' },
  });
}
