import { invalid, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Write } from '../store/definition.ts';
import type { Authorize } from './authorizer.ts';
import type { Reader } from './loopback.ts';
import type { ApiBinding } from './objects.ts';
import { API_EXPORTS } from './refs.ts';

/** Whoever binds an export must be allowed to, in the logical cluster of the export. Throws a StatusError 403. */
export function admitApiBinding(
  { objects, authorize }: { readonly objects: Reader; readonly authorize: Authorize },
  object: KubeObject,
  { verb, cluster, user, previous }: Write,
): KubeObject {
  if (verb === 'delete') return object;
  const binding = object as ApiBinding;
  const reference = binding.spec?.reference?.export;
  const name = binding.metadata.name ?? '';
  if (!reference?.name) {
    const field = 'spec.reference.export.name';
    throw invalid({ group: 'apis.kcp.io', kind: 'APIBinding' }, name, [{ field, value: '', detail: `${field} is required` }]);
  }
  const before = (previous as ApiBinding | undefined)?.spec?.reference?.export;
  if (before?.path === reference.path && before?.name === reference.name) return object;
  const path = reference.path ?? cluster;
  const found = objects.findByPath(API_EXPORTS, path, reference.name);
  const request = {
    isResourceRequest: true,
    path: '',
    verb: 'bind',
    apiGroup: 'apis.kcp.io',
    resource: 'apiexports',
    subresource: '',
    namespace: '',
    name: reference.name,
  };
  if (found !== undefined && authorize(clusterOf(found), user, request, { deep: true }).allowed) return object;
  const why = `unable to create APIBinding: no permission to bind to export ${path}:${reference.name}`;
  const details = { name, group: 'apis.kcp.io', kind: 'apibindings' };
  throw new StatusError('Forbidden', `apibindings.apis.kcp.io "${name}" is forbidden: ${why}`, details);
}
