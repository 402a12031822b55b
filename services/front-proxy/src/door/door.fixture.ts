import { createClientLimiter } from './client-limits.ts';
import type { FrontOptions } from './front.ts';

/** A front with one shard, which limits nobody and counts no forgeries: for tests of other things. */
export const OPEN_DOOR: Pick<FrontOptions, 'shardOf' | 'limits' | 'isForged'> = {
  shardOf: () => undefined,
  limits: createClientLimiter({ requestsInFlight: 0, watches: 0, requestsPerSecond: 0, burst: 0 }),
  isForged: () => false,
};
