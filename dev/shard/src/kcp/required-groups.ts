import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import { BOOTSTRAPPER_GROUP, KCP_ADMIN_GROUP } from './bootstrap-policy.ts';
import type { LogicalCluster } from './objects.ts';

/** On a LogicalCluster: the groups of which a user must have one; between semicolons stand those that are needed together, with commas. */
export const REQUIRED_GROUPS_ANNOTATION = 'authorization.kcp.io/required-groups';

/** Whether the users together, whose rights count as one's, have the groups that the logical cluster requires, if it requires any. */
export function hasRequiredGroups({ metadata }: LogicalCluster, users: readonly Identity[]): boolean {
  const required = metadata.annotations?.[REQUIRED_GROUPS_ANNOTATION];
  if (required === undefined) return true;
  const groups = new Set(users.flatMap(user => user.groups));
  const alternatives = [...required.split(';'), KCP_ADMIN_GROUP, BOOTSTRAPPER_GROUP];
  // Nothing is trimmed: an empty alternative asks for the group without a name, which nobody has.
  return alternatives.some(alternative => alternative.split(',').every(group => groups.has(group)));
}
