/** Test equipment: what a request to the API server in memory asks for. */
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { applyJsonPatch, type Operation } from '@kcp-vw/shared/kube/json-patch.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { UpstreamRequest } from '@kcp-vw/shared/upstream/upstream.ts';

const PATH =
  /^(?:\/services\/(syncer|upsyncer)\/[^/]+\/[^/]+\/[^/]+)?(?:\/clusters\/([^/]+))?\/(?:api\/(v1)|apis\/([^/]+)\/([^/]+))(?:\/namespaces\/([^/]+)(?=\/))?(?:\/([^/]+)(?:\/([^/]+))?(?:\/(status))?)?$/;

export type View = 'syncer' | 'upsyncer' | undefined;

export interface Target {
  readonly view: View;
  readonly cluster: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly name: string;
  readonly isStatus: boolean;
}

export const refusal = (code: number, message: string): StatusError => {
  const reasons: Readonly<Record<number, ConstructorParameters<typeof StatusError>[0]>> = {
    403: 'Forbidden',
    404: 'NotFound',
    409: 'Conflict',
    415: 'UnsupportedMediaType',
    422: 'Invalid',
    500: 'InternalError',
  };
  return new StatusError(reasons[code] ?? 'InternalError', message);
};

export function targetOf(path: string): Target {
  const [, view, cluster = '', core, group = '', version = core ?? '', namespace = '', resource = '', name = '', status] =
    PATH.exec(path) ?? [];
  if (!core && !group) throw refusal(404, `no path of an API server: ${path}`);
  return { view: view as View, cluster, group, version, namespace, resource, name, isStatus: status !== undefined };
}

export const keyOf = ({ resource, group, cluster, namespace, name }: Target): string =>
  [resource, group, cluster, namespace, name].join('|');

export const contentType = ({ headers }: UpstreamRequest): string => headers[headers.indexOf('content-type') + 1] ?? '';

export function patched(object: KubeObject, sent: KubeObject, type: string): KubeObject {
  if (!type.includes('json-patch')) return merged(object, sent) as KubeObject;
  try {
    return applyJsonPatch(object, sent as unknown as readonly Operation[]) as KubeObject;
  } catch (error) {
    throw refusal(422, String(error));
  }
}

function merged(value: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(value as Record<string, unknown>) };
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) delete result[name];
    else result[name] = merged(result[name], change);
  }
  return result;
}
