import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Registry } from '@kcp-vw/shared/registration/registry-access.ts';
import { namespaceOf } from '@kcp-vw/shared/registration/virtual-workspace.ts';
import { requestText } from '@kcp-vw/shared/upstream/text.ts';

/** What matters of a lease. Its times are those of another clock, and only their changes are looked at. */
export interface Lease extends KubeObject {
  /** Changes with each renewal. */
  readonly mark: string;
  readonly milliseconds: number | undefined;
}

/** Whatever a lease says, an instance that is gone must not stay for hours. */
const LONGEST_MS = 300_000;
/** Nor does one have to be asked about all the time. */
const SHORTEST_MS = 3_000;

export function leaseOf(object: KubeObject): Lease {
  const { name, namespace, uid, resourceVersion } = object.metadata ?? {};
  const { renewTime, leaseDurationSeconds } = (object.spec ?? {}) as { renewTime?: unknown; leaseDurationSeconds?: unknown };
  const seconds = typeof leaseDurationSeconds === 'number' && leaseDurationSeconds > 0 ? leaseDurationSeconds : undefined;
  return {
    // Not all of it: there are many leases, and they change all the time.
    metadata: {
      ...(name && { name }),
      ...(namespace && { namespace }),
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
    },
    mark: JSON.stringify([uid, typeof renewTime === 'string' ? renewTime : resourceVersion]),
    milliseconds: seconds && Math.max(SHORTEST_MS, Math.min(seconds * 1_000, LONGEST_MS)),
  };
}

const TIMEOUT_MS = 5_000;

/**
 * The mark of a lease as the registry has it at this moment. `missing`: there is none; `forbidden`: the registry is there, and does not say.
 * Rejects when it does not answer, or not sensibly.
 */
export async function readMark(
  { upstream, basePath }: Pick<Registry, 'upstream' | 'basePath'>,
  view: string,
  instance: string,
): Promise<{ readonly mark: string } | 'missing' | 'forbidden'> {
  const path = `${basePath}/apis/coordination.k8s.io/v1/namespaces/${namespaceOf(view)}/leases/${encodeURIComponent(instance)}`;
  const { status, body } = await requestText(upstream, { method: 'GET', path, timeout: TIMEOUT_MS });
  if (status === 404) return 'missing';
  if (status === 403) return 'forbidden';
  if (status !== 200)
    throw new Error(`the registry answered ${status} when it was asked for the lease of ${instance} of ${view}`);
  return { mark: leaseOf(JSON.parse(body) as KubeObject).mark };
}
