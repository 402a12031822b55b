/** A user as Kubernetes knows one (`authentication.k8s.io/v1 UserInfo`). Immutable: identity is a value of the request. */
export interface Identity {
  readonly name: string;
  /** Empty when the authenticator gave none. */
  readonly uid: string;
  readonly groups: readonly string[];
  /** Keys as the authenticator gave them, decoded; scopes and warrants travel here. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** An authenticated request's user, and how we came to believe it. */
export interface Caller extends Identity {
  readonly method: 'certificate' | 'request-header' | 'token' | 'anonymous' | 'front-proxy';
  /** The masters identity that sent `Impersonate-*`; absent when the caller speaks for itself. */
  readonly impersonator?: Identity;
}

export const ANONYMOUS = 'system:anonymous';
export const GROUP_MASTERS = 'system:masters';
export const GROUP_AUTHENTICATED = 'system:authenticated';
export const GROUP_UNAUTHENTICATED = 'system:unauthenticated';

/**
 * Groups that shards take as pre-authorized. Only a view may add them to what it sends upstream; asserted by anyone else they are
 * dropped (they are the trust anchor of the lifecycle views).
 */
const LIFECYCLE_GROUP_PREFIXES = ['system:kcp:initializer:', 'system:kcp:terminator:'];

export function isLifecycleGroup(group: string): boolean {
  return LIFECYCLE_GROUP_PREFIXES.some(prefix => group.startsWith(prefix));
}

export function isMasters(identity: Identity): boolean {
  return identity.groups.includes(GROUP_MASTERS);
}

/** A frozen identity: groups deduplicated in order, lifecycle groups dropped. */
export function identity(
  name: string,
  groups: readonly string[],
  uid = '',
  extra: Readonly<Record<string, readonly string[]>> = {},
): Identity {
  const values = Object.entries(extra).map(([key, list]) => [key, Object.freeze([...list])] as const);
  return Object.freeze({
    name,
    uid,
    groups: Object.freeze([...new Set(groups)].filter(group => !isLifecycleGroup(group))),
    // fromEntries defines properties: an extra key `__proto__` stays a key.
    extra: Object.freeze(Object.fromEntries(values)),
  });
}

/** The identity as a frozen caller. */
export function asCaller(who: Identity, method: Caller['method'], impersonator?: Identity): Caller {
  const { name, uid, groups, extra } = who;
  return Object.freeze({ name, uid, groups, extra, method, ...(impersonator && { impersonator }) });
}

/**
 * The groups with the one that says whether the user is authenticated, as Kubernetes' authentication and impersonation filters
 * add it: nobody gets `system:authenticated` who already has it or was declared unauthenticated.
 */
export function withSystemGroup(name: string, groups: readonly string[]): readonly string[] {
  if (groups.includes(GROUP_UNAUTHENTICATED)) return groups;
  if (name === ANONYMOUS) return [...groups, GROUP_UNAUTHENTICATED];
  return groups.includes(GROUP_AUTHENTICATED) ? groups : [...groups, GROUP_AUTHENTICATED];
}
