import { isRecord, textOf } from '@kcp-vw/shared/authn/records.ts';
import type { RequestRef } from '@kcp-vw/shared/kube/errors.ts';
import { type KubeObject, PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import { type PolicyRule, rulesAllow } from '@kcp-vw/shared/kube/rbac.ts';
import {
  type BindingFacts,
  type LogicalClusterFacts,
  NOBODY,
  type RequiredGroups,
  type RoleFacts,
  type Subject,
  type WorkspaceObject,
} from '../index/facts.ts';

const TENANCY = 'tenancy.kcp.io';
const WORKSPACES = 'workspaces';
const REQUIRED_GROUPS_ANNOTATION = 'authorization.kcp.io/required-groups';

/*
 * Nothing here throws: an object that is not what its type says would keep all others from being read. What cannot be understood gives
 * nothing to anybody.
 */

/** What a ClusterRole gives; undefined: neither of the two. */
export function roleFacts(role: KubeObject): RoleFacts | undefined {
  const rules = listOf(role.rules).flatMap(ruleOf);
  const access = rulesAllow(rules, ACCESS);
  const workspaces = namesToGet(rules);
  if (!access && workspaces === undefined) return undefined;
  return { access, ...(workspaces !== undefined && { getWorkspaces: workspaces }) };
}

/** How somebody enters a logical cluster, as kcp's workspace content authorizer asks for it. */
const ACCESS: RequestRef = {
  ...{ isResourceRequest: false, path: '/', verb: 'access' },
  ...{ apiGroup: '', resource: '', subresource: '', namespace: '', name: '' },
};

const getWorkspace = (name: string): RequestRef => ({
  ...{ isResourceRequest: true, path: '', verb: 'get' },
  ...{ apiGroup: TENANCY, resource: WORKSPACES, subresource: '', namespace: '', name },
});

function namesToGet(rules: readonly PolicyRule[]): '*' | readonly string[] | undefined {
  const names = new Set<string>();
  for (const rule of rules) {
    const [first, ...others] = rule.resourceNames ?? [];
    // A rule with names gives all of them or none.
    if (!rulesAllow([rule], getWorkspace(first ?? ''))) continue;
    if (first === undefined) return '*';
    for (const name of [first, ...others]) if (name !== '') names.add(name);
  }
  return names.size === 0 ? undefined : [...names].sort();
}

/** A rule with a list that is none is left out: without its `resourceNames` it would give more than it says. */
function ruleOf(rule: unknown): PolicyRule[] {
  if (!isRecord(rule)) return [];
  const lists = [rule.verbs, rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs].map(textsOf);
  const [verbs, apiGroups, resources, resourceNames, nonResourceURLs] = lists;
  if (!verbs || !apiGroups || !resources || !resourceNames || !nonResourceURLs) return [];
  return [{ verbs, apiGroups, resources, resourceNames, nonResourceURLs }];
}

/** A list that is absent is empty, as in Go. Undefined: something else is there. */
function textsOf(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) && value.every(text => typeof text === 'string') ? value : undefined;
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Whom a ClusterRoleBinding gives a ClusterRole; undefined: nobody, or another kind of role, which counts for nothing here. */
export function bindingFacts(binding: KubeObject): BindingFacts | undefined {
  const role = textOf(binding.roleRef, 'name');
  if (textOf(binding.roleRef, 'kind') !== 'ClusterRole' || !role) return undefined;
  const subjects = [...new Set(listOf(binding.subjects).flatMap(subjectOf))];
  return subjects.length === 0 ? undefined : { role, subjects };
}

/** Kinds alone decide, as in Kubernetes' RBAC authorizer: the group that a subject's kind is said to be of does not. */
function subjectOf(subject: unknown): Subject[] {
  const name = textOf(subject, 'name');
  if (!name) return [];
  switch (textOf(subject, 'kind')) {
    case 'User':
      return [`u:${name}`];
    case 'Group':
      return [`g:${name}`];
    case 'ServiceAccount': {
      const namespace = textOf(subject, 'namespace');
      // There is no namespace of the binding that would count instead.
      return namespace ? [`u:system:serviceaccount:${namespace}:${name}`] : [];
    }
    default:
      return [];
  }
}

/** What a LogicalCluster says about itself. */
export function logicalClusterFacts(cluster: KubeObject): LogicalClusterFacts {
  const annotations = cluster.metadata?.annotations;
  const owner = ownerOf(isRecord(cluster.spec) ? cluster.spec.owner : undefined);
  const path = textOf(annotations, PATH_ANNOTATION);
  const groups = isRecord(annotations) ? annotations[REQUIRED_GROUPS_ANNOTATION] : undefined;
  return {
    phase: textOf(cluster.status, 'phase') ?? '',
    ...(groups !== undefined && { requiredGroups: requiredGroups(groups) }),
    ...(owner && { owner }),
    ...(path && { path }),
  };
}

/** A tenant may write the annotation of his own logical cluster. What asks for more lets in whom no groups are asked of. */
const MOST_GROUPS = 1000;
const LONGEST_GROUPS = 64 * 1024;

function requiredGroups(annotation: unknown): RequiredGroups {
  if (typeof annotation !== 'string' || annotation.length > LONGEST_GROUPS) return NOBODY;
  let groups = 1;
  for (let at = 0; at < annotation.length; at += 1) {
    const character = annotation[at];
    if (character === ';' || character === ',') groups += 1;
  }
  return groups > MOST_GROUPS ? NOBODY : annotation;
}

function ownerOf(owner: unknown): LogicalClusterFacts['owner'] {
  const [cluster, name, uid] = [textOf(owner, 'cluster'), textOf(owner, 'name'), textOf(owner, 'uid')];
  const isWorkspace = textOf(owner, 'resource') === WORKSPACES && textOf(owner, 'apiVersion')?.startsWith(`${TENANCY}/`);
  return isWorkspace && cluster && name && uid ? { cluster, name, uid } : undefined;
}

/** The object with all that a client sees of it; undefined when what decides over it is not what its type says. */
export function workspaceFacts(workspace: KubeObject): WorkspaceObject | undefined {
  const { spec, status } = workspace;
  const isAsTyped =
    hasTexts(spec, ['cluster', 'URL']) &&
    hasTexts(status, ['phase']) &&
    (!isRecord(spec) || hasTexts(spec.type, ['name', 'path'])) &&
    hasTextsOnly(workspace.metadata?.annotations) &&
    hasTextsOnly(workspace.metadata?.labels);
  return isAsTyped ? (workspace as WorkspaceObject) : undefined;
}

/** Absent, or an object with texts under these names, where it has anything there. */
const hasTexts = (value: unknown, names: readonly string[]): boolean =>
  value === undefined || (isRecord(value) && names.every(name => !Object.hasOwn(value, name) || typeof value[name] === 'string'));

const hasTextsOnly = (value: unknown): boolean =>
  value === undefined || (isRecord(value) && Object.values(value).every(text => typeof text === 'string'));
