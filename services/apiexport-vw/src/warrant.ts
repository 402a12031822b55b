import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import { perObject } from '@kcp-vw/shared/authn/per-object.ts';

/** Further users whose rights a shard adds to those of a user, as JSON; kcp's `WarrantExtraKey`. */
export const WARRANT_EXTRA = 'authorization.kcp.io/warrant';
export const CLUSTER_NAME_EXTRA = 'authentication.kcp.io/cluster-name';

/** A caller asks for few logical clusters at a time. */
const KEPT = 256;
const known = perObject((_: Identity) => new Map<string, Identity>());

/**
 * The caller with a warrant that makes him kcp's admin in one logical cluster, while admission and bound policies there still see who he is.
 * For what a view sends upstream after it has authorized the request itself.
 */
export function withWarrant(caller: Identity, cluster: string): Identity {
  const of = known(caller);
  const found = of.get(cluster);
  if (found) return found;
  const made = warranted(caller, cluster);
  if (of.size >= KEPT) of.clear();
  of.set(cluster, made);
  return made;
}

function warranted({ name, uid, groups, extra }: Identity, cluster: string): Identity {
  // The field order is Go's.
  const warrant = JSON.stringify({
    user: 'system:serviceaccount:default:rest',
    groups: ['system:kcp:admin'],
    extra: { [CLUSTER_NAME_EXTRA]: [cluster] },
  });
  const values = Object.freeze([...(extra[WARRANT_EXTRA] ?? []), warrant]);
  return Object.freeze({ name, uid, groups, extra: Object.freeze({ ...extra, [WARRANT_EXTRA]: values }) });
}
