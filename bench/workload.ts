/** What contenders are compared by: content at the shard, and what is asked about it. */
import type { Case, Timing } from './case.ts';
import type { Contender, ContenderName } from './target.ts';

export const WORKLOAD_NAMES = ['export', 'lifecycle'] as const;
export type WorkloadName = (typeof WORKLOAD_NAMES)[number];

export interface Pace {
  readonly timing: Timing;
  readonly rounds: number;
  /** Milliseconds that a run may spend on waiting for a quiet machine. */
  readonly patience: number;
}

/**
 * What is to be reached in one case: of kcp's own server at least so much of the rate, or at most so much of CPU per operation, p99 or
 * memory; or, of itself, at most so much growth.
 */
export interface Goal {
  readonly case: string;
  readonly contender: ContenderName;
  readonly of: 'rate' | 'CPU' | 'p99' | 'memory' | 'growth';
  readonly limit: number;
}

/** `P`: the paths that a contender has in it. */
export interface WorkloadKind<P = unknown> {
  readonly name: WorkloadName;
  /** In the order of the report. */
  readonly cases: readonly Case<P>[];
  /** The request that everybody answers. */
  readonly probe: Case<P>;
  /** Those that take part. */
  readonly contenders: readonly ContenderName[];
  /** Those of them that take part only when they are named. */
  readonly named: readonly ContenderName[];
  readonly full: Pace;
  readonly quick: Pace;
  readonly goals: readonly Goal[];
  /** Fills the target that `E2E_TARGET` describes. What it needs is loaded only now: it reads that description. */
  create(say: (text: string) => void, stop: AbortSignal): Promise<Workload<P>>;
}

/** Content at a shard, with everybody who can be asked for it. */
export interface Workload<P = unknown> {
  /** The shard itself, with the rights of masters. */
  readonly shard: Contender<P>;
  /** The shard in somebody's name, and under which name it is measured. */
  readonly impersonating: Contender<P>;
  /** Which of our services is asked: `apiexport-vw`. */
  readonly service: string;
  /** A path that it answers with 200 to masters. */
  readonly served: string;
  /** A server of virtual workspaces at the port. */
  view(name: ContenderName, port: number, pids: readonly number[]): Contender<P>;
  /** A proxy that passes the shard's paths on. */
  proxy(name: ContenderName, port: number, pids: readonly number[]): Contender<P>;
  /** Below which path a proxy sends which headers of impersonation; names and values alternate. */
  readonly proxied: { readonly prefix: string; readonly headers: readonly string[] };
}

/** kcp's own server takes a watch for an ordinary request: beyond its `--max-requests-inflight` it answers 429. */
const GO_WATCHES = 400;

/** How many watches a server of virtual workspaces can hold. */
export const watchesOf = (name: ContenderName): number => (name === 'kcp-go' ? GO_WATCHES : Number.POSITIVE_INFINITY);
