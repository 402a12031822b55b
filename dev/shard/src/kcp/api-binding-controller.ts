import { isDeepStrictEqual } from 'node:util';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import { type ResourceDefinition, resourceKey } from '../store/definition.ts';
import type { ApiBinding, ApiExport, ApiResourceSchema, BoundResource, ExportedResource } from './api-objects.ts';
import { type BoundDefinitions, definitionFrom } from './bound-definitions.ts';
import { withCondition } from './conditions.ts';
import type { Loopback } from './loopback.ts';
import { namingConflict, sameResource } from './naming-conflicts.ts';
import type { Condition } from './objects.ts';
import { exportOf } from './permission-claims.ts';
import { API_BINDINGS, API_RESOURCE_SCHEMAS, ROOT } from './refs.ts';
import { isTaken, lockResources } from './resource-locks.ts';
import { logicalClusterOf } from './workspace-paths.ts';

/** The resources of kcp's own exports, which the shard has rules for, by the name of the export in root. */
export type ExportedDefinitions = Readonly<Record<string, readonly ResourceDefinition[]>>;

export interface BindingContext {
  readonly exported: ExportedDefinitions;
  readonly bound: BoundDefinitions;
}

type Status = NonNullable<ApiBinding['status']>;

const NOT_ESTABLISHED = {
  status: 'False',
  severity: 'Info',
  reason: 'WaitingForEstablished',
  message: 'Waiting for API(s) to be established',
} as const;

/** Binds what the export has, serves it in the logical cluster, and says so in the binding. */
export function reconcileApiBinding(objects: Loopback, cluster: string, name: string, context: BindingContext): void {
  const binding = objects.get<ApiBinding>(API_BINDINGS, cluster, name);
  if (binding === undefined) return;
  const status = withSummary(
    binding.metadata.deletionTimestamp ? { ...binding.status } : nextStatus(objects, cluster, binding, context),
  );
  serve(objects, cluster, binding, status.boundResources ?? [], context.bound);
  if (!isDeepStrictEqual(status, binding.status)) objects.updateStatus(API_BINDINGS, cluster, { ...binding, status });
}

/** Whether a binding is ready depends on whether it ever was bound: what becomes of the export later takes nothing away. */
function withSummary(status: Status): Status {
  const initial = status.conditions?.find(({ type }) => type === 'InitialBindingCompleted');
  return initial === undefined ? status : withTold(status, { ...initial, type: 'Ready' });
}

function withTold(
  status: Status,
  { type, status: is, severity, reason = '', message = '' }: Omit<Condition, 'lastTransitionTime'>,
): Status {
  const wish =
    is === 'True'
      ? ({ type, status: 'True' } as const)
      : ({
          type,
          status: 'False',
          severity: severity === 'Info' || severity === 'Warning' ? severity : 'Error',
          reason,
          message,
        } as const);
  return { ...status, conditions: withCondition(status.conditions, wish) };
}

/** An error counts for the initial binding as long as that has not succeeded. */
function withBindingError(status: Status, because: Omit<Condition, 'lastTransitionTime' | 'type' | 'status'>): Status {
  const told = withTold(status, { ...because, type: 'BindingUpToDate', status: 'False' });
  const isBound = status.conditions?.some(({ type, status: is }) => type === 'InitialBindingCompleted' && is === 'True');
  return isBound ? told : withTold(told, { ...because, type: 'InitialBindingCompleted', status: 'False' });
}

function nextStatus(objects: Loopback, cluster: string, binding: ApiBinding, context: BindingContext): Status {
  const { status = {} } = binding;
  if (status.phase === undefined) {
    return withTold({ ...status, phase: 'Binding' }, { ...NOT_ESTABLISHED, type: 'InitialBindingCompleted' });
  }
  const invalid = (severity: string, reason: string, message: string): Status =>
    withTold(status, { type: 'APIExportValid', status: 'False', severity, reason, message });
  const { path, name } = binding.spec?.reference?.export ?? {};
  const where = `${path || cluster}|${name}`;
  const found = exportOf(objects, binding);
  if (found === undefined) return invalid('Error', 'APIExportNotFound', `APIExport ${where} not found`);
  const claims = found.spec?.permissionClaims ?? [];
  const { exportPermissionClaims: _old, ...rest } = status;
  const known: Status = { ...rest, ...(claims.length > 0 && { exportPermissionClaims: claims }) };
  const identity = found.status?.identityHash;
  if (!identity) {
    const message = `APIExport ${where} is missing status.identityHash`;
    return withTold(known, {
      type: 'APIExportValid',
      status: 'False',
      severity: 'Warning',
      reason: 'MissingIdentityHash',
      message,
    });
  }
  return withBoundResources(objects, cluster, binding, found, { ...known, apiExportClusterName: clusterOf(found) }, context);
}

interface Exported {
  readonly resource: ExportedResource;
  readonly schema: ApiResourceSchema;
}

