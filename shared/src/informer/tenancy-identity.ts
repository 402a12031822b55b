import type { KubeObject } from '../kube/objects.ts';
import { requestJson } from '../upstream/json.ts';
import type { Upstream } from '../upstream/upstream.ts';

const GROUP = 'tenancy.kcp.io';
const IDENTITIES_PATH = '/clusters/system:shard/api/v1/namespaces/default/configmaps/apiexport-identity-cache';
const EXPORT_PATH = `/clusters/root/apis/apis.kcp.io/v1alpha2/apiexports/${GROUP}`;

/**
 * The identity hash of the tenancy APIExport, without which a wildcard request for its resources is not served: from the shard's own
 * record, else from the export in `root`. Undefined while the shard has neither; rejects with an `UpstreamError`, also when `signal` is aborted.
 */
export async function tenancyIdentity(
  shard: Upstream,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<string | undefined> {
  const recorded = await read(shard, IDENTITIES_PATH, signal);
  const fromRecord = (recorded?.data as Record<string, string> | undefined)?.[GROUP];
  if (fromRecord) return fromRecord;
  const exported = await read(shard, EXPORT_PATH, signal);
  return (exported?.status as { identityHash?: string } | undefined)?.identityHash || undefined;
}

async function read(shard: Upstream, path: string, signal: AbortSignal | undefined): Promise<KubeObject | undefined> {
  const { status, body } = await requestJson<KubeObject>(shard, { method: 'GET', path, ...(signal && { signal }) });
  return status === 200 ? body : undefined;
}
