import { effectiveUsers } from '@kcp-vw/shared/authn/effective-users.ts';
import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import type { RequestRef } from '@kcp-vw/shared/kube/errors.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import type { ApiBinding, ApiExport } from './api-objects.ts';
import type { Reader } from './loopback.ts';
import { exportOf } from './permission-claims.ts';
import { prefixUser } from './prefix-user.ts';
import { API_BINDINGS } from './refs.ts';

/** Those whom a maximal permission policy is about carry this before their names. */
export const POLICY_SUBJECT_PREFIX = 'apis.kcp.io:binding:';

/** The export of a bound resource whose owner bounds what anybody may do with it; undefined: nobody does. */
export function policyOf(objects: Reader, cluster: string, { apiGroup, resource }: RequestRef): ApiExport | undefined {
  const binding = objects
    .list<ApiBinding>(API_BINDINGS, cluster)
    .findLast(({ status }) => (status?.boundResources ?? []).some(one => one.group === apiGroup && one.resource === resource));
  const found = binding && exportOf(objects, binding);
  return found?.spec?.maximalPermissionPolicy?.local === undefined ? undefined : found;
}

/**
 * Whether the policy allows the request. `allows` asks the roles beside the export, in the logical cluster that it is given, about users
 * who are called by their names in policies.
 */
export function policyAllows(
  policy: ApiExport,
  cluster: string,
  user: Identity,
  request: RequestRef,
  allows: (cluster: string, users: readonly Identity[], request: RequestRef) => boolean,
): boolean {
  return allows(clusterOf(policy), effectiveUsers(prefixUser(user, POLICY_SUBJECT_PREFIX), cluster), request);
}
