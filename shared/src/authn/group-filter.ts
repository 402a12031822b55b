import { GROUP_MASTERS } from './identity.ts';

/**
 * Groups that shards take as a decision already made. Behind a public face nobody has them, whatever is configured: kcp's own flag
 * replaces this list, and a deployment once lost it that way.
 */
const NEVER_PASSED_ON = [
  GROUP_MASTERS,
  'system:kcp:logical-cluster-admin',
  'system:kcp:initializer:*',
  'system:kcp:terminator:*',
] as const;

export interface GroupFilterOptions {
  /** Dropped beside the four that always are; a `*` at the end stands for anything. */
  readonly dropGroups: readonly string[];
  /** Kept of the others; empty: all. */
  readonly passOnGroups: readonly string[];
}

/** Which of a caller's groups go further behind a public face. What is dropped is dropped, also where it is to be passed on. */
export function createGroupFilter(options: GroupFilterOptions): (groups: readonly string[]) => readonly string[] {
  const { passOnGroups } = options;
  const isDropped = matcherOf([...NEVER_PASSED_ON, ...options.dropGroups]);
  const isPassedOn = passOnGroups.length === 0 ? () => true : matcherOf(passOnGroups);
  return groups => groups.filter(group => isPassedOn(group) && !isDropped(group));
}

/** A `*` counts at the end only, as in kcp. */
function matcherOf(patterns: readonly string[]): (group: string) => boolean {
  const exact = new Set(patterns.filter(pattern => !pattern.endsWith('*')));
  const prefixes = patterns.filter(pattern => pattern.endsWith('*')).map(pattern => pattern.slice(0, -1));
  return group => exact.has(group) || prefixes.some(prefix => group.startsWith(prefix));
}
