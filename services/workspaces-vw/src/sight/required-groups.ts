import type { RequiredGroups } from '../index/facts.ts';

/** One of the lists is needed, all in it. */
type Alternatives = readonly (readonly string[])[];

/** Texts that are kept taken apart. Nearly all logical clusters that ask for groups ask for those of their parents. */
const MOST_KEPT = 256;

/** The last ones taken apart, the oldest first. */
const kept = new Map<RequiredGroups, Alternatives>();

/** As kcp's `requiredgroups_authorizer.go` splits it: an empty text is a group without a name. */
export function isSatisfied(required: RequiredGroups, groups: ReadonlySet<string>): boolean {
  const alternatives = kept.get(required) ?? takenApart(required);
  return alternatives.some(all => all.every(group => groups.has(group)));
}

function takenApart(required: RequiredGroups): Alternatives {
  const alternatives = required.split(';').map(groups => groups.split(','));
  const [oldest] = kept.keys();
  if (oldest !== undefined && kept.size >= MOST_KEPT) kept.delete(oldest);
  kept.set(required, alternatives);
  return alternatives;
}
