/** What is asked of everybody. */
import { GZIP } from '../case.ts';
import type { RequestsJob, Step } from '../load/job.ts';
import type { Processes } from '../proc/usage.ts';
import type { Access } from '../target.ts';
import { LANE_COUNT, SHARED, TOUCH } from './content.ts';
import type { SyncerJob } from './job.ts';

/** In the order of the report. `pass-through`: the view of the APIExport, through which the view of the syncer gets the same objects. */
export const CONTENDERS = ['syncer', 'pass-through', 'shard'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

export interface SyncerContender {
  readonly name: ContenderName;
  readonly access: Access;
  /** Deployments of all logical clusters, and the selector of those that the target shares; empty where a view adds it. */
  readonly all: string;
  readonly selector: string;
  /** Before `/apis` of the consumer. */
  readonly one: string;
  /** Before `/apis`, for discovery. */
  readonly discovery: string;
  /** Who has a target for itself; the others write to objects that are not synced. */
  readonly writing: { readonly access: Access; readonly one: string };
}

export interface Content {
  readonly contenders: readonly SyncerContender[];
  /** Of the shared Deployments, a version from which nothing has changed: watches begin there. */
  readonly version: () => Promise<string>;
  /** Names of Deployments whose status is written for the first time, each once: other ones for each call. */
  readonly unreported: (contender: ContenderName, count: number) => Promise<readonly string[]>;
  /** Names of Deployments whose status is written again and again: of those that are promoted, or not. */
  readonly reporting: (contender: ContenderName, isPromoted: boolean) => readonly string[];
}

export interface Timing {
  readonly warmUp: number;
  readonly duration: number;
}

export interface SyncerCase {
  readonly title: string;
  /** What one operation is. */
  readonly unit: string;
  job(contender: SyncerContender, content: Content, timing: Timing, processes: Processes): Promise<SyncerJob>;
}

/** Milliseconds between two looks at the memory. */
const SAMPLING = 100;
const API = '/apis/apps/v1';
const WATCHERS = 20;
const EVENTS = 200;
/** Milliseconds between two of them. */
const INTERVAL = 20;

/** So many objects that have no status yet, in each round. */
export const UNREPORTED = 320;
/** Writes of each of the objects whose status is written again and again: first those that are not counted. */
const REPEATED = { before: 10, times: 40 };

export const pathOf = (one: string, namespace: string, name: string): string =>
  `${one}${API}/namespaces/${namespace}/deployments/${name}`;
export const collectionOf = (prefix: string, suffix: string): string => `${prefix}${API}/deployments${suffix}`;

const requests = (
  access: Access,
  concurrency: number,
  step: Pick<Step, 'path' | 'headers'>,
  timing: Timing,
  processes: Processes,
): RequestsJob => ({
  ...{ kind: 'requests', protocol: 'HTTP/1.1', sessions: 1, sampling: SAMPLING },
  ...{ access, concurrency, processes, ...timing, steps: [{ method: 'GET', status: 200, ...step }] },
});

const list = (title: string, headers: NonNullable<Step['headers']>): SyncerCase => ({
  ...{ title, unit: 'list' },
  job: async ({ access, all, selector }, _, timing, processes) =>
    requests(access, 2, { path: `${all}?${selector}`, headers }, timing, processes),
});

const statuses = (
  title: string,
  paths: (contender: SyncerContender, content: Content) => Promise<readonly string[]>,
  pace: typeof REPEATED,
): SyncerCase => ({
  ...{ title, unit: 'write' },
  job: async (contender, content, _, processes) => ({
    ...{ kind: 'statuses', access: contender.writing.access, processes, lanes: LANE_COUNT, ...pace },
    paths: await paths(contender, content),
  }),
});

const CASES = {
  'list-gzip': list('LIST of all, gzip', GZIP),
  list: list('LIST of all, plain', {}),
  get: {
    ...{ title: 'GET of one', unit: 'request' },
    job: async ({ access, one }, _, timing, processes) =>
      requests(access, LANE_COUNT, { path: pathOf(one, SHARED, 'web-0') }, timing, processes),
  },
  'fan-out': {
    ...{ title: `${WATCHERS} watchers × ${EVENTS} changes`, unit: 'delivery' },
    async job({ access, all, selector }, { contenders, version }, _, processes) {
      const shard = contenders.find(({ name }) => name === 'shard');
      if (shard === undefined) throw new Error('nobody writes to the shard');
      const headers = { 'content-type': 'application/merge-patch+json' };
      const touch = { method: 'PATCH', path: pathOf(shard.one, SHARED, 'web-0'), headers, body: TOUCH, status: 200 };
      return {
        ...{ kind: 'fan-out', access, processes, watchers: WATCHERS, perSession: WATCHERS },
        path: `${all}?watch=true&resourceVersion=${await version()}${selector && `&${selector}`}`,
        ...{ writer: shard.access, write: touch, cleanUp: touch, events: EVENTS, interval: INTERVAL },
      };
    },
  },
  'status-first': statuses('first status, promoted', ({ name }, { unreported }) => unreported(name, UNREPORTED), {
    before: 0,
    times: 1,
  }),
  'status-promoted': statuses('status, promoted', async ({ name }, { reporting }) => reporting(name, true), REPEATED),
  'status-unpromoted': statuses('status, not promoted', async ({ name }, { reporting }) => reporting(name, false), REPEATED),
  discovery: {
    ...{ title: 'discovery of a group version', unit: 'request' },
    job: async ({ access, discovery }, _, timing, processes) =>
      requests(access, LANE_COUNT, { path: `${discovery}${API}` }, timing, processes),
  },
} satisfies Record<string, SyncerCase>;

export type CaseName = keyof typeof CASES;
export const CASE_NAMES = Object.keys(CASES) as readonly CaseName[];
export const caseNamed = (name: CaseName): SyncerCase => CASES[name];
