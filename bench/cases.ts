/** What is measured: one entry per table of the report. */
import { CREATED, configMap, EVENTS, LOGICAL_CLUSTER_COUNT, namespaceOf, type Size } from './content.ts';
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

export interface Case {
  /** As `--cases` and `--profile` call it. */
  readonly name: string;
  readonly title: string;
  /** What one operation is. */
  readonly unit: string;
  /** What it is about: rate and CPU, how late events arrive, or what an open watch holds. */
  readonly about: 'rate' | 'lateness' | 'memory';
  /** Left out of a quick run, unless it is asked for. */
  readonly thorough?: true;
  /** Measured in one round only; its operations are many enough. */
  readonly once?: true;
  /** Undefined where the contender has no such thing. */
  job(contender: Contender, context: { processes: Processes; timing: Timing; writer: Contender }): Job | undefined;
}

const GZIP = { 'accept-encoding': 'gzip' };

interface Load {
  readonly protocol?: Protocol;
  readonly concurrency: number;
  readonly unit?: string;
  readonly thorough?: true;
}

/** Sessions that the lanes share over HTTP/2: client-go has one per client. */
const SESSIONS = 4;

function requests(
  name: string,
  title: string,
  { protocol = 'HTTP/1.1', concurrency, unit = 'requests', thorough }: Load,
  stepsOf: (contender: Contender) => readonly Step[] | undefined,
): Case {
  return {
    name,
    title: `${title}, ${protocol}, ${concurrency} at a time`,
    unit,
    about: 'rate',
    ...(thorough && { thorough }),
    job(contender, { processes, timing }) {
      const steps = stepsOf(contender);
      if (steps === undefined) return undefined;
      const sessions = Math.min(SESSIONS, concurrency);
      return { kind: 'requests', access: contender.access, processes, protocol, concurrency, sessions, steps, ...timing };
    },
  };
}

const configMaps = ({ content }: Contender, namespace: string): string => `${content}/api/v1/namespaces/${namespace}/configmaps`;

const get = (path: string | undefined, headers: Step['headers'] = {}): readonly Step[] | undefined =>
  path === undefined ? undefined : [{ method: 'GET', path, headers, status: 200 }];

function list(size: Size, load: Load, gzip: boolean): Case {
  const name = ['list', size, ...(gzip ? ['gzip'] : []), ...(load.protocol === 'HTTP/2' ? ['h2'] : [])].join('-');
  const title = `LIST of ${size.toLocaleString('en')} configmaps, ${gzip ? 'gzip' : 'plain'}`;
  return requests(name, title, load, contender => get(configMaps(contender, namespaceOf(size)), gzip ? GZIP : {}));
}

const createAndDelete = (contender: Contender): readonly Step[] => {
  const path = configMaps(contender, CREATED);
  return [
    { method: 'POST', path, body: configMap('{name}'), status: 201 },
    { method: 'DELETE', path: `${path}/{name}`, status: 200 },
  ];
};

const WATCHERS = 300;
const EVENT_COUNT = 30;
const IDLE_WATCHES = 1_000;
/** Below the 100 streams that Kubernetes-style servers allow on a connection. */
const PER_SESSION = 50;

function fanOut(name: string, pace: string, interval: number, thorough?: true): Case {
  return {
    name,
    title: `${WATCHERS} watchers × ${EVENT_COUNT} events, ${pace}, HTTP/2`,
    unit: 'deliveries',
    about: 'lateness',
    once: true,
    ...(thorough && { thorough }),
    job: (contender, { processes, writer }) =>
      contender.watches > 0
        ? {
            kind: 'fan-out',
            access: contender.access,
            processes,
            watchers: WATCHERS,
            perSession: PER_SESSION,
            path: `${configMaps(contender, EVENTS)}?watch=true`,
            writer: writer.access,
            write: { method: 'POST', path: configMaps(writer, EVENTS), body: configMap('{name}'), status: 201 },
            cleanUp: { method: 'DELETE', path: configMaps(writer, EVENTS), status: 200 },
            events: EVENT_COUNT,
            interval,
          }
        : undefined,
  };
}

const IDLE: Case = {
  name: 'idle',
  title: `${IDLE_WATCHES.toLocaleString('en')} idle watches (350 of kcp's own server), HTTP/2`,
  unit: 'watches',
  about: 'memory',
  once: true,
  thorough: true,
  job: (contender, { processes }) =>
    contender.watches > 0
      ? {
          kind: 'idle',
          access: contender.access,
          processes,
          watches: Math.min(IDLE_WATCHES, contender.watches - PER_SESSION),
          perSession: PER_SESSION,
          path: `${configMaps(contender, CREATED)}?watch=true`,
        }
      : undefined,
};

const H2 = 'HTTP/2';
const oneMap = (contender: Contender) => get(`${configMaps(contender, namespaceOf(10))}/map-0`);
const discovery = (contender: Contender) => get(contender.discovery);

/** The request that everybody answers. */
export const GET = requests('get', 'GET of one configmap', { concurrency: 16 }, oneMap);

export const CASES: readonly Case[] = [
  // First: the memory of an open watch shows only before anything else has grown the heap.
  IDLE,
  GET,
  requests('get-h2', 'GET of one configmap', { concurrency: 16, protocol: H2 }, oneMap),
  list(10, { concurrency: 16, thorough: true }, false),
  list(10, { concurrency: 16, thorough: true }, true),
  list(500, { concurrency: 4 }, false),
  list(500, { concurrency: 4 }, true),
  list(500, { concurrency: 4, protocol: H2, thorough: true }, true),
  list(5_000, { concurrency: 2, thorough: true }, false),
  list(5_000, { concurrency: 2 }, true),
  requests('create', 'CREATE and DELETE of a configmap', { concurrency: 16, unit: 'pairs' }, createAndDelete),
  requests('clusters', `LIST of ${LOGICAL_CLUSTER_COUNT} logical clusters (wildcard), gzip`, { concurrency: 16 }, contender =>
    get(contender.logicalClusters, GZIP),
  ),
  requests('discovery', 'discovery of a group version (wildcard)', { concurrency: 16 }, discovery),
  requests(
    'discovery-h2',
    'discovery of a group version (wildcard)',
    { concurrency: 16, protocol: H2, thorough: true },
    discovery,
  ),
  fanOut('fan-out', 'one every 200 ms', 200),
  fanOut('fan-out-burst', 'as fast as the shard takes them', 0, true),
];
