import type { Exports, KnownSyncTarget, SyncTargets } from '../knowledge/knowledge.ts';
import type { ApiFlavour } from './api-flavour.ts';
import { type ApiSet, apiSetOf, offerTo } from './api-set.ts';

/** What one view serves to each SyncTarget. */
export interface ApiSets {
  /** The same set for as long as nothing of it changes, and for all targets that are given the same. */
  of(target: KnownSyncTarget): ApiSet;
  /** What is kept: sets, and targets that have been asked for. */
  readonly size: { readonly sets: number; readonly targets: number };
}

interface Known {
  readonly object: KnownSyncTarget['object'];
  /** How often exports had changed. */
  readonly exports: number;
  readonly shared: Shared;
}

/** A set in use. Documents are made per set, and those of a set with OpenAPI are large. */
interface Shared {
  readonly fingerprint: string;
  readonly set: ApiSet;
  users: number;
}

/** Kept for each target that is there and was asked for. A target changes with every heartbeat, which is no reason for another set. */
export function createApiSets(
  targets: Pick<SyncTargets, 'onChange'>,
  exports: Pick<Exports, 'find' | 'compute' | 'onChange'>,
  flavour: ApiFlavour,
): ApiSets {
  const byTarget = new Map<string, Known>();
  const byFingerprint = new Map<string, Shared>();
  let changes = 0;

  const release = (known: Known | undefined): void => {
    if (known === undefined) return;
    known.shared.users -= 1;
    if (known.shared.users === 0) byFingerprint.delete(known.shared.fingerprint);
  };
  const sharedOf = (target: KnownSyncTarget): Shared => {
    const offer = offerTo(target, exports, flavour);
    const known = byFingerprint.get(offer.fingerprint);
    if (known) return known;
    const made = { fingerprint: offer.fingerprint, set: apiSetOf(offer, flavour), users: 0 };
    byFingerprint.set(offer.fingerprint, made);
    return made;
  };

  exports.onChange(() => {
    changes += 1;
  });
  targets.onChange(({ type, target }) => {
    if (type !== 'DELETED') return;
    release(byTarget.get(target.key));
    byTarget.delete(target.key);
  });

  return {
    of(target) {
      const known = byTarget.get(target.key);
      if (known?.object === target.object && known.exports === changes) return known.shared.set;
      const shared = sharedOf(target);
      shared.users += 1;
      release(known);
      byTarget.set(target.key, { object: target.object, exports: changes, shared });
      return shared.set;
    },
    get size() {
      return { sets: byFingerprint.size, targets: byTarget.size };
    },
  };
}
