import { SERVICES } from '@kcp-vw/shared/config/options.ts';
import type { VirtualWorkspace, VirtualWorkspaceEndpoint } from '@kcp-vw/shared/registration/virtual-workspace.ts';
import type { UrlAddress } from '../addresses/addresses.ts';
import { type AllowedEndpoints, parseAllowedEndpoints } from '../endpoints/allowed-endpoints.ts';
import { createEndpointPolicy, type EndpointPolicy, type OwnAddress } from '../endpoints/endpoint-policy.ts';
import { trustIn } from './endpoint-trust.ts';

/** By what the entries of a VirtualWorkspace are judged, beside what its own `spec` says. */
export interface Judgement {
  /** `--allowed-endpoints`; absent: not given. */
  readonly allowed?: AllowedEndpoints | undefined;
  /** PEM of `--services-ca-file`. */
  readonly servicesCA?: string | Buffer | undefined;
  readonly own?: OwnAddress | undefined;
}

/** An entry that may be used, or why not. */
export type JudgedEndpoint = { readonly instance: string } & ({ readonly address: UrlAddress } | { readonly refusal: string });

/** More than anyone runs of one view; each is asked for its health all the time. */
const MAX_ENDPOINTS = 50;
const INSTANCE = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;

/** Whether it can be the name of a lease; anything else would be a path of its own where it stands in one. */
export const isInstanceName = (instance: string): boolean => INSTANCE.test(instance);

/**
 * A shipped view belongs to its service, another one is a service of its own. With a name that no service of an operator has: a view called
 * like a service that has to be ready would otherwise answer for it.
 */
export const serviceOf = (view: string): string =>
  Object.entries(SERVICES).find(([, { views }]) => views.includes(view))?.[0] ?? `view:${view}`;

/** The entries of a view, sorted. Those that are alive count first, so that what the dead have left takes nobody's place. */
export function judgeEndpoints(
  view: string,
  spec: VirtualWorkspace['spec'] | undefined,
  endpoints: readonly VirtualWorkspaceEndpoint[],
  judgement: Judgement,
  isAlive: (instance: string) => boolean,
): readonly JudgedEndpoint[] {
  const policy = policyOf(spec, judgement);
  const service = serviceOf(view);
  const trustOf = trustIn({ caBundle: spec?.caBundle, servicesCA: judgement.servicesCA });
  const sorted = [...endpoints].sort((a, b) => (a.instance < b.instance ? -1 : 1));
  const counts = ({ instance }: VirtualWorkspaceEndpoint): boolean => isInstanceName(instance) && isAlive(instance);
  const counted = new Set([...sorted.filter(counts), ...sorted.filter(one => !counts(one))].slice(0, MAX_ENDPOINTS));
  return sorted.map(endpoint => {
    const { instance } = endpoint;
    if (!isInstanceName(instance)) return { instance: JSON.stringify(instance), refusal: 'its instance is no name of an object' };
    if (!counted.has(endpoint)) return { instance, refusal: `a view has at most ${MAX_ENDPOINTS} endpoints` };
    const refusal = typeof policy === 'string' ? policy : policy.refusalOf(endpoint.url);
    if (typeof policy === 'string' || refusal !== undefined) return { instance, refusal: refusal ?? '' };
    const trust = trustOf(endpoint.ca);
    if ('refusal' in trust) return { instance, refusal: trust.refusal };
    const { url, ready, shard } = endpoint;
    return {
      instance,
      address: Object.freeze({ service, instance, url, policy, ready, ca: trust.ca, ...(shard && { shard }) }),
    };
  });
}

/** Or why there is none. An empty list in the object lets nothing in: it was given. */
function policyOf(spec: VirtualWorkspace['spec'] | undefined, { allowed, own }: Judgement): EndpointPolicy | string {
  try {
    const ofView = spec?.allowedEndpoints && [parseAllowedEndpoints(spec.allowedEndpoints, 'spec.allowedEndpoints')];
    return createEndpointPolicy({ lists: [...(allowed ? [allowed] : []), ...(ofView ?? [])], unlisted: 'nothing', own });
  } catch (error) {
    return (error as Error).message;
  }
}