function withBoundResources(
  objects: Loopback,
  cluster: string,
  binding: ApiBinding,
  found: ApiExport,
  status: Status,
  context: BindingContext,
): Status {
  const exported: Exported[] = [];
  for (const resource of found.spec?.resources ?? []) {
    const schema = objects.find<ApiResourceSchema>(API_RESOURCE_SCHEMAS, clusterOf(found), resource.schema);
    if (schema === undefined) {
      const message = `Invalid APIExport. Please contact the APIExport owner to resolve: APIResourceSchema "${resource.schema}" not found`;
      return withTold(status, { type: 'APIExportValid', status: 'False', severity: 'Error', reason: 'InternalError', message });
    }
    exported.push({ resource, schema });
  }
  const name = binding.metadata.name ?? '';
  const logicalCluster = logicalClusterOf(objects, cluster);
  if (logicalCluster === undefined) throw new Error(`the logical cluster ${cluster} of binding ${name} does not exist yet`);
  const wanted = exported.map(({ schema: { spec } }) => ({ group: spec.group, resource: spec.names.plural }));
  const taken = lockResources(objects, logicalCluster, { n: name }, wanted);
  const neighbours = neighboursOf(objects, cluster, name, context.bound);
  let boundResources = status.boundResources ?? [];
  for (const { resource, schema } of exported) {
    if (isTaken(taken, { group: schema.spec.group, resource: schema.spec.names.plural })) continue;
    const conflict = namingConflict(neighbours, schema.spec);
    if (conflict !== undefined) {
      const message = `Unable to bind APIs: ${conflict}`;
      return withBindingError(withBound(status, boundResources), { severity: 'Error', reason: 'NamingConflicts', message });
    }
    boundResources = withResource(boundResources, bind(found, resource, schema, context));
  }
  const valid = withTold(withBound(status, boundResources), { type: 'APIExportValid', status: 'True' });
  if (taken.size > 0) {
    const message = `Unable to bind APIs because they are bound by other APIBindings or CRDs: map[${[...taken.values()].sort().join(' ')}]`;
    return withBindingError(valid, { severity: 'Error', reason: 'NamingConflicts', message });
  }
  const completed = withTold(valid, { type: 'InitialBindingCompleted', status: 'True' });
  return { ...withTold(completed, { type: 'BindingUpToDate', status: 'True' }), phase: 'Bound' };
}

const withBound = (status: Status, boundResources: readonly BoundResource[]): Status =>
  boundResources.length > 0 ? { ...status, boundResources } : status;

/** In its place; what is exported no longer stays bound. */
function withResource(all: readonly BoundResource[], one: BoundResource): readonly BoundResource[] {
  const known = all.find(other => sameResource(other, one));
  if (known === undefined) return [...all, one];
  const storageVersions = [...new Set([...(known.storageVersions ?? []), ...(one.storageVersions ?? [])])].sort();
  return all.map(other => (other === known ? { ...one, storageVersions } : other));
}

/** Makes the definition known that a schema stands for. */
function bind(found: ApiExport, resource: ExportedResource, schema: ApiResourceSchema, context: BindingContext): BoundResource {
  const identity = found.status?.identityHash ?? '';
  const { spec, metadata } = schema;
  const own = clusterOf(found) === ROOT ? (context.exported[found.metadata.name ?? ''] ?? []) : [];
  const uid = metadata.uid ?? '';
  const key = resourceKey({ group: spec.group, resource: spec.names.plural });
  context.bound.ensure(uid, identity, () => {
    return own.find(one => resourceKey(one) === key) ?? definitionFrom(spec, { identity, schemaCluster: clusterOf(schema) });
  });
  return {
    group: spec.group,
    resource: spec.names.plural,
    schema: { name: metadata.name ?? '', UID: uid, identityHash: identity },
    ...(resource.storage?.virtual === undefined && {
      storageVersions: spec.versions.filter(({ storage }) => storage).map(({ name }) => name),
    }),
  };
}

function neighboursOf(objects: Loopback, cluster: string, name: string, bound: BoundDefinitions) {
  return objects
    .list<ApiBinding>(API_BINDINGS, cluster)
    .filter(({ metadata }) => metadata.name !== name)
    .flatMap(binding =>
      (binding.status?.boundResources ?? []).flatMap(({ schema }) => {
        const definition = bound.get(schema.UID, schema.identityHash);
        return definition === undefined ? [] : [{ binding, definition }];
      }),
    );
}

function serve(
  objects: Loopback,
  cluster: string,
  { metadata }: ApiBinding,
  resources: readonly BoundResource[],
  bound: BoundDefinitions,
) {
  for (const { schema } of resources) {
    const known = bound.get(schema.UID, schema.identityHash);
    const definition = known && metadata.deletionTimestamp ? bound.terminating(known) : known;
    if (definition === undefined || objects.registry.find(cluster, definition) === definition) continue;
    objects.registry.add(cluster, definition);
  }
}

/** Stops serving what a deleted binding brought. */
export function unbind(objects: Loopback, cluster: string, { status }: ApiBinding, { bound }: BindingContext): void {
  for (const { schema } of status?.boundResources ?? []) {
    const definition = bound.get(schema.UID, schema.identityHash);
    const present = definition && objects.registry.find(cluster, definition);
    if (definition === undefined || present === undefined) continue;
    if (present === definition || present === bound.terminating(definition)) objects.registry.remove(cluster, definition);
  }
}
