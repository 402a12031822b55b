import type { KeyPair } from '@kcp-vw/e2e/support/certificates.ts';
import type { TargetDescription } from '@kcp-vw/e2e/target.ts';
import type { Processes } from './proc/usage.ts';

/** How every request to a server is sent. */
export interface Access {
  /** Base URL without a path. */
  readonly url: string;
  /** PEM of who signed the server's certificate. */
  readonly authority: string;
  readonly keyPair: KeyPair;
  /** A value that is an array is sent as one line each. */
  readonly headers: Readonly<Record<string, string | string[]>>;
}

/** In the order of the report. */
export const CONTENDERS = [
  'shard',
  'shard-as-owner',
  'shard-as-caller',
  'fleet',
  'fleet-impersonate',
  'fleet-registered',
  'single',
  'kcp-go',
  'pass-through',
  'nginx',
] as const;
export type ContenderName = (typeof CONTENDERS)[number];

/**
 * A server that is measured: a virtual workspace, a proxy that knows nothing of them, or the shard that they all stand before. `P`: the
 * paths of what it is asked for.
 */
export interface Contender<P = unknown> {
  readonly name: ContenderName;
  readonly access: Access;
  readonly paths: P;
  /** How many it can hold at a time; 0: it takes a connection for each, which says nothing about watches. */
  readonly watches: number;
  /** Processes of its own; none for the shard, which is measured beside everybody. */
  readonly pids: readonly number[];
}

/** The names of the groups of processes that every cell measures. */
export const OURS = 'contender';
export const SHARD = 'shard';
/** Front proxy and cache server: known, so that they are not taken for a disturbance. */
export const REST = 'rest of kcp';

/** A shard with virtual workspaces of its own, which are not measured. */
export interface StartedShard {
  /** One line: what it is. */
  readonly description: string;
  readonly target: TargetDescription;
  /** Executable and parameters of its virtual workspaces. */
  readonly command: readonly string[];
  /** kcp's own program for virtual workspaces, where there is one. */
  readonly goProgram?: string;
  readonly processes: Processes;
  /** The last lines of the logs. */
  logTails(): string;
  end(): Promise<void>;
}

export interface ShardOptions {
  /** Absolute; everything that the servers write goes below it. */
  readonly workDir: string;
  readonly stop: AbortSignal;
}

export const TARGETS = ['kcp', 'dev'] as const;
export type TargetName = (typeof TARGETS)[number];

/** A kind of shard: kcp itself, or something that behaves like it. */
export interface ShardKind {
  readonly name: TargetName;
  /** Why it cannot be had on this machine; undefined when it can. */
  unavailable(): string | undefined;
  start(options: ShardOptions): Promise<StartedShard>;
}

/** A shard with content, and with everything that stands before it. */
export interface Target {
  readonly description: string;
  readonly contenders: readonly Contender[];
  readonly processes: Processes;
  /** The shard as the fan-out's writer sees it. */
  readonly writer: Contender;
}
