import type { Processes } from '../proc/usage.ts';
import type { Access } from '../target.ts';

export type Protocol = 'HTTP/1.1' | 'HTTP/2';

/** One request; in path and body `{name}` stands for a name that no other operation has, `{lane}` for a number that no other lane has. */
export interface Step {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The status that counts as success. */
  readonly status: number;
}

interface Common {
  readonly access: Access;
  /** Whose cost is taken over the measured time. */
  readonly processes: Processes;
}

/** Operations one after the other on each of `concurrency` lanes. */
export interface RequestsJob extends Common {
  readonly kind: 'requests';
  readonly protocol: Protocol;
  /** One connection each over HTTP/1.1; over HTTP/2 they share `sessions`. */
  readonly concurrency: number;
  readonly sessions: number;
  /** The requests of one operation. */
  readonly steps: readonly Step[];
  /** Milliseconds. */
  readonly warmUp: number;
  readonly duration: number;
  /** Milliseconds between looks at the memory, where what becomes of it is the question. */
  readonly sampling?: number;
}

/** Many watches of one collection, into which objects are written at the shard. */
export interface FanOutJob extends Common {
  readonly kind: 'fan-out';
  readonly watchers: number;
  readonly perSession: number;
  readonly path: string;
  readonly writer: Access;
  readonly write: Step;
  /** Removes what was written. */
  readonly cleanUp: Step;
  readonly events: number;
  /** Milliseconds between two writes, whether or not the first has arrived everywhere. */
  readonly interval: number;
}

/** Watches of a collection in which nothing happens, beside one session of them that is not counted. */
export interface IdleJob extends Common {
  readonly kind: 'idle';
  readonly watches: number;
  readonly perSession: number;
  readonly path: string;
}

export type Job = RequestsJob | FanOutJob | IdleJob;

/** What one job has measured. */
export interface Measurement {
  /** Of the job's unit: requests (or pairs of them), events delivered, watches opened. */
  readonly operations: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Of the bodies that were received, as they came over the wire. */
  readonly bytesPerOperation: number;
  /** Milliseconds per operation, by group of processes. */
  readonly cpu: Readonly<Record<string, number>>;
  /** Bytes at the end, by group; where memory was sampled, the most that there was. */
  readonly resident: Readonly<Record<string, number>>;
  /** Bytes that were added in the measured time, by group; where memory was sampled, from its first to its last quarter, on average. */
  readonly grown: Readonly<Record<string, number>>;
  /** Share of one processor that the load generator used: near 1 it was the limit, and the server could have done more. */
  readonly generator: number;
  /** Share of the machine's CPU time that went to neither the measured processes nor the load generator. */
  readonly elsewhere: number;
}

/** What the load generator answers to a job. */
export type Report = { readonly measurement: Measurement } | { readonly failed: string };
