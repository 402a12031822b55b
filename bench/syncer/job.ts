import type { FanOutJob, RequestsJob } from '../load/job.ts';
import type { Processes } from '../proc/usage.ts';
import type { Access } from '../target.ts';

/** Statuses of objects, each written again and again, with the version that the answer before has shown. */
export interface StatusJob {
  readonly kind: 'statuses';
  readonly access: Access;
  readonly processes: Processes;
  /** Of the objects, as whoever writes them sees them. */
  readonly paths: readonly string[];
  /** Objects that are written at a time. */
  readonly lanes: number;
  /** Writes of each that are not counted, before those that are. */
  readonly before: number;
  readonly times: number;
}

export type SyncerJob = RequestsJob | FanOutJob | StatusJob;
