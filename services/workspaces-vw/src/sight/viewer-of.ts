import { clustersNamedBy, effectiveUsers, isInScope, isServiceAccount } from '@kcp-vw/shared/authn/effective-users.ts';
import { type Caller, isMasters } from '@kcp-vw/shared/authn/identity.ts';
import { perObject } from '@kcp-vw/shared/authn/per-object.ts';
import { CLUSTER_NAME_KEY } from '@kcp-vw/shared/authn/service-account-name.ts';
import type { Subject } from '../index/facts.ts';
import { EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP, LOGICAL_CLUSTER_ADMIN_GROUP } from './kcp-groups.ts';
import type { Effective, ViewerOf } from './viewer.ts';

export const userSubject = (name: string): Subject => `u:${name}`;
export const groupSubject = (group: string): Subject => `g:${group}`;

/** A caller's connection asks again and again: it is taken apart once. */
export const viewerOf: ViewerOf = perObject(caller => {
  const named = clustersNamedBy(caller);
  const isNamed = new Set(named);
  const known = new Map<string, Effective>();
  const elsewhere = effectiveIn(caller, undefined);
  const homes = isServiceAccount(caller) ? (caller.extra[CLUSTER_NAME_KEY] ?? []) : [];
  return Object.freeze({
    name: caller.name,
    seesEverything:
      isMasters(caller) ||
      elsewhere.groups.has(LOGICAL_CLUSTER_ADMIN_GROUP) ||
      elsewhere.groups.has(EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP),
    isServiceAccount: isServiceAccount(caller),
    ...(homes.length === 1 && { homeCluster: homes[0] as string }),
    named,
    elsewhere,
    in(cluster: string): Effective {
      if (!isNamed.has(cluster)) return elsewhere;
      const found = known.get(cluster) ?? effectiveIn(caller, cluster);
      known.set(cluster, found);
      return found;
    },
  });
});

/** `cluster` is undefined for one that the caller does not name. */
function effectiveIn(caller: Caller, cluster: string | undefined): Effective {
  const users = effectiveUsers(caller, cluster);
  const groups = new Set(users.flatMap(user => user.groups));
  const names = users.map(({ name }) => userSubject(name));
  return Object.freeze({
    subjects: new Set([...names, ...[...groups].map(groupSubject)]),
    groups,
    isLocalServiceAccount: isServiceAccount(caller) && isInScope(caller, cluster),
  });
}
