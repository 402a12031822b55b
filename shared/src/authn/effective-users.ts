/** Whose rights count where: kcp's `EffectiveUsers` (`pkg/registry/rbac/validation/kcp.go` in kcp's Kubernetes). */
import { WARRANT_KEY } from './faces.ts';
import { ANONYMOUS, GROUP_AUTHENTICATED, GROUP_UNAUTHENTICATED, type Identity } from './identity.ts';
import { perObject } from './per-object.ts';
import { isRecord } from './records.ts';
import { CLUSTER_NAME_KEY, SCOPES_KEY, SERVICE_ACCOUNT_PREFIX } from './service-account-name.ts';

const CLUSTER_SCOPE = 'cluster:';

/**
 * How many warrants of one identity are looked at, and how deep in one another. kcp looks at all; a view adds one for each hop. A warrant
 * only adds rights, so that those beyond are as if they were not there.
 */
export const MAX_WARRANTS = 64;
export const MAX_WARRANT_DEPTH = 8;

export const isServiceAccount = ({ name }: Identity): boolean => name.startsWith(SERVICE_ACCOUNT_PREFIX);

/** Scopes are split once for each identity: their values may name thousands of logical clusters, each of which is asked about. */
const scopesOf = perObject(({ extra }: Identity): readonly ReadonlySet<string>[] =>
  (extra[SCOPES_KEY] ?? []).map(scopes => new Set(scopes.split(','))),
);

/**
 * Whether the identity means anything in the logical cluster (undefined: one that nobody names); out of its scope it is only somebody
 * authenticated.
 */
export function isInScope(who: Identity, cluster: string | undefined): boolean {
  if (isServiceAccount(who) && isForeign(who, cluster)) return false;
  return scopesOf(who).every(scopes => cluster !== undefined && scopes.has(CLUSTER_SCOPE + cluster));
}

/** A service account that names no cluster is taken for a local one; one that names two is local to none. */
function isForeign({ extra }: Identity, cluster: string | undefined): boolean {
  const clusters = extra[CLUSTER_NAME_KEY] ?? [];
  return clusters.length > 0 && !(clusters.length === 1 && clusters[0] === cluster);
}

/**
 * The identities whose rights count in the logical cluster (undefined: one that nobody names): the one given, where its scopes allow, and
 * those of its warrants, theirs included. Of one that is out of scope remains that it was authenticated.
 */
export function effectiveUsers(who: Identity, cluster: string | undefined): readonly Identity[] {
  const users: Identity[] = [];
  const outsiders = new Set<string>();
  for (const one of unfolded(who)) {
    if (isInScope(one, cluster)) users.push(one);
    else outsiders.add(one.groups.includes(GROUP_AUTHENTICATED) ? GROUP_AUTHENTICATED : GROUP_UNAUTHENTICATED);
    const global = globalServiceAccount(one);
    if (global) users.push(global);
  }
  return [...users, ...[...outsiders].sort().map(group => somebody(group, who))];
}

/** Logical clusters that scopes, a service account or warrants name. In all others the identity has the same effective users. */
export const clustersNamedBy = perObject((who: Identity): readonly string[] => {
  const named = unfolded(who).flatMap(one => [
    ...(isServiceAccount(one) ? (one.extra[CLUSTER_NAME_KEY] ?? []) : []),
    ...scopesOf(one).flatMap(scopes => [...scopes].filter(isClusterScope).map(scope => scope.slice(CLUSTER_SCOPE.length))),
  ]);
  return Object.freeze([...new Set(named)].sort());
});

/** The identity, then those of its warrants and of theirs. */
const unfolded = perObject((who: Identity): readonly Identity[] => {
  const all: Identity[] = [];
  const collect = (one: Identity, depth: number): void => {
    all.push(one);
    if (depth === MAX_WARRANT_DEPTH) return;
    for (const text of one.extra[WARRANT_KEY] ?? []) {
      if (all.length > MAX_WARRANTS) return;
      const warrant = parseWarrant(text);
      if (warrant === undefined) continue;
      // A service account is a name in one cluster only: a warrant for "the default one" would be a warrant for everyone's.
      if (isServiceAccount(warrant) && (warrant.extra[CLUSTER_NAME_KEY] ?? []).length === 0) continue;
      collect(Object.freeze({ ...warrant, groups: [...warrant.groups, ...scopeGroups(warrant)] }), depth + 1);
    }
  };
  collect(who, 0);
  return all;
});

const somebody = (group: string, who: Identity): Identity => ({
  name: ANONYMOUS,
  uid: '',
  groups: group === GROUP_AUTHENTICATED ? [group, ...scopeGroups(who)] : [group],
  extra: {},
});

/** How a service account is called outside its own logical cluster (feature gate `GlobalServiceAccount`, on since Kubernetes 1.35). */
export function globalServiceAccount(who: Identity): Identity | undefined {
  const clusters = who.extra[CLUSTER_NAME_KEY] ?? [];
  if (!isServiceAccount(who) || clusters.length !== 1) return undefined;
  return {
    name: `system:kcp:serviceaccount:${clusters[0]}:${who.name.slice(SERVICE_ACCOUNT_PREFIX.length)}`,
    uid: '',
    groups: [...who.groups.filter(group => group === GROUP_AUTHENTICATED), ...scopeGroups(who)],
    extra: who.extra,
  };
}

const isClusterScope = (scope: string): boolean => scope.startsWith(CLUSTER_SCOPE);

/** `system:cluster:<name>` for each cluster that all scopes agree on. */
function scopeGroups(who: Identity): string[] {
  const [first = new Set<string>(), ...further] = scopesOf(who);
  return [...first]
    .filter(scope => isClusterScope(scope) && further.every(scopes => scopes.has(scope)))
    .map(scope => `system:${scope}`);
}

/** Undefined for what is no warrant: it gives no rights, and is no error either. What is `null` is absent, as in Go. */
export function parseWarrant(text: string): Identity | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const user = value.user ?? '';
  const uid = value.uid ?? '';
  const groups = value.groups ?? [];
  const given = value.extra ?? {};
  if (typeof user !== 'string' || typeof uid !== 'string' || !isStrings(groups) || !isRecord(given)) return undefined;
  const extra = Object.entries(given).map(([key, values]) => [key, values ?? []] as const);
  if (!extra.every((entry): entry is readonly [string, string[]] => isStrings(entry[1]))) return undefined;
  return Object.freeze({ name: user, uid, groups, extra: Object.fromEntries(extra) });
}

const isStrings = (value: unknown): value is string[] => Array.isArray(value) && value.every(item => typeof item === 'string');
