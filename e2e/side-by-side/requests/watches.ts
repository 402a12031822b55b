import type { Change, Row } from '../row.ts';

const META = 'g=meta.k8s.io;v=v1';

const COWBOYS = '/clusters/*/apis/wild.bench.dev/v1/cowboys';
const COWBOYS_OF_ONE = '/clusters/{c1}/apis/wild.bench.dev/v1/cowboys';
const CONFIG_MAPS = '/clusters/{c1}/api/v1/namespaces/default/configmaps';

const INITIAL = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan';

const OPTIONS = [
  '',
  'resourceVersion=0',
  'resourceVersion=1',
  'resourceVersion=-1',
  'resourceVersion=abc',
  'allowWatchBookmarks=true',
  `${INITIAL}&allowWatchBookmarks=true`,
  INITIAL,
  `${INITIAL}&allowWatchBookmarks=true&labelSelector=team%3Dred`,
  'sendInitialEvents=true',
  'sendInitialEvents=false&resourceVersionMatch=NotOlderThan',
  'sendInitialEvents=true&resourceVersionMatch=Exact',
  'sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=0',
  'resourceVersionMatch=NotOlderThan',
  'labelSelector=team%3Dred',
  'labelSelector=(',
  'fieldSelector=metadata.name%3Dalice',
  'fieldSelector=spec.intent%3Dride',
  'timeoutSeconds=1',
  'timeoutSeconds=0',
  'timeoutSeconds=abc',
  'limit=1',
];

const ACCEPTS = [
  'application/json;stream=watch',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/vnd.kubernetes.protobuf;stream=watch,application/json;stream=watch',
  'application/cbor-seq',
  `application/json;as=Table;${META}`,
  `application/json;as=PartialObjectMetadata;${META}`,
  `application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;${META}`,
  `application/json;as=PartialObjectMetadataList;${META}`,
  'text/html',
];

const READ_FOR = 2500;

const watch = (name: string, path: string, more: Partial<Row> = {}): Row => ({
  name,
  path: `${path}${path.includes('?') ? '&' : '?'}watch=true`,
  readFor: READ_FOR,
  ...more,
});

const options = (target: string, path: string): Row[] =>
  OPTIONS.map(text => watch(`${target} ?${decodeURIComponent(text)}`, text === '' ? path : `${path}?${text}`));

const at = '/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/default/cowboys';

const life = (
  name: string,
  labels: Readonly<Record<string, string>>,
  later: Readonly<Record<string, string | null>>,
): Change[] => [
  {
    method: 'POST',
    path: at,
    body: { apiVersion: 'wild.bench.dev/v1', kind: 'Cowboy', metadata: { name, labels }, spec: { intent: 'appear' } },
  },
  { method: 'PATCH', path: `${at}/${name}`, body: { metadata: { labels: later }, spec: { intent: 'change' } } },
  { method: 'DELETE', path: `${at}/${name}` },
];

const configMapLife = (name: string): Change[] => {
  const path = CONFIG_MAPS;
  return [
    { method: 'POST', path, body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: 'b' } } },
    { method: 'PATCH', path: `${path}/${name}`, body: { data: { a: 'c' } } },
    { method: 'DELETE', path: `${path}/${name}` },
  ];
};

const fromNow = 'sendInitialEvents=false&resourceVersionMatch=NotOlderThan';

