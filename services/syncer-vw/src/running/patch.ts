import type { Status } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type JsonResponse, requestJson } from '@kcp-vw/shared/upstream/json.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { MergePatch } from '../controllers/merge-patch.ts';

/** A resource, as it is served in one version. */
export interface ServedResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

export interface ObjectName {
  readonly cluster: string;
  /** Empty or absent for what is in no namespace. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** Of all logical clusters, behind an export. */
export const collectionPath = (of: ServedResource): string => `/clusters/*${apiPath(of)}/${of.resource}`;

export const objectPath = (of: ServedResource, { cluster, namespace, name }: ObjectName): string =>
  `/clusters/${cluster}${apiPath(of)}${namespace ? `/namespaces/${namespace}` : ''}/${of.resource}/${encodeURIComponent(name)}`;

const apiPath = ({ group, version }: ServedResource): string => (group ? `/apis/${group}/${version}` : `/api/${version}`);

/** `changed`: it is not the object any more that the decision was made of; `gone`: it is not there. */
export type WriteOutcome = { readonly stored: KubeObject } | 'changed' | 'gone';

/** Who has written what, in `managedFields`. */
const FIELD_MANAGER = 'syncer-vw';
const MERGE_PATCH = ['content-type', 'application/merge-patch+json'];

export interface Exchange {
  /** At the URL of the export. */
  readonly upstream: Upstream;
  readonly signal: AbortSignal;
}

/** Sends a patch to an object, or to its status if it is one of that. Rejects when it was refused otherwise, or not answered. */
export async function sendPatch({ upstream, signal }: Exchange, path: string, patch: MergePatch): Promise<WriteOutcome> {
  const target = `${path}${patch.status ? '/status' : ''}`;
  const request = { method: 'PATCH', path: `${target}?fieldManager=${FIELD_MANAGER}`, headers: MERGE_PATCH, body: patch, signal };
  const response = await requestJson<KubeObject>(upstream, request);
  const { status, body } = response;
  if (status === 200) return { stored: body };
  if (status === 404) return 'gone';
  if (status === 409 || isOfAnother(response)) return 'changed';
  throw refusal(`patching ${target}`, response);
}

/** Deletes the object with this uid, and no other of its name. */
export async function sendDelete(
  { upstream, signal }: Exchange,
  path: string,
  uid: string | undefined,
): Promise<'deleted' | 'changed' | 'gone'> {
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...(uid !== undefined && { preconditions: { uid } }) };
  const response = await requestJson<KubeObject>(upstream, { method: 'DELETE', path, body, signal });
  if (response.status === 200 || response.status === 202) return 'deleted';
  if (response.status === 404) return 'gone';
  if (response.status === 409) return 'changed';
  throw refusal(`deleting ${path}`, response);
}

/** Undefined: it is not there. */
export async function readObject({ upstream, signal }: Exchange, path: string): Promise<KubeObject | undefined> {
  const response = await requestJson<KubeObject>(upstream, { method: 'GET', path, signal });
  if (response.status === 200) return response.body;
  if (response.status === 404) return undefined;
  throw refusal(`reading ${path}`, response);
}

/** Kubernetes takes the uid in a patch for an attempt to change it: what the patch was made of was deleted and made again. */
function isOfAnother({ status, body }: JsonResponse<unknown>): boolean {
  const { details } = (body ?? {}) as Partial<Status>;
  return status === 422 && (details?.causes ?? []).some(({ field }) => field === 'metadata.uid');
}

export const refusal = (doing: string, { status, body }: JsonResponse<unknown>): Error => {
  const { message } = (body ?? {}) as Partial<Status>;
  return new Error(`${doing}: the server answered ${status}${message ? `: ${message}` : ''}`);
};
