import { ANONYMOUS, GROUP_AUTHENTICATED, GROUP_UNAUTHENTICATED, type Identity } from '@kcp-vw/shared/authn/identity.ts';
import { perObject } from '@kcp-vw/shared/authn/per-object.ts';
import { CLUSTER_NAME_EXTRA, WARRANT_EXTRA } from './warrant.ts';

/** The rights that a maximal permission policy leaves to users of the API are given to their names and groups with this before them. */
const PREFIX = 'apis.kcp.io:binding:';
const SCOPES_EXTRA = 'authentication.kcp.io/scopes';
const SERVICE_ACCOUNT = 'system:serviceaccount:';

/**
 * A user as a maximal permission policy knows him. Service accounts, who are only somebody in their own logical cluster, have their
 * global name, and without what would hold them back there. Worked out once for each user.
 */
export const prefixedUser: (who: Identity) => Identity = perObject(who => {
  const prefixed = prefix(who);
  if (!isServiceAccount(who)) return prefixed;
  const { [SCOPES_EXTRA]: _, [CLUSTER_NAME_EXTRA]: __, ...extra } = prefixed.extra;
  return Object.freeze({ ...prefixed, extra });
});

const isServiceAccount = ({ name }: Identity): boolean => name.startsWith(SERVICE_ACCOUNT);

/** kcp's `PrefixUser`. */
function prefix(who: Identity): Identity {
  const { name, uid, groups, extra } = who;
  const clusters = extra[CLUSTER_NAME_EXTRA] ?? [];
  const [home] = clusters;
  if (isServiceAccount(who) && (home === undefined || clusters.length !== 1)) return nobody(who);
  const globalName = isServiceAccount(who) ? `system:kcp:serviceaccount:${home}:${name.slice(SERVICE_ACCOUNT.length)}` : name;
  const { [WARRANT_EXTRA]: warrants = [], ...rest } = extra;
  const prefixedWarrants = warrants.flatMap(text => {
    const warrant = readWarrant(text);
    return warrant ? [writeWarrant(prefix(warrant))] : [];
  });
  return Object.freeze({
    name: PREFIX + globalName,
    uid,
    groups: Object.freeze(groups.map(group => PREFIX + group)),
    extra: Object.freeze({ ...rest, ...(prefixedWarrants.length > 0 && { [WARRANT_EXTRA]: prefixedWarrants }) }),
  });
}

/** A service account of no, or of more than one, logical cluster is nobody. */
function nobody({ groups }: Identity): Identity {
  const group = groups.includes(GROUP_AUTHENTICATED) ? GROUP_AUTHENTICATED : GROUP_UNAUTHENTICATED;
  return Object.freeze({ name: PREFIX + ANONYMOUS, uid: '', groups: Object.freeze([PREFIX + group]), extra: Object.freeze({}) });
}

/** Undefined for what is none: kcp passes it over. */
function readWarrant(text: string): Identity | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(parsed)) return undefined;
  const { user = '', uid = '', groups: givenGroups = [], extra: givenExtra = {} } = parsed;
  if (typeof user !== 'string' || typeof uid !== 'string' || !isRecord(givenExtra)) return undefined;
  const groups = texts(givenGroups);
  const extra = Object.entries(givenExtra).map(([key, value]) => [key, texts(value)] as const);
  // What is not all well-formed gives nothing: half of a warrant would be another user.
  if (groups === undefined || extra.some(([, values]) => values === undefined)) return undefined;
  return { name: user, uid, groups, extra: Object.fromEntries(extra) as Identity['extra'] };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const texts = (value: unknown): string[] | undefined =>
  Array.isArray(value) && value.every(one => typeof one === 'string') ? value : undefined;

const writeWarrant = ({ name, uid, groups, extra }: Identity): string =>
  JSON.stringify({
    user: name,
    ...(uid && { uid }),
    ...(groups.length > 0 && { groups }),
    ...(Object.keys(extra).length > 0 && { extra }),
  });