export const watches: readonly Row[] = [
  ...options('wildcard', COWBOYS),
  ...options('cluster', COWBOYS_OF_ONE),
  ...ACCEPTS.map(Accept => watch(`as ${Accept}`, COWBOYS, { headers: { Accept } })),
  watch('configmaps', CONFIG_MAPS),
  watch('wildcard configmaps', '/clusters/*/api/v1/configmaps'),
  watch('service accounts limited by a selector', '/clusters/*/api/v1/serviceaccounts'),
  watch('secrets without the verb', '/clusters/{c1}/api/v1/secrets'),
  watch('wildcard secrets without the verb', '/clusters/*/api/v1/secrets'),
  watch('rejected roles', '/clusters/*/apis/rbac.authorization.k8s.io/v1/roles'),
  watch('sheriffs', '/clusters/*/apis/law.bench.dev/v1alpha1/sheriffs'),
  watch('bindings, unclaimed', '/clusters/*/apis/apis.kcp.io/v1alpha2/apibindings'),
  watch('bindings, claimed', '/clusters/*/apis/apis.kcp.io/v1alpha2/apibindings', { view: 'tame' }),
  watch('a namespace', at),
  watch('one object by path', `${at}/alice`),
  watch('a missing object by path', `${at}/nobody`),
  watch('the old path', '/clusters/{c1}/apis/wild.bench.dev/v1/watch/cowboys'),
  watch('the old path of one object', '/clusters/{c1}/apis/wild.bench.dev/v1/watch/namespaces/default/cowboys/alice'),
  watch('a namespace at the wildcard', '/clusters/*/apis/wild.bench.dev/v1/namespaces/default/cowboys'),
  watch('an unbound cluster', '/clusters/{unbound}/apis/wild.bench.dev/v1/cowboys'),
  watch('an unknown resource', '/clusters/*/apis/wild.bench.dev/v1/horses'),
  watch('subresource', `${at}/alice/status`),
  watch('over HTTP/2', COWBOYS, { http2: true }),
  watch('over HTTP/2, from a version too old', `${COWBOYS}?resourceVersion=1`, { http2: true }),
  watch('by masters', COWBOYS, { user: 'masters' }),
  watch('by who may not', COWBOYS, { user: 'reader' }),
  watch('by anonymous', COWBOYS, { user: 'anonymous' }),
  watch('by POST', COWBOYS, { method: 'POST', body: {} }),
  { name: 'watch=1', path: `${COWBOYS}?watch=1`, readFor: READ_FOR },
  { name: 'watch=maybe', path: `${COWBOYS}?watch=maybe`, readFor: READ_FOR },
  { name: 'watch without a value', path: `${COWBOYS}?watch`, readFor: READ_FOR },
  watch('a life', `${COWBOYS}?${fromNow}`, { during: life('w-life', {}, { x: 'y' }) }),
  watch('a life in one cluster', `${COWBOYS_OF_ONE}?${fromNow}`, { during: life('w-one', {}, { x: 'y' }) }),
  watch('a life that enters a selector', `${COWBOYS}?${fromNow}&labelSelector=in%3Dyes`, {
    during: life('w-enter', {}, { in: 'yes' }),
  }),
  watch('a life that leaves a selector', `${COWBOYS}?${fromNow}&labelSelector=in%3Dyes`, {
    during: life('w-leave', { in: 'yes' }, { in: null }),
  }),
  watch('a life in the other version', `/clusters/*/apis/wild.bench.dev/v1alpha1/cowboys?${fromNow}`, {
    during: life('w-version', {}, {}),
  }),
  watch('a life as Table', `${COWBOYS}?${fromNow}`, {
    during: life('w-table', {}, {}),
    headers: { Accept: `application/json;as=Table;${META}` },
  }),
  watch('a life as metadata', `${COWBOYS}?${fromNow}`, {
    during: life('w-meta', {}, {}),
    headers: { Accept: `application/json;as=PartialObjectMetadata;${META}` },
  }),
  watch('a life over HTTP/2', `${COWBOYS}?${fromNow}`, { during: life('w-h2', {}, {}), http2: true }),
  watch('a life of a claimed object', `/clusters/*/api/v1/configmaps?${fromNow}`, { during: configMapLife('w-claimed') }),
  watch('a life of a claimed object in its namespace', `${CONFIG_MAPS}?${fromNow}`, { during: configMapLife('w-claimed-one') }),
  watch('a life elsewhere', `/clusters/{c2}/apis/wild.bench.dev/v1/cowboys?${fromNow}`, { during: life('w-elsewhere', {}, {}) }),
];
