import { ANONYMOUS, GROUP_AUTHENTICATED, GROUP_UNAUTHENTICATED, type Identity } from '@kcp-vw/shared/authn/identity.ts';

/** Restricts an identity to logical clusters: each value is a comma-separated list, and all of them must name the cluster. */
export const SCOPES_KEY = 'authentication.kcp.io/scopes';
/** A second identity, as JSON, whose rights count besides those of the one that carries it. */
export const WARRANT_KEY = 'authorization.kcp.io/warrant';
/** The logical cluster that a service account belongs to. */
export const SERVICE_ACCOUNT_CLUSTER_KEY = 'authentication.kcp.io/cluster-name';

const CLUSTER_SCOPE = 'cluster:';
const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:';

export const isServiceAccount = ({ name }: Identity): boolean => name.startsWith(SERVICE_ACCOUNT_PREFIX);

/** Whether the identity means anything in the logical cluster: out of its scope it is only somebody authenticated. */
export function isInScope(who: Identity, cluster: string): boolean {
  if (isServiceAccount(who) && isForeign(who, cluster)) return false;
  return (who.extra[SCOPES_KEY] ?? []).every(scopes => scopes.split(',').includes(CLUSTER_SCOPE + cluster));
}

/** A service account that names no cluster is taken for a local one. */
function isForeign({ extra }: Identity, cluster: string): boolean {
  const clusters = extra[SERVICE_ACCOUNT_CLUSTER_KEY] ?? [];
  return clusters.length > 0 && !(clusters.length === 1 && clusters[0] === cluster);
}

/**
 * The identities whose rights count in the logical cluster: the one given, where its scopes allow, and those of its warrants, theirs
 * included. Of one that is out of scope remains that it was authenticated.
 */
export function effectiveUsers(who: Identity, cluster: string): readonly Identity[] {
  const users: Identity[] = [];
  let outsiders: readonly string[] = [];
  const collect = (one: Identity): void => {
    if (isInScope(one, cluster)) users.push(one);
    else outsiders = [...outsiders, one.groups.includes(GROUP_AUTHENTICATED) ? GROUP_AUTHENTICATED : GROUP_UNAUTHENTICATED];
    const global = globalServiceAccount(one);
    if (global) users.push(global);
    for (const warrant of (one.extra[WARRANT_KEY] ?? []).map(parseWarrant)) {
      if (!warrant) continue;
      // A service account is a name in one cluster only: a warrant for "the default one" would be a warrant for everyone's.
      if (isServiceAccount(warrant) && (warrant.extra[SERVICE_ACCOUNT_CLUSTER_KEY] ?? []).length === 0) continue;
      collect({ ...warrant, groups: [...warrant.groups, ...scopeGroups(warrant)] });
    }
  };
  collect(who);
  return [...users, ...[...new Set(outsiders)].sort().map(group => somebody(group, who))];
}

/**
 * The user as roles of maximal permission policies name him: the prefix before his name, that of a service account being its global one,
 * and before those of his groups and warrants. A service account of no certain logical cluster is only somebody authenticated.
 */
export function prefixUser(who: Identity, prefix: string): Identity {
  const { [WARRANT_KEY]: warrants = [], ...extra } = who.extra;
  const global = globalServiceAccount(who);
  if (isServiceAccount(who) && global === undefined) {
    const group = who.groups.includes(GROUP_AUTHENTICATED) ? GROUP_AUTHENTICATED : GROUP_UNAUTHENTICATED;
    return { name: prefix + ANONYMOUS, uid: '', groups: [prefix + group], extra: {} };
  }
  const prefixed = warrants.flatMap(text => {
    const warrant = parseWarrant(text);
    if (warrant === undefined) return [];
    const { name, ...rest } = prefixUser(warrant, prefix);
    return [JSON.stringify({ user: name, ...rest })];
  });
  return {
    name: prefix + (global ?? who).name,
    uid: who.uid,
    groups: who.groups.map(group => prefix + group),
    extra: { ...extra, ...(prefixed.length > 0 && { [WARRANT_KEY]: prefixed }) },
  };
}

const somebody = (group: string, who: Identity): Identity => ({
  name: ANONYMOUS,
  uid: '',
  groups: group === GROUP_AUTHENTICATED ? [group, ...scopeGroups(who)] : [group],
  extra: {},
});

/** How a service account is called outside its own logical cluster. */
function globalServiceAccount(who: Identity): Identity | undefined {
  const clusters = who.extra[SERVICE_ACCOUNT_CLUSTER_KEY] ?? [];
  if (!isServiceAccount(who) || clusters.length !== 1) return undefined;
  return {
    name: `system:kcp:serviceaccount:${clusters[0]}:${who.name.slice(SERVICE_ACCOUNT_PREFIX.length)}`,
    uid: '',
    groups: [...who.groups.filter(group => group === GROUP_AUTHENTICATED), ...scopeGroups(who)],
    extra: who.extra,
  };
}

/** `system:cluster:<name>` for each cluster that all scopes agree on. */
function scopeGroups({ extra }: Identity): string[] {
  const [first, ...further] = (extra[SCOPES_KEY] ?? []).map(scopes => scopes.split(','));
  return (first ?? [])
    .filter(scope => scope.startsWith(CLUSTER_SCOPE) && further.every(scopes => scopes.includes(scope)))
    .map(scope => `system:${scope}`);
}

/** Undefined for what is no warrant: it gives no rights, and is no error either. */
function parseWarrant(text: string): Identity | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { user = '', uid = '', groups = [], extra = {} } = value as Record<string, unknown>;
  if (typeof user !== 'string' || typeof uid !== 'string' || !isStrings(groups)) return undefined;
  if (typeof extra !== 'object' || extra === null) return undefined;
  if (!Object.values(extra).every(isStrings)) return undefined;
  return { name: user, uid, groups, extra: extra as Record<string, string[]> };
}

const isStrings = (value: unknown): value is string[] => Array.isArray(value) && value.every(item => typeof item === 'string');
