import { createHash } from 'node:crypto';
import { type LabelSelector, matchesLabels } from '@kcp-vw/shared/kube/selectors.ts';
import type { SyncTargetKey } from '../transform/names.ts';
import { isReady } from './conditions.ts';
import type { SyncTarget } from './sync-target.ts';
import { parseTimestamp } from './timestamps.ts';

/** Which SyncTargets namespaces go to. */
export interface Placement {
  /** Over the labels of SyncTargets; the empty one takes all. */
  readonly selector: LabelSelector;
  /** On how many targets at once, if there are so many. */
  readonly spread: number;
}

export interface PlacedNamespace {
  readonly cluster: string;
  readonly name: string;
  /** The keys of the targets that it is on, those that it is leaving not among them. */
  readonly current: readonly SyncTargetKey[];
}

export interface PlacementDecision {
  /** Sorted. */
  readonly keys: readonly SyncTargetKey[];
  /** When to decide again although nothing has changed: a target evicts then. */
  readonly recheckAfterMs?: number;
}

/**
 * The targets of a namespace at `now` (milliseconds since the epoch). It stays where it is as long as it may: targets that come
 * move nothing. Targets for the places that are free are drawn by rendezvous hashing, so that the same namespace goes to the same
 * of the same targets, and the namespaces of a target that goes are spread over all others.
 */
export function placementOf(
  namespace: PlacedNamespace,
  { selector, spread }: Placement,
  targets: ReadonlyMap<SyncTargetKey, SyncTarget>,
  now: number,
): PlacementDecision {
  const candidates = [...targets].filter(
    ([, target]) => matchesLabels(selector, target.metadata?.labels) && mayKeep(target, now),
  );
  const drawn = candidates.map(([key, target]) => ({
    key,
    isThere: namespace.current.includes(key),
    mayCome: target.spec?.unschedulable !== true,
    rank: rankOf(namespace, key),
  }));
  const keys = drawn
    .filter(({ isThere, mayCome }) => isThere || mayCome)
    .sort((a, b) => Number(b.isThere) - Number(a.isThere) || (a.rank < b.rank ? -1 : 1))
    .slice(0, Math.max(0, spread))
    .map(({ key }) => key)
    .sort();
  const recheckAfterMs = nextEviction([...targets.values()], now);
  return { keys, ...(recheckAfterMs !== undefined && { recheckAfterMs }) };
}

/** Whether a target may have namespaces: it is not going, its syncer is alive, and it does not evict. */
function mayKeep({ metadata, spec, status }: SyncTarget, now: number): boolean {
  const evictAfter = evictionOf(spec);
  return !metadata?.deletionTimestamp && isReady(status?.conditions) && (evictAfter === undefined || now < evictAfter);
}

function nextEviction(targets: readonly SyncTarget[], now: number): number | undefined {
  const waits = targets.map(({ spec }) => (evictionOf(spec) ?? now) - now).filter(wait => wait > 0);
  return waits.length === 0 ? undefined : Math.min(...waits);
}

const evictionOf = (spec: SyncTarget['spec']): number | undefined =>
  spec?.evictAfter === undefined ? undefined : parseTimestamp(spec.evictAfter);

/** Neither a key nor the names have a slash. */
const rankOf = ({ cluster, name }: PlacedNamespace, key: SyncTargetKey): string =>
  createHash('sha256').update(`${key}/${cluster}/${name}`).digest('hex');
