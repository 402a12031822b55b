/** Objects as a shard sends them, over all logical clusters. */
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { code } from './numbers.ts';

/** A workspace of the world. */
export interface Child {
  /** Distinct for each. */
  readonly index: number;
  /** The logical cluster that has it. */
  readonly parent: string;
  readonly parentPath: string;
  readonly name: string;
  /** Its own logical cluster. */
  readonly cluster: string;
  readonly creator: string;
  /** Who wants to enter has to be in all of these; absent: in none. */
  readonly requiredGroups?: readonly string[];
}

export interface Grant {
  readonly name: string;
  readonly role: string;
  /** `u:` or `g:` before each. */
  readonly subjects: readonly string[];
}

const DAY = '2026-01-01T00:00:00Z';
const RBAC = 'rbac.authorization.k8s.io';

const uidOf = ({ index }: Child): string => {
  const text = code('uid', index, 32);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
};

const trueConditions = (types: readonly string[]): object[] =>
  types.map(type => ({ type, status: 'True', lastTransitionTime: DAY }));

const fields = (names: readonly string[]): object => Object.fromEntries(names.map(name => [`f:${name}`, {}]));

/** About 2 KB, with what the server and the controllers leave in each. `revision` tells its versions apart. */
export function workspace(child: Child, revision: number): KubeObject {
  const { cluster, creator, name, parent, parentPath } = child;
  const url = `https://kcp.example.com:6443/clusters/${parentPath}:${name}`;
  return {
    apiVersion: 'tenancy.kcp.io/v1alpha1',
    kind: 'Workspace',
    metadata: {
      name,
      uid: uidOf(child),
      resourceVersion: String((child.index + 1) * 1_000_000 + revision),
      generation: 3,
      creationTimestamp: DAY,
      labels: { 'tenancy.kcp.io/phase': 'Ready', team: `team-${child.index % 40}`, region: 'eu-central' },
      annotations: {
        'kcp.io/cluster': parent,
        'experimental.tenancy.kcp.io/owner': JSON.stringify({
          username: creator,
          groups: ['staff', 'system:authenticated'],
          extra: { 'authentication.kcp.io/cluster-name': ['root'] },
        }),
        'internal.tenancy.kcp.io/cluster': cluster,
        'internal.tenancy.kcp.io/shard': '36hdbqcg',
        'example.com/description': `Workspace ${name} of ${creator}: where the services of the team are tried out`,
      },
      finalizers: ['core.kcp.io/logicalcluster'],
      managedFields: [
        {
          ...{ manager: 'kubectl-create-workspace', operation: 'Update', apiVersion: 'tenancy.kcp.io/v1alpha1', time: DAY },
          ...{ fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { '.': {}, 'f:type': { '.': {}, ...fields(['name', 'path']) } } } },
        },
        {
          ...{ manager: 'kcp', operation: 'Update', apiVersion: 'tenancy.kcp.io/v1alpha1', time: DAY },
          fieldsType: 'FieldsV1',
          fieldsV1: {
            'f:metadata': {
              'f:annotations': fields(['internal.tenancy.kcp.io/cluster', 'internal.tenancy.kcp.io/shard']),
              'f:finalizers': { '.': {}, 'v:"core.kcp.io/logicalcluster"': {} },
            },
            'f:spec': fields(['URL', 'cluster']),
          },
        },
        {
          ...{ manager: 'kcp', operation: 'Update', apiVersion: 'tenancy.kcp.io/v1alpha1', subresource: 'status', time: DAY },
          ...{ fieldsType: 'FieldsV1', fieldsV1: { 'f:status': { '.': {}, ...fields(['conditions', 'phase']) } } },
        },
      ],
    },
    spec: { URL: url, cluster, type: { name: 'universal', path: 'root' } },
    status: {
      phase: 'Ready',
      conditions: trueConditions(['WorkspaceInitialized', 'WorkspaceAPIBindingsInitialized', 'WorkspaceScheduled']),
    },
  };
}

export function logicalCluster(cluster: string, of?: Child): KubeObject {
  return {
    metadata: {
      name: 'cluster',
      annotations: {
        'kcp.io/cluster': cluster,
        'kcp.io/path': of ? `${of.parentPath}:${of.name}` : cluster,
        ...(of?.requiredGroups && { 'authorization.kcp.io/required-groups': of.requiredGroups.join(',') }),
      },
    },
    spec: of && {
      owner: { apiVersion: 'tenancy.kcp.io/v1alpha1', resource: 'workspaces', cluster: of.parent, name: of.name, uid: uidOf(of) },
    },
    status: { phase: 'Ready' },
  };
}

export function clusterRole(cluster: string, name: string, rules: readonly object[]): KubeObject {
  return { metadata: { name, annotations: { 'kcp.io/cluster': cluster } }, rules };
}

export function clusterRoleBinding(cluster: string, { name, role, subjects }: Grant): KubeObject {
  const kinds: Readonly<Record<string, string>> = { u: 'User', g: 'Group' };
  return {
    metadata: { name, annotations: { 'kcp.io/cluster': cluster } },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    subjects: subjects.map(subject => ({ kind: kinds[subject.slice(0, 1)], apiGroup: RBAC, name: subject.slice(2) })),
  };
}
