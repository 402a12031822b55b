import { median, percentile } from '../statistics.ts';
import type { Lister } from './client.ts';
import type { Pace } from './pace.ts';
import type { Times } from './results.ts';
import type { ServerProcess } from './server-process.ts';
import type { World } from './world.ts';

/** What a measurement needs. */
export interface Run {
  readonly world: World;
  readonly server: ServerProcess;
  readonly socketPath: string;
  readonly lister: Lister;
  readonly pace: Pace;
  /** Tells versions of an object apart; another with each call. */
  readonly revision: () => number;
}

export const timesOf = (values: readonly number[]): Times => ({
  median: median(values),
  p99: percentile(
    values.toSorted((a, b) => a - b),
    0.99,
  ),
});
