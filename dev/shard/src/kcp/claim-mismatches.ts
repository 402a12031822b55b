import { isDeepStrictEqual } from 'node:util';
import type { AcceptableClaim, PermissionClaim } from './api-objects.ts';

/** What a claim is known by: verbs and selectors may change. */
export const claimKey = ({ group = '', resource, identityHash = '' }: PermissionClaim): string =>
  `${resource}/${group}/${identityHash}`;

/** How accepted claims differ from what the export asks for, in kcp's words: `secrets. (verbs: accepted [get], exported [get list])`. */
export function claimMismatches(accepted: readonly AcceptableClaim[], exported: readonly PermissionClaim[]): string[] {
  const asked = new Map(exported.map(claim => [claimKey(claim), claim]));
  return accepted.flatMap(claim => {
    const wish = asked.get(claimKey(claim));
    if (wish === undefined) return [];
    const differences = [...verbDifference(claim, wish), ...selectorDifference(claim, wish)];
    return differences.length === 0 ? [] : [`${claim.resource}.${claim.group ?? ''} (${differences.join('; ')})`];
  });
}

function verbDifference({ verbs: accepted = [] }: PermissionClaim, { verbs: exported = [] }: PermissionClaim): string[] {
  if (accepted.includes('*') || exported.includes('*')) return [];
  const isSame = accepted.every(verb => exported.includes(verb)) && exported.every(verb => accepted.includes(verb));
  return isSame ? [] : [`verbs: accepted [${accepted.join(' ')}], exported [${exported.join(' ')}]`];
}

function selectorDifference({ selector = {} }: AcceptableClaim, { defaultSelector }: PermissionClaim): string[] {
  const isSame = defaultSelector === undefined || isDeepStrictEqual(selector, defaultSelector);
  return isSame ? [] : ['selector differs from defaultSelector'];
}
