import type { Row } from '../row.ts';

const encoded = (name: string, value: string): string => `${name}=${encodeURIComponent(value)}`;

const labels = (selector: string): string => encoded('labelSelector', selector);
const fields = (selector: string): string => encoded('fieldSelector', selector);

const OPTIONS = [
  '',
  labels('team=red'),
  labels('team==red'),
  labels('team!=red'),
  labels('team in (red,blue)'),
  labels('team notin (red)'),
  labels('team'),
  labels('!team'),
  labels('team=red,tier=one'),
  labels('team=nope'),
  labels('('),
  labels('a===b'),
  labels('team in ()'),
  labels('-bad-=x'),
  labels('x=-bad-'),
  labels(`x=${'y'.repeat(70)}`),
  labels('tier>1'),
  fields('metadata.name=alice'),
  fields('metadata.name!=alice'),
  fields('metadata.namespace=hands'),
  fields('metadata.name=alice,metadata.namespace=default'),
  fields('spec.intent=ride'),
  fields('nonsense'),
  fields('a=b=c'),
  'limit=1',
  'limit=0',
  'limit=-1',
  'limit=abc',
  'limit=1&limit=2',
  'limit=99999999999999999999',
  'continue=abc',
  'limit=1&continue=abc',
  'resourceVersion=0',
  'resourceVersion=1',
  'resourceVersion=abc',
  'resourceVersion=-1',
  'limit=1&resourceVersion=0',
  'resourceVersion=0&resourceVersionMatch=NotOlderThan',
  'resourceVersion=0&resourceVersionMatch=Exact',
  'resourceVersion=1&resourceVersionMatch=Exact',
  'resourceVersionMatch=NotOlderThan',
  'resourceVersion=0&resourceVersionMatch=Nonsense',
  'sendInitialEvents=true',
  'sendInitialEvents=abc',
  'timeoutSeconds=5',
  'timeoutSeconds=abc',
  'timeout=5s',
  'timeout=abc',
  'watch=false',
  'watch=0',
  'allowWatchBookmarks=true',
  'allowWatchBookmarks=abc',
  'noSuchOption=1',
  'labelSelector=%zz',
  'labelSelector=a;limit=1',
  'LIMIT=1',
];

const TARGETS = {
  'wildcard cowboys': '/clusters/*/apis/wild.bench.dev/v1/cowboys',
  'cowboys of a cluster': '/clusters/{c1}/apis/wild.bench.dev/v1/cowboys',
  'configmaps of a namespace': '/clusters/{c1}/api/v1/namespaces/default/configmaps',
};

const with_ = (path: string, options: string): string => (options === '' ? path : `${path}?${options}`);

export const listOptions: readonly Row[] = [
  ...Object.entries(TARGETS).flatMap(([target, path]) =>
    OPTIONS.map(options => ({ name: `${target} ?${decodeForName(options)}`, path: with_(path, options) })),
  ),
  ...Object.entries(TARGETS).map(([target, path]) => ({ name: `all pages of ${target}`, path: `${path}?limit=1`, pages: true })),
  { name: 'all pages of two', path: `${TARGETS['wildcard cowboys']}?limit=2&${labels('team=red')}`, pages: true },
  {
    name: 'a page as Table',
    path: `${TARGETS['wildcard cowboys']}?limit=2`,
    pages: true,
    headers: { Accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' },
  },
  { name: 'a future version', path: `${TARGETS['wildcard cowboys']}?resourceVersion=99999999&resourceVersionMatch=Exact` },
  { name: 'the other version', path: '/clusters/*/apis/wild.bench.dev/v1alpha1/cowboys' },
  { name: 'empty namespace', path: '/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/nowhere/cowboys' },
  { name: 'an indented list', path: `${TARGETS['cowboys of a cluster']}?pretty=true`, layout: true },
  { name: 'a list for curl', path: TARGETS['cowboys of a cluster'], headers: { 'User-Agent': 'curl/8.0' }, layout: true },
  {
    name: 'get with a version',
    path: '/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/default/cowboys/alice?resourceVersion=0',
  },
  {
    name: 'get with a bad version',
    path: '/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/default/cowboys/alice?resourceVersion=abc',
  },
  {
    name: 'get with options of lists',
    path: '/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/default/cowboys/alice?labelSelector=(&limit=abc',
  },
];

/** `%zz` cannot be decoded, and is meant not to be. */
function decodeForName(options: string): string {
  const text = options.includes('%zz') ? options : decodeURIComponent(options);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
