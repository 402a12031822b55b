import { type Identity, isMasters } from '@kcp-vw/shared/authn/identity.ts';
import { invalid, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { type KubeObject, PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import type { Write } from '../store/definition.ts';
import { type FieldCause, invalidFields } from '../store/refusals.ts';
import type { Authorize } from './authorizer.ts';
import { recordedUser } from './identity.ts';
import type { Reader } from './loopback.ts';
import type { Workspace, WorkspaceType } from './objects.ts';
import { OWNER_ANNOTATION, TYPE_ANNOTATION } from './refs.ts';
import { REQUIRED_GROUPS_ANNOTATION } from './required-groups.ts';
import { canonicalPath, logicalClusterOf } from './workspace-paths.ts';
import { clusterOfType, findType, findTypeFrom, qualifiedName, typeClosure, whyNotBelow } from './workspace-types.ts';

const NAME = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$';
const TYPE_NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?/;

interface AdmissionContext {
  readonly objects: Reader;
  readonly authorize: Authorize;
}

/** Types, owners, required groups and what only kcp itself may set. Throws a StatusError 403. */
export function admitWorkspace({ objects, authorize }: AdmissionContext, object: KubeObject, write: Write): KubeObject {
  const workspace = object as Workspace;
  if (write.verb === 'delete') return object;
  if (write.verb === 'update') {
    refuseChanges(workspace, write);
    return object;
  }
  const { spec = {}, metadata } = workspace;
  if (!isMasters(write.user)) {
    if (spec.cluster) throw notAllowed(workspace, 'spec.Cluster can only be set by system privileged users');
    if (spec.URL) throw notAllowed(workspace, 'spec.URL can only be set by system privileged users');
  }
  const type = typeOf(objects, workspace, write.cluster);
  const types = closureOf(objects, workspace, type);
  for (const one of types) refuseUnlessUsable(authorize, workspace, one, write.user);
  refuseInWrongPlace(objects, workspace, types, write.cluster);
  const owner = isMasters(write.user) ? {} : { [OWNER_ANNOTATION]: JSON.stringify(recordedUser(write.user)) };
  const annotations = { ...withParentsGroups(objects, workspace, write), ...owner };
  return {
    ...workspace,
    metadata: {
      ...metadata,
      labels: { ...type.spec?.additionalWorkspaceLabels, ...metadata.labels },
      annotations,
    },
    spec: { ...spec, type: { name: type.metadata.name, path: spec.type?.path || canonicalPath(objects, clusterOfType(type)) } },
  };
}

function typeOf(objects: AdmissionContext['objects'], workspace: Workspace, cluster: string): WorkspaceType {
  const wanted = workspace.spec?.type;
  const reference = wanted?.name ? wanted : parentType(objects, workspace, cluster).spec?.defaultChildWorkspaceType;
  const found = reference && findTypeFrom(objects, canonicalPath(objects, cluster), reference);
  if (!found)
    throw notAllowed(workspace, `workspace type "${reference?.path ?? ''}:${reference?.name ?? ''}" cannot be resolved`);
  return found;
}

function parentType(objects: AdmissionContext['objects'], workspace: Workspace, cluster: string): WorkspaceType {
  const annotation = logicalClusterOf(objects, cluster)?.metadata.annotations?.[TYPE_ANNOTATION] ?? '';
  const colon = annotation.lastIndexOf(':');
  const found = findType(objects, { path: annotation.slice(0, Math.max(colon, 0)), name: annotation.slice(colon + 1) });
  if (!found) throw notAllowed(workspace, 'parent type cannot be resolved');
  return found;
}

function closureOf(objects: AdmissionContext['objects'], workspace: Workspace, type: WorkspaceType): readonly WorkspaceType[] {
  try {
    return typeClosure(objects, type);
  } catch (error) {
    throw notAllowed(workspace, error instanceof Error ? error.message : String(error));
  }
}

function refuseUnlessUsable(authorize: Authorize, workspace: Workspace, type: WorkspaceType, user: Identity): void {
  const request = {
    isResourceRequest: true,
    path: '',
    verb: 'use',
    apiGroup: 'tenancy.kcp.io',
    resource: 'workspacetypes',
    subresource: '',
    namespace: '',
    name: type.metadata.name ?? '',
  };
  if (authorize(clusterOfType(type), user, request, { deep: true }).allowed) return;
  const why = `unable to use workspace type ${qualifiedName(type)}: missing verb='use' permission on workspacetype`;
  throw notAllowed(workspace, why);
}

function refuseInWrongPlace(
  objects: AdmissionContext['objects'],
  workspace: Workspace,
  types: readonly WorkspaceType[],
  cluster: string,
): void {
  const why = whyNotBelow(closureOf(objects, workspace, parentType(objects, workspace, cluster)), types);
  if (why !== undefined) throw notAllowed(workspace, why);
}

/** What nobody may change (422, from the CRD's rules), and what only masters may (403). */
function refuseChanges(workspace: Workspace, { user, previous }: Write): void {
  const before = (previous as Workspace | undefined)?.spec ?? {};
  const after = workspace.spec ?? {};
  const causes = immutabilityCauses(before, after);
  if (causes.length > 0)
    throw invalidFields({ group: 'tenancy.kcp.io', kind: 'Workspace' }, workspace.metadata.name ?? '', causes);
  if (before.type && !after.type) throw notAllowed(workspace, 'spec.type is immutable');
  if (!isMasters(user) && before.cluster !== after.cluster) {
    throw notAllowed(workspace, 'spec.cluster can only be changed by system privileged users');
  }
  if (!isMasters(user) && before.URL !== after.URL) {
    throw notAllowed(workspace, 'spec.URL can only be changed by system privileged users');
  }
}

type Spec = NonNullable<Workspace['spec']>;

function immutabilityCauses(before: Spec, after: Spec): FieldCause[] {
  const causes: FieldCause[] = [];
  const refuse = (field: string, message: string): void => {
    causes.push({ reason: 'FieldValueInvalid', field, message: `Invalid value: ${message}` });
  };
  if (before.cluster && after.cluster && before.cluster !== after.cluster) {
    refuse('spec.cluster', `${JSON.stringify(after.cluster)}: cluster is immutable`);
  }
  if (before.type && after.type && before.type.name !== after.type.name) refuse('spec.type', 'name is immutable');
  if (before.type && after.type && before.type.path !== after.type.path) refuse('spec.type', 'path is immutable');
  if (before.URL && !after.URL) refuse('spec', 'URL cannot be unset');
  if (before.cluster && !after.cluster) refuse('spec', 'cluster cannot be unset');
  return causes;
}

/** The annotations with the groups that the workspace above requires, whatever was asked for; masters may ask for others. */
function withParentsGroups(objects: Reader, workspace: Workspace, { cluster, user }: Write): Readonly<Record<string, string>> {
  const { annotations = {} } = workspace.metadata;
  const { [REQUIRED_GROUPS_ANNOTATION]: wanted, ...others } = annotations;
  if (wanted !== undefined && isMasters(user)) return annotations;
  const parent = logicalClusterOf(objects, cluster);
  if (parent === undefined) throw notAllowed(workspace, 'logicalclusters.core.kcp.io "cluster" not found');
  const groups = parent.metadata.annotations?.[REQUIRED_GROUPS_ANNOTATION];
  return groups === undefined ? others : { ...others, [REQUIRED_GROUPS_ANNOTATION]: groups };
}

const notAllowed = ({ metadata }: Workspace, why: string): StatusError =>
  new StatusError('Forbidden', `workspaces.tenancy.kcp.io "${metadata.name ?? ''}" is forbidden: ${why}`, {
    ...(metadata.name && { name: metadata.name }),
    group: 'tenancy.kcp.io',
    kind: 'workspaces',
  });

export function validateWorkspaceName(object: KubeObject): void {
  const name = object.metadata?.name ?? '';
  if (new RegExp(NAME).test(name)) return;
  const detail = `metadata.name in body should match '${NAME}'`;
  throw invalid({ group: 'tenancy.kcp.io', kind: object.kind ?? '' }, name, [{ field: 'metadata.name', value: name, detail }]);
}

/** Types know the path of their workspace, by which they are found, and what a workspace below has when it names no type. */
export function admitWorkspaceType(objects: Reader, object: KubeObject, write: Write): KubeObject {
  if (write.verb === 'delete') return object;
  const type = object as WorkspaceType;
  return {
    ...type,
    metadata: {
      ...type.metadata,
      annotations: { ...type.metadata.annotations, [PATH_ANNOTATION]: canonicalPath(objects, write.cluster) },
    },
    spec: { defaultChildWorkspaceType: { name: 'universal', path: 'root' }, ...type.spec },
  };
}

/** The rules of the CRD's schema that somebody runs into. Throws a StatusError 422. */
export function validateWorkspaceType(object: KubeObject): void {
  validateWorkspaceName(object);
  const { metadata, spec = {} } = object as WorkspaceType;
  const causes: { field: string; value: unknown; detail: string }[] = [];
  (spec.extend?.with ?? []).forEach((reference, i) => {
    if (TYPE_NAME.test(reference.name ?? '')) return;
    const field = `spec.extend.with[${i}].name`;
    causes.push({ field, value: reference.name ?? '', detail: `${field} in body should match '${TYPE_NAME.source}'` });
  });
  for (const list of ['initializerPermissions', 'terminatorPermissions'] as const) {
    (spec[list] ?? []).forEach((rule, i) => {
      if (Array.isArray(rule.verbs)) return;
      causes.push({ field: `spec.${list}[${i}].verbs`, value: rule.verbs, detail: 'verbs is required' });
    });
  }
  if (causes.length > 0) throw invalid({ group: 'tenancy.kcp.io', kind: 'WorkspaceType' }, metadata.name ?? '', causes);
}
