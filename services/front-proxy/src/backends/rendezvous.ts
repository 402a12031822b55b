import { hash } from 'node:crypto';

/**
 * The one of several that belongs to a key: the same for every front proxy, and when one comes or goes only the keys that it gets or had are moved
 * (highest random weight). `nameOf` tells them apart. At least one is given.
 */
export function rendezvous<T>(key: string, candidates: readonly T[], nameOf: (candidate: T) => string): T {
  const weighed = candidates.map(candidate => ({ candidate, weight: hash('sha256', JSON.stringify([nameOf(candidate), key])) }));
  return weighed.reduce((best, other) => (other.weight > best.weight ? other : best)).candidate;
}
