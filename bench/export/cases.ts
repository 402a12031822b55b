/** What is asked of the view of an export. */
import { type Case, fanOut, GZIP, get, growth, H2, idle, type Load, requests, type StepsOf, type Watched } from '../case.ts';
import type { Step } from '../load/job.ts';
import {
  CONFIG_MAP_COUNT,
  CONSUMER_COUNT,
  changed,
  exported,
  GROUP,
  LANE_COUNT,
  secret,
  VERSION,
  WIDGET_COUNT,
} from './content.ts';
import { claimed, collection, type ExportPaths, namespaced } from './paths.ts';

type Measured = Case<ExportPaths>;
type Steps = StepsOf<ExportPaths>;

const ALL_WIDGETS = CONSUMER_COUNT * WIDGET_COUNT;

const oneWidget: Steps = ({ paths }) => get(`${namespaced(paths, 'widgets')}/widget-0`);
const widgetsOfOne =
  (headers: Step['headers']): Steps =>
  ({ paths }) =>
    get(collection(paths.one, 'widgets', paths), headers);
const widgetsOfAll =
  (headers: Step['headers']): Steps =>
  ({ paths }) =>
    paths.all === undefined ? undefined : get(collection(paths.all, 'widgets', paths), headers);

/** The list plain, compressed, and compressed over HTTP/2. */
function lists(count: number, whose: string, concurrency: number, stepsOf: (headers: Step['headers']) => Steps): Measured[] {
  const list = (suffix: string, load: Load, headers: Step['headers']): Measured => {
    const title = `LIST of ${count.toLocaleString('en')} objects, ${whose}, ${headers === GZIP ? 'gzip' : 'plain'}`;
    return requests(`list-${count}${suffix}`, title, load, stepsOf(headers));
  };
  return [
    list('', { concurrency }, {}),
    list('-gzip', { concurrency }, GZIP),
    list('-gzip-h2', { concurrency, protocol: H2 }, GZIP),
  ];
}

const claimedMap: Steps = ({ paths }) => get(`${claimed(paths, 'configmaps')}/map-0`);
const claimedMaps: Steps = ({ paths }) => get(`${claimed(paths, 'configmaps')}${paths.claimed}`, GZIP);

const writes =
  (steps: (paths: ExportPaths) => readonly Step[]): Steps =>
  ({ paths }) =>
    paths.isWritten ? steps(paths) : undefined;

const createAndDelete = writes(paths => {
  const path = namespaced(paths, 'gadgets');
  return [
    { method: 'POST', path, body: exported('Gadget', '{name}'), status: 201 },
    { method: 'DELETE', path: `${path}/{name}`, status: 200 },
  ];
});

const patch = writes(paths => [
  {
    method: 'PATCH',
    path: `${namespaced(paths, 'gadgets')}/gadget-{lane}`,
    headers: { 'content-type': 'application/merge-patch+json' },
    body: changed('{name}'),
    status: 200,
  },
]);

const updateSelected = writes(paths => [
  {
    method: 'PUT',
    path: `${claimed(paths, 'secrets')}/secret-{lane}`,
    body: secret('secret-{lane}', '{name}'),
    status: 200,
  },
]);

const discovery: Steps = ({ paths }) =>
  get(paths.discovery === undefined ? undefined : `${paths.discovery}/apis/${GROUP}/${VERSION}`);
const AGGREGATED = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };
const aggregated: Steps = ({ paths }) =>
  paths.discovery === undefined || !paths.aggregates ? undefined : get(`${paths.discovery}/apis`, AGGREGATED);

const SIGNALS: Watched<ExportPaths> = {
  watched: ({ paths }) => (paths.all === undefined ? undefined : collection(paths.all, 'signals', paths)),
  written: ({ paths }) => namespaced(paths, 'signals'),
  object: exported('Signal', '{name}'),
};

/** Each kind of list once, one after the other. */
const everyList: Steps = contender => {
  const all = [widgetsOfOne({}), widgetsOfOne(GZIP), widgetsOfAll({}), widgetsOfAll(GZIP)].map(stepsOf => stepsOf(contender));
  return all.every(steps => steps !== undefined) ? all.flat() : undefined;
};

const AT_ONCE: Load = { concurrency: LANE_COUNT };

/** A GET has a budget. */
const OFTEN: Load = { ...AT_ONCE, rounds: 5 };

export const GET = requests('get', 'GET of one object of one consumer', OFTEN, oneWidget);

export const CASES: readonly Measured[] = [
  // First: the memory of an open watch shows only before anything else has grown the heap.
  idle(SIGNALS.watched),
  GET,
  requests('get-h2', 'GET of one object of one consumer', { ...OFTEN, protocol: H2 }, oneWidget),
  ...lists(WIDGET_COUNT, 'one consumer', 4, widgetsOfOne),
  ...lists(ALL_WIDGETS, `${CONSUMER_COUNT} consumers (wildcard)`, 2, widgetsOfAll),
  requests('claimed-get', 'GET of a claimed configmap', AT_ONCE, claimedMap),
  requests('claimed-list', `LIST of ${CONFIG_MAP_COUNT} claimed configmaps, gzip`, { concurrency: 4 }, claimedMaps),
  requests('create', 'CREATE and DELETE of an object', { ...AT_ONCE, unit: 'pairs' }, createAndDelete),
  requests('patch', 'merge patch of an object', AT_ONCE, patch),
  requests('update-selected', 'UPDATE of a secret whose claim has a selector', AT_ONCE, updateSelected),
  requests('discovery', 'discovery of the group version (wildcard)', AT_ONCE, discovery),
  requests('aggregated-discovery', 'aggregated discovery (wildcard)', AT_ONCE, aggregated),
  fanOut('fan-out', 'one every 200 ms', 200, SIGNALS),
  fanOut('fan-out-burst', 'as fast as the shard takes them', 0, SIGNALS),
  growth(
    'repeated-lists',
    `LISTs of ${WIDGET_COUNT} and ${ALL_WIDGETS.toLocaleString('en')} objects, plain and gzip, again and again`,
    { concurrency: 2, unit: 'rounds of four lists' },
    everyList,
  ),
];
