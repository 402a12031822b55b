/** What is asked of the views of content and logical clusters that wait for a type. */
import { type Case, fanOut, GZIP, get, H2, idle, type Load, requests, type StepsOf, type Watched } from '../case.ts';
import { configMap } from '../objects.ts';
import type { Contender } from '../target.ts';
import { CREATED, EVENTS, LOGICAL_CLUSTER_COUNT, namespaceOf, type Size } from './content.ts';
import type { LifecyclePaths } from './paths.ts';

type Measured = Case<LifecyclePaths>;
type Steps = StepsOf<LifecyclePaths>;

const configMaps = ({ paths: { content } }: Contender<LifecyclePaths>, namespace: string): string =>
  `${content}/api/v1/namespaces/${namespace}/configmaps`;

function list(size: Size, load: Load, gzip: boolean): Measured {
  const name = ['list', size, ...(gzip ? ['gzip'] : []), ...(load.protocol === H2 ? ['h2'] : [])].join('-');
  const title = `LIST of ${size.toLocaleString('en')} configmaps, ${gzip ? 'gzip' : 'plain'}`;
  return requests(name, title, load, contender => get(configMaps(contender, namespaceOf(size)), gzip ? GZIP : {}));
}

const createAndDelete: Steps = contender => {
  const path = configMaps(contender, CREATED);
  return [
    { method: 'POST', path, body: configMap('{name}'), status: 201 },
    { method: 'DELETE', path: `${path}/{name}`, status: 200 },
  ];
};

const EVENT: Watched<LifecyclePaths> = {
  watched: contender => configMaps(contender, EVENTS),
  written: writer => configMaps(writer, EVENTS),
  object: configMap('{name}'),
};

const oneMap: Steps = contender => get(`${configMaps(contender, namespaceOf(10))}/map-0`);
const discovery: Steps = ({ paths }) => get(paths.discovery);
const DISCOVERY = 'discovery of a group version (wildcard)';

export const GET = requests('get', 'GET of one configmap', { concurrency: 16 }, oneMap);

export const CASES: readonly Measured[] = [
  // First: the memory of an open watch shows only before anything else has grown the heap.
  idle(contender => configMaps(contender, CREATED)),
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
  requests('clusters', `LIST of ${LOGICAL_CLUSTER_COUNT} logical clusters (wildcard), gzip`, { concurrency: 16 }, ({ paths }) =>
    get(paths.logicalClusters, GZIP),
  ),
  requests('discovery', DISCOVERY, { concurrency: 16 }, discovery),
  requests('discovery-h2', DISCOVERY, { concurrency: 16, protocol: H2, thorough: true }, discovery),
  fanOut('fan-out', 'one every 200 ms', 200, EVENT),
  fanOut('fan-out-burst', 'as fast as the shard takes them', 0, EVENT, true),
];
