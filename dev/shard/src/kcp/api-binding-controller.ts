import { isDeepStrictEqual } from 'node:util';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import type { ResourceDefinition } from '../store/definition.ts';
import { withCondition } from './conditions.ts';
import type { Loopback } from './loopback.ts';
import type { ApiBinding, ApiExport } from './objects.ts';
import { API_BINDINGS, API_EXPORTS, ROOT } from './refs.ts';

/** What the bound exports of root bring, by the name of the export. */
export type ExportedDefinitions = Readonly<Record<string, readonly ResourceDefinition[]>>;

/** Serves what a logical cluster has bound, and says so in the binding. */
export function reconcileApiBinding(objects: Loopback, cluster: string, name: string, exported: ExportedDefinitions): void {
  const binding = objects.get<ApiBinding>(API_BINDINGS, cluster, name);
  if (binding === undefined) return;
  const reference = binding.spec?.reference?.export;
  const found = objects.findByPath<ApiExport>(API_EXPORTS, reference?.path ?? cluster, reference?.name ?? '');
  const status = found === undefined ? missing(binding) : bound(binding, found, clusterOf(found));
  if (found !== undefined && clusterOf(found) === ROOT) {
    for (const definition of exported[found.metadata.name ?? ''] ?? []) {
      if (objects.registry.find(cluster, definition) !== definition) objects.registry.add(cluster, definition);
    }
  }
  if (!isDeepStrictEqual(status, binding.status)) objects.updateStatus(API_BINDINGS, cluster, { ...binding, status });
}

/** Stops serving what a deleted binding brought. */
export function unbind(objects: Loopback, cluster: string, binding: ApiBinding, exported: ExportedDefinitions): void {
  const name = binding.spec?.reference?.export?.name ?? '';
  for (const definition of exported[name] ?? []) objects.registry.remove(cluster, definition);
}

const CONDITIONS = [
  'APIExportValid',
  'BindingUpToDate',
  'InitialBindingCompleted',
  'PermissionClaimsApplied',
  'PermissionClaimsValid',
];

function bound({ status = {} }: ApiBinding, { spec, status: of }: ApiExport, exporter: string): ApiBinding['status'] {
  const conditions = [...CONDITIONS, 'Ready'].reduce(
    (list, type) => withCondition(list, { type, status: 'True' }),
    [...(status.conditions ?? [])],
  );
  const boundResources = (spec?.resources ?? []).map(({ group, name, schema }) => ({
    group,
    resource: name,
    schema: { name: schema, UID: `${exporter}-${schema}`, identityHash: of?.identityHash ?? '' },
    storageVersions: ['v1alpha1'],
  }));
  return { ...status, phase: 'Bound', apiExportClusterName: exporter, boundResources, conditions };
}

function missing({ status = {}, spec }: ApiBinding): ApiBinding['status'] {
  const { path = '', name = '' } = spec?.reference?.export ?? {};
  const because = {
    status: 'False',
    severity: 'Error',
    reason: 'APIExportNotFound',
    message: `APIExport ${path}|${name} not found`,
  } as const;
  const conditions = withCondition(withCondition(status.conditions, { type: 'APIExportValid', ...because }), {
    type: 'Ready',
    ...because,
  });
  return { ...status, phase: 'Binding', conditions };
}
