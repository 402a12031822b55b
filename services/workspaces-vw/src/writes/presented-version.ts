import type { Snapshot } from '../index/snapshot.ts';

/** A version that no object has any more: the shard answers 409, after it has looked who asks. */
export const LONG_GONE = '1';

/**
 * A resourceVersion that a client of the view presents, as the shard of the object knows it. It holds as long as the object has not changed since;
 * one from the future, or of another process, does not hold. What is no version, or none, is the shard's to judge.
 */
export function upstreamVersionOf(given: string, snapshot: Snapshot, head: bigint): string {
  if (!/^[1-9]\d*$/.test(given)) return given;
  const version = BigInt(given);
  return version >= snapshot.objectVersion && version <= head ? snapshot.upstreamVersion : LONG_GONE;
}
