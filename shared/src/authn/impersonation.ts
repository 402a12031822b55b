import { badRequest, forbidden, forbiddenBecause, type StatusError, unauthorized } from '../kube/errors.ts';
import type { RawHeaders } from '../listener/headers.ts';
import { extraHeaders, readExtraHeaders } from './extra-headers.ts';
import { checkCarriable, decodeHeaderText, encodeHeaderText } from './header-text.ts';
import { asCaller, type Caller, type Identity, identity, isLifecycleGroup, isMasters, withSystemGroup } from './identity.ts';
import { perObject } from './per-object.ts';
import { namespaceOfServiceAccount, serviceAccountGroups } from './service-account-name.ts';

const PREFIX = 'impersonate-';
const EXTRA_PREFIX = 'impersonate-extra-';

/** What the `Impersonate-*` headers of a request ask for. */
interface Impersonation {
  readonly users: readonly string[];
  readonly uids: readonly string[];
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
  /** Headers with the prefix that mean nothing to us. */
  readonly unknown: readonly string[];
}

/** Who may send `Impersonate-*`, and what is told to everybody else. */
export interface ImpersonationRule {
  readonly allows: (caller: Caller) => boolean;
  readonly because: string;
}

/** What kcp's binary does: shards come as masters, and forward their own callers. */
export const MASTERS_IMPERSONATE: ImpersonationRule = {
  allows: isMasters,
  because: 'only system:masters may impersonate here',
};

/** Where `X-Remote-*` of a trusted proxy is the only way to speak for others. */
export const NOBODY_IMPERSONATES: ImpersonationRule = {
  allows: () => false,
  because: 'nobody may impersonate here',
};

/**
 * Only the shards themselves, by the common names of their certificates. Masters by a token, by a proxy's word or by another certificate may
 * do everything else, and yet not speak for others.
 */
export const shardsImpersonate = (commonNames: readonly string[]): ImpersonationRule => ({
  allows: caller => isMasters(caller) && caller.method === 'certificate' && commonNames.includes(caller.name),
  because: 'only the certificates of shards may impersonate here',
});

/**
 * The caller in whose name the request is to be served: the impersonated user where a caller who may asks for one, otherwise the caller
 * itself.
 *
 * From anyone else the headers are refused and not ignored: the answer would be another user's view than the one asked for.
 * `Impersonate_User` is no impersonation header, here as in Kubernetes, and not on the allow-list of what is forwarded.
 */
export function impersonate(caller: Caller, headers: RawHeaders, rule: ImpersonationRule = MASTERS_IMPERSONATE): Caller {
  const asked = parse(headers);
  if (!asked) return caller;
  if (!rule.allows(caller)) throw mayNot(caller, asked, rule.because);

  const [unknown] = asked.unknown;
  if (unknown !== undefined) throw badRequest(`header ${unknown} is not supported`);
  if (asked.users.length > 1) throw badRequest('Impersonate-User is given more than once');
  if (asked.uids.length > 1) throw badRequest('Impersonate-Uid is given more than once');
  const [name = ''] = asked.users;
  // An empty user must not fall back to the masters who sent it: whose name got lost on the way must not become an admin.
  if (name === '')
    throw badRequest('impersonation is requested without impersonating a user: Impersonate-User is missing or empty');

  const groups = asked.groups.length > 0 ? asked.groups : groupsByName(name);
  const impersonated = identity(name, withSystemGroup(name, groups), asked.uids[0] ?? '', asked.extra);
  checkCarriable(impersonated);
  return asCaller(impersonated, caller.method, identity(caller.name, caller.groups, caller.uid, caller.extra));
}

function parse(headers: RawHeaders): Impersonation | undefined {
  const users: string[] = [];
  const uids: string[] = [];
  const groups: string[] = [];
  const unknown: string[] = [];
  let found = false;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const header = headers[i] as string;
    const name = header.toLowerCase();
    if (!name.startsWith(PREFIX)) continue;
    found = true;
    if (name.startsWith(EXTRA_PREFIX)) continue;
    const value = decodeHeaderText(headers[i + 1] as string, header);
    if (name === 'impersonate-user') users.push(value);
    else if (name === 'impersonate-uid') uids.push(value);
    else if (name === 'impersonate-group') groups.push(value);
    else unknown.push(header);
  }
  return found ? { users, uids, groups, unknown, extra: readExtraHeaders(headers, [EXTRA_PREFIX]) } : undefined;
}

/** Names the first thing asked for, in the order in which Kubernetes would have authorized them. */
function mayNot(caller: Caller, asked: Impersonation, because: string): StatusError {
  const [user] = asked.users;
  const [group] = asked.groups;
  const [extraKey] = Object.keys(asked.extra);
  const about = (resource: string, name: string, apiGroup = '', subresource = '') => ({
    isResourceRequest: true,
    path: '',
    verb: 'impersonate',
    apiGroup,
    resource,
    subresource,
    namespace: '',
    name,
  });
  if (user !== undefined) return forbidden(caller.name, about('users', user), because);
  if (group !== undefined) return forbidden(caller.name, about('groups', group), because);
  if (extraKey !== undefined) {
    const value = asked.extra[extraKey]?.[0] ?? '';
    return forbidden(caller.name, about('userextras', value, 'authentication.k8s.io', extraKey), because);
  }
  const [uid] = asked.uids;
  if (uid !== undefined) return forbidden(caller.name, about('uids', uid, 'authentication.k8s.io'), because);
  return forbiddenBecause(`forbidden: User "${caller.name}" cannot send header ${asked.unknown[0]}: ${because}`);
}

/** The groups of a service account follow from its name; Kubernetes' impersonation filter adds them when none are given. */
function groupsByName(name: string): readonly string[] {
  const namespace = namespaceOfServiceAccount(name);
  return namespace === undefined ? [] : serviceAccountGroups(namespace);
}

/**
 * The headers by which our own masters credentials act for an identity on a shard. Throws a StatusError 401 when a part of it
 * would not arrive as it is, and for a user without a name: that request would run as ourselves.
 */
export const impersonationHeaders: (who: Identity) => readonly string[] = perObject(headersOf);

function headersOf(who: Identity): readonly string[] {
  if (who.name === '') throw unauthorized();
  const headers = ['Impersonate-User', encodeHeaderText(who.name, 'the user name')];
  if (who.uid) headers.push('Impersonate-Uid', encodeHeaderText(who.uid, 'the UID of the user'));
  for (const group of who.groups) headers.push('Impersonate-Group', encodeHeaderText(group, 'a group of the user'));
  headers.push(...extraHeaders('Impersonate-Extra-', who));
  return Object.freeze(headers);
}

/**
 * The identity with a lifecycle group in front, which the shard takes as pre-authorized: for what a view sends upstream after it has
 * authorized the request itself. `identity()` drops these groups everywhere else.
 */
export function withLifecycleGroup(who: Identity, group: string): Identity {
  if (!isLifecycleGroup(group)) throw new TypeError(`${group} is no lifecycle group`);
  const { name, uid, groups, extra } = who;
  return Object.freeze({ name, uid, groups: Object.freeze([group, ...groups.filter(other => other !== group)]), extra });
}
