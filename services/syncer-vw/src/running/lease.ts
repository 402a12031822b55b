import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { refusal } from './patch.ts';

/** `coordination.k8s.io/v1 Lease`. */
export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface LeaseRequest {
  readonly upstream: Upstream;
  /** Of the lease itself: `/apis/coordination.k8s.io/v1/namespaces/<namespace>/leases/<name>`. */
  readonly path: string;
  /** Milliseconds for one answer. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

/** Undefined: there is none yet. */
export async function readLease({ path, ...request }: LeaseRequest): Promise<Lease | undefined> {
  const response = await requestJson<Lease>(request.upstream, { method: 'GET', path, ...request });
  if (response.status === 200) return response.body;
  if (response.status === 404) return undefined;
  throw refusal(`reading the lease ${path}`, response);
}

/** Creates the lease, or replaces what was read. Undefined: somebody else was faster. */
export async function writeLease(
  { path, ...request }: LeaseRequest,
  read: Lease | undefined,
  spec: LeaseSpec,
): Promise<Lease | undefined> {
  const [, collection, namespace, name] = /^(.*\/namespaces\/([^/]+)\/leases)\/([^/]+)$/.exec(path) ?? [];
  if (collection === undefined) throw new Error(`${path} is no path of a lease`);
  const type = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
  const response = read
    ? await requestJson<Lease>(request.upstream, { method: 'PUT', path, body: { ...type, ...read, spec }, ...request })
    : await requestJson<Lease>(request.upstream, {
        method: 'POST',
        path: collection,
        body: { ...type, metadata: { namespace, name }, spec },
        ...request,
      });
  if (response.status === 200 || response.status === 201) return response.body;
  // Of a creation, 404 says that there is no such namespace.
  if (response.status === 409 || (read && response.status === 404)) return undefined;
  throw refusal(`writing the lease ${path}`, response);
}

/** `metav1.MicroTime` is read with exactly six digits. */
export const microTime = (at: number): string => new Date(at).toISOString().replace('Z', '000Z');
