import { readExtraHeaders } from '@kcp-vw/shared/authn/extra-headers.ts';
import { decodeHeaderText } from '@kcp-vw/shared/authn/header-text.ts';
import { GROUP_AUTHENTICATED, GROUP_MASTERS, type Identity, isMasters } from '@kcp-vw/shared/authn/identity.ts';
import { SCOPES_KEY } from '@kcp-vw/shared/authn/service-account-name.ts';
import { badRequest, forbidden, forbiddenBecause, type RequestRef } from '@kcp-vw/shared/kube/errors.ts';
import { headerValue, headerValues, type RawHeaders } from '@kcp-vw/shared/listener/headers.ts';
import type { Authorize } from './authorizer.ts';
import {
  BOOTSTRAPPER_GROUP,
  EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP,
  KCP_ADMIN_GROUP,
  LOGICAL_CLUSTER_ADMIN_GROUP,
} from './bootstrap-policy.ts';
import { shardIdentity } from './identity.ts';

const EXTRA_PREFIX = 'impersonate-extra-';

/** Nobody but masters gets a group of these by impersonation that is not already his. */
const SPECIAL_GROUPS: ReadonlySet<string> = new Set([
  GROUP_MASTERS,
  LOGICAL_CLUSTER_ADMIN_GROUP,
  EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP,
  BOOTSTRAPPER_GROUP,
  KCP_ADMIN_GROUP,
  GROUP_AUTHENTICATED,
]);

/**
 * In whose name the request is to be served. Throws a StatusError 403 for who may not impersonate, 400 for groups without a user. What
 * anyone but masters impersonates is restricted to the logical cluster in which it was allowed.
 */
export function impersonated(user: Identity, headers: RawHeaders, cluster: string, authorize: Authorize): Identity {
  const name = decodeHeaderText(headerValue(headers, 'impersonate-user') ?? '', 'Impersonate-User');
  const groups = headerValues(headers, 'impersonate-group').map(value => decodeHeaderText(value, 'Impersonate-Group'));
  const extra = readExtraHeaders(headers, [EXTRA_PREFIX]);
  const uid = decodeHeaderText(headerValue(headers, 'impersonate-uid') ?? '', 'Impersonate-Uid');
  const isAsked = name !== '' || groups.length > 0 || uid !== '' || Object.keys(extra).length > 0;
  if (!isAsked) return user;
  if (!isMasters(user) && groups.some(group => SPECIAL_GROUPS.has(group) && !user.groups.includes(group))) {
    throw forbiddenBecause('forbidden: impersonation is not allowed for the requestor');
  }
  if (name === '') throw badRequest('impersonation is requested without impersonating a user');
  for (const request of impersonationRequests(name, uid, groups, extra)) {
    const decision = authorize(cluster, user, request);
    if (!decision.allowed) throw forbidden(user.name, request, decision.reason);
  }
  const who = shardIdentity(name, groups, uid, extra);
  if (isMasters(user)) return who;
  const scopes = [...(who.extra[SCOPES_KEY] ?? []), `cluster:${cluster}`];
  return { ...who, extra: { ...who.extra, [SCOPES_KEY]: scopes } };
}

/** What is asked of the authorizer, one by one. */
function impersonationRequests(
  name: string,
  uid: string,
  groups: readonly string[],
  extra: Readonly<Record<string, readonly string[]>>,
): RequestRef[] {
  const about = (apiGroup: string, resource: string, subject: string, subresource = ''): RequestRef => ({
    isResourceRequest: true,
    path: '',
    verb: 'impersonate',
    apiGroup,
    resource,
    subresource,
    namespace: '',
    name: subject,
  });
  return [
    about('', 'users', name),
    ...groups.map(group => about('', 'groups', group)),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map(value => about('authentication.k8s.io', 'userextras', value, key)),
    ),
    ...(uid === '' ? [] : [about('authentication.k8s.io', 'uids', uid)]),
  ];
}
