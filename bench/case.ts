/** What is measured: one entry per table of the report; and the kinds of it that the workloads share. */
import type { Job, Protocol, Step } from './load/job.ts';
import type { Processes } from './proc/usage.ts';
import type { Contender } from './target.ts';

/** Milliseconds. */
export interface Timing {
  /** Of requests to each contender before the first case: a program of Node compiles what it runs often, for seconds. */
  readonly compilation: number;
  readonly warmUp: number;
  readonly duration: number;
}

export interface JobContext<P = unknown> {
  readonly processes: Processes;
  readonly timing: Timing;
  /** The shard, into which events are written. */
  readonly writer: Contender<P>;
}

/** `P`: the paths that a contender of its workload has. */
export interface Case<P = unknown> {
  /** As `--cases` and `--profile` call it. */
  readonly name: string;
  readonly title: string;
  /** What one operation is. */
  readonly unit: string;
  /** What it is about: rate and CPU, how late events arrive, what an open watch holds, or whether memory grows under load. */
  readonly about: 'rate' | 'lateness' | 'memory' | 'growth';
  /** Left out of a quick run, unless it is asked for. */
  readonly thorough?: true;
  /** Measured in one round only; its operations are many enough. */
  readonly once?: true;
  /** Rounds for each one of the others: on a machine that is shared, a narrow budget is only seen in many. */
  readonly rounds?: number;
  /** Undefined where the contender has no such thing. */
  job(contender: Contender<P>, context: JobContext<P>): Job | undefined;
}

export interface Load {
  readonly protocol?: Protocol;
  readonly concurrency: number;
  readonly unit?: string;
  readonly thorough?: true;
  readonly rounds?: number;
}

export const H2 = 'HTTP/2';
export const GZIP = { 'accept-encoding': 'gzip' };

/** Sessions that the lanes share over HTTP/2: client-go has one per client. */
const SESSIONS = 4;

/** The steps are the requests of one operation; undefined where the contender is not asked for it. */
export type StepsOf<P> = (contender: Contender<P>) => readonly Step[] | undefined;

const described = (title: string, { concurrency, protocol = 'HTTP/1.1', rounds = 1 }: Load): string =>
  `${title}, ${protocol}, ${concurrency} at a time${rounds === 1 ? '' : `, ${rounds} times as many rounds`}`;

/** Lanes and connections of a load. */
const lanesOf = ({ concurrency, protocol = 'HTTP/1.1' }: Load) => ({
  protocol,
  concurrency,
  sessions: Math.min(SESSIONS, concurrency),
});

export function requests<P>(name: string, title: string, load: Load, stepsOf: StepsOf<P>): Case<P> {
  return {
    name,
    title: described(title, load),
    unit: load.unit ?? 'requests',
    about: 'rate',
    ...(load.thorough && { thorough: true }),
    ...(load.rounds && { rounds: load.rounds }),
    job(contender, { processes, timing }) {
      const steps = stepsOf(contender);
      return steps && { kind: 'requests', access: contender.access, processes, ...lanesOf(load), steps, ...timing };
    },
  };
}

/** So many times the duration of other cases. */
const GROWTH_DURATIONS = 10;
/** Milliseconds between two looks at the memory. */
const SAMPLING = 250;

/** The same operations for longer, for what becomes of the memory. */
export function growth<P>(name: string, title: string, load: Load, stepsOf: StepsOf<P>): Case<P> {
  return {
    name,
    title: described(title, load),
    unit: load.unit ?? 'requests',
    about: 'growth',
    once: true,
    job(contender, { processes, timing }) {
      const steps = stepsOf(contender);
      const times = { warmUp: timing.compilation, duration: timing.duration * GROWTH_DURATIONS, sampling: SAMPLING };
      return steps && { kind: 'requests', access: contender.access, processes, ...lanesOf(load), steps, ...times };
    },
  };
}

/** The one request that reads a path. */
export const get = (path: string | undefined, headers: Step['headers'] = {}): readonly Step[] | undefined =>
  path === undefined ? undefined : [{ method: 'GET', path, headers, status: 200 }];

const WATCHERS = 300;
const EVENT_COUNT = 30;
const IDLE_WATCHES = 1_000;
/** Below the 100 streams that Kubernetes-style servers allow on a connection. */
const PER_SESSION = 50;

/** Paths of collections, without a query. */
export interface Watched<P> {
  /** Where the contender watches; undefined where it is not asked to. */
  watched(contender: Contender<P>): string | undefined;
  /** Where the shard is written to. */
  written(writer: Contender<P>): string;
  /** What is written, as JSON with `{name}` for the name. */
  readonly object: string;
}

const watchOf = (collection: string): string => `${collection}?watch=true`;

/** `interval`: milliseconds between two events. */
export function fanOut<P>(name: string, pace: string, interval: number, content: Watched<P>, thorough?: true): Case<P> {
  return {
    name,
    title: `${WATCHERS} watchers × ${EVENT_COUNT} events, ${pace}, HTTP/2`,
    unit: 'deliveries',
    about: 'lateness',
    once: true,
    ...(thorough && { thorough }),
    job(contender, { processes, writer }) {
      const watched = contender.watches > 0 ? content.watched(contender) : undefined;
      if (watched === undefined) return undefined;
      const written = content.written(writer);
      return {
        kind: 'fan-out',
        access: contender.access,
        processes,
        watchers: WATCHERS,
        perSession: PER_SESSION,
        path: watchOf(watched),
        writer: writer.access,
        write: { method: 'POST', path: written, body: content.object, status: 201 },
        cleanUp: { method: 'DELETE', path: written, status: 200 },
        events: EVENT_COUNT,
        interval,
      };
    },
  };
}

export function idle<P>(watched: Watched<P>['watched']): Case<P> {
  return {
    name: 'idle',
    title: `${IDLE_WATCHES.toLocaleString('en')} idle watches (350 of kcp's own server), HTTP/2`,
    unit: 'watches',
    about: 'memory',
    once: true,
    thorough: true,
    job(contender, { processes }) {
      const collection = contender.watches > 0 ? watched(contender) : undefined;
      if (collection === undefined) return undefined;
      const watches = Math.min(IDLE_WATCHES, contender.watches - PER_SESSION);
      return {
        kind: 'idle',
        access: contender.access,
        processes,
        watches,
        perSession: PER_SESSION,
        path: watchOf(collection),
      };
    },
  };
}
