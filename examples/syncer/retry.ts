import type { BackoffOptions } from '@kcp-vw/shared/informer/backoff.ts';

/** What fails is tried again soon, and never later than after half a minute. */
export const RETRY: BackoffOptions = { initial: 300, max: 30_000 };
