import { unauthorized } from '../kube/errors.ts';
import { createGroupFilter, type GroupFilterOptions } from './group-filter.ts';
import { type Caller, type Identity, identity } from './identity.ts';
import { CLUSTER_NAME_KEY, isWorkspaceCluster, SERVICE_ACCOUNT_PREFIX } from './service-account-name.ts';

/** Rights that a shard or a view has lent, as JSON of another user; whoever brings one has that user's rights. */
export const WARRANT_KEY = 'authorization.kcp.io/warrant';

/** What a face lets an authenticated user be. Throws a StatusError 401 for one that it does not take. */
export type Admit = (who: Identity, method: Caller['method']) => Identity;

/**
 * The face of kcp's binary believes what is said of a user, with one exception: an account of two logical clusters would be local to
 * both. One of none is kcp's own to send.
 */
export const admitAsServices: Admit = who => {
  if (isServiceAccount(who) && clusterNames(who).length > 1) throw unauthorized();
  return who;
};

/** What stands where kcp-front-proxy does takes nobody's word for more than a user can be. */
export function admitAsPublic(options: GroupFilterOptions): Admit {
  const filter = createGroupFilter(options);
  return (who, method) => {
    const { name, groups, uid } = who;
    const extra = method === 'request-header' ? who.extra : extraOfUsers(who);
    const admitted = identity(name, filter(groups), uid, extra);
    if (isServiceAccount(who)) checkCluster(admitted);
    return admitted;
  };
}

/**
 * What a certificate or a token may say of its user beside name and groups. A warrant is for shards and views to give, which speak as
 * trusted proxies: a forged one is total compromise, so that not even a reviewer's answer may hold one. The name of a logical cluster
 * makes somebody a local service account there, and says nothing of anybody else. Scopes only take away, and stay. Keys are compared in
 * lower case: the next hop may make them so.
 */
function extraOfUsers(who: Identity): Identity['extra'] {
  const keepsCluster = isServiceAccount(who);
  const kept = Object.entries(who.extra).filter(([key]) => {
    const lower = key.toLowerCase();
    return lower !== WARRANT_KEY && (keepsCluster || lower !== CLUSTER_NAME_KEY);
  });
  return Object.fromEntries(kept);
}

const isServiceAccount = ({ name }: Identity): boolean => name.startsWith(SERVICE_ACCOUNT_PREFIX);

/** Under every spelling of the key: one that is spelt otherwise could become a second value at the next hop. */
function clusterNames({ extra }: Identity): readonly string[] {
  return Object.entries(extra).flatMap(([key, values]) => (key.toLowerCase() === CLUSTER_NAME_KEY ? values : []));
}

/** Without a logical cluster the account would be a local one in every workspace that has one of the same name. */
function checkCluster(who: Identity): void {
  const [cluster, ...others] = clusterNames(who);
  const isOne = cluster !== undefined && others.length === 0 && Object.hasOwn(who.extra, CLUSTER_NAME_KEY);
  if (!isOne || !isWorkspaceCluster(cluster)) throw unauthorized();
}
