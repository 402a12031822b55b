import { createHash, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import { namespaceObject } from '../store/kubernetes-resources.ts';
import type { ApiExport } from './api-objects.ts';
import { type Wish, withCondition } from './conditions.ts';
import type { Loopback } from './loopback.ts';
import { API_EXPORT_ENDPOINT_SLICES, API_EXPORTS, NAMESPACES, SECRETS } from './refs.ts';

/** Where the secrets are that make an export somebody's. */
const SECRET_NAMESPACE = 'kcp-system';
const KEY_BYTES = 32;
const SKIP_ANNOTATION = 'apiexports.apis.kcp.io/skip-endpointslice';

/** Gives an export its identity, says so in its status, and makes the slice that tells where it is served. */
export function reconcileApiExport(objects: Loopback, cluster: string, name: string): void {
  const apiExport = objects.get<ApiExport>(API_EXPORTS, cluster, name);
  if (apiExport === undefined || apiExport.metadata.deletionTimestamp) return;
  const { spec, status = {} } = apiExport;
  const reference = spec?.identity?.secretRef;
  // kcp's own exports have got their identities when the shard was made.
  const isSeeded = reference === undefined && status.identityHash !== undefined;
  if (reference === undefined && !isSeeded) {
    ensureSecret(objects, cluster, name);
    const identity = { secretRef: { namespace: SECRET_NAMESPACE, name } };
    objects.update(API_EXPORTS, cluster, { ...apiExport, spec: { ...spec, identity } });
    return;
  }
  const identityHash = reference && hashOf(objects.get(SECRETS, cluster, reference.name, reference.namespace));
  const conditions = withCondition(status.conditions, isSeeded ? VALID : validity(apiExport, identityHash));
  const next = { ...status, ...(!status.identityHash && identityHash && { identityHash }), conditions };
  if (!isDeepStrictEqual(next, status)) objects.updateStatus(API_EXPORTS, cluster, { ...apiExport, status: next });
  ensureEndpointSlice(objects, cluster, apiExport);
}

const VALID: Wish = { type: 'IdentityValid', status: 'True' };

/** What an export has once been called stays its name: objects are stored under it. */
function validity({ spec, status }: ApiExport, hash: string | undefined): Wish {
  const failed = (message: string): Wish => ({
    ...{ type: 'IdentityValid', status: 'False', severity: 'Error', reason: 'IdentityVerificationFailed', message },
  });
  if (hash === undefined) return failed(`secret "${spec?.identity?.secretRef?.name}" not found`);
  if (!status?.identityHash || status.identityHash === hash) return VALID;
  return failed(`hash mismatch: identity secret hash "${hash}" must match status.identityHash "${status.identityHash}"`);
}

function hashOf(secret: KubeObject | undefined): string | undefined {
  const { key } = (secret?.data ?? {}) as { readonly key?: string };
  return key === undefined ? undefined : createHash('sha256').update(Buffer.from(key, 'base64')).digest('hex');
}

function ensureSecret(objects: Loopback, cluster: string, name: string): void {
  if (objects.get(NAMESPACES, cluster, SECRET_NAMESPACE) === undefined) {
    objects.create(NAMESPACES, cluster, namespaceObject(SECRET_NAMESPACE));
  }
  if (objects.get(SECRETS, cluster, name, SECRET_NAMESPACE) !== undefined) return;
  const key = Buffer.from(randomBytes(KEY_BYTES).toString('base64url')).toString('base64');
  objects.create(SECRETS, cluster, { metadata: { name, namespace: SECRET_NAMESPACE }, data: { key }, type: 'Opaque' });
}

function ensureEndpointSlice(objects: Loopback, cluster: string, { metadata }: ApiExport): void {
  const { name = '', uid = '', annotations = {} } = metadata;
  if (Object.hasOwn(annotations, SKIP_ANNOTATION)) return;
  if (objects.get(API_EXPORT_ENDPOINT_SLICES, cluster, name) !== undefined) return;
  const owner = { apiVersion: 'apis.kcp.io/v1alpha1', kind: 'APIExport', name, uid };
  objects.create(API_EXPORT_ENDPOINT_SLICES, cluster, {
    metadata: { name, ownerReferences: [owner] },
    spec: { export: { name, path: annotations[PATH_ANNOTATION] ?? cluster } },
  });
}

/** What an export owns goes with it, as the garbage collector of a real kcp sees to. */
export function collectSlicesOf(objects: Loopback, cluster: string, { metadata }: KubeObject): void {
  for (const slice of objects.list(API_EXPORT_ENDPOINT_SLICES, cluster)) {
    const owners = (slice.metadata?.ownerReferences ?? []) as readonly { readonly uid?: string }[];
    if (owners.some(({ uid }) => uid === metadata?.uid)) {
      objects.delete(API_EXPORT_ENDPOINT_SLICES, cluster, slice.metadata?.name ?? '');
    }
  }
}
