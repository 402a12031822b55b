/** What is found out about one world. */
import type { Filled } from './protocol.ts';
import type { WorldSize } from './world.ts';

/** Milliseconds. */
export interface Times {
  readonly median: number;
  readonly p99: number;
}

export interface ListResult {
  readonly name: string;
  /** Workspaces in the answer. */
  readonly seen: number;
  readonly bytes: number;
  /** Milliseconds, where nobody has asked for these objects before; absent: they have been asked for. */
  readonly first?: number;
  readonly later: Times;
  /** Milliseconds of the measured process for a later one. */
  readonly cpu: number;
}

export interface ChangeResult {
  readonly name: string;
  /** Lines of the watch that tell of it. */
  readonly lines: number;
  /** That the index takes, with writing the lines to the sockets. */
  readonly write: Times;
  /** From when it is written into the index until the last of the lines is read. */
  readonly arrival: Times;
}

export interface EventResult extends ChangeResult {
  readonly perSecond: number;
  /** Milliseconds of the measured process for each line. */
  readonly cpuPerLine: number;
}

export interface WatchersResult {
  readonly watchers: number;
  /** Bytes for each watcher. */
  readonly heap: number;
  /** Bytes of heap for each that stay when they have gone. */
  readonly left: number;
  readonly events: readonly EventResult[];
}

export interface WorldResult {
  readonly size: WorldSize;
  readonly filled: Filled;
  readonly lists: readonly ListResult[];
  readonly changes: readonly ChangeResult[];
  readonly watchers: WatchersResult;
}
