import type { Row } from '../row.ts';

const DISCOVERY = [
  '/',
  '/api',
  '/api/v1',
  '/apis',
  '/apis/apis.kcp.io',
  '/apis/apis.kcp.io/v1alpha1',
  '/apis/apis.kcp.io/v1alpha2',
  '/openapi/v3',
  '/openapi/v3/apis/apis.kcp.io/v1alpha1',
  '/version',
  '/healthz',
];

const COLLECTION = '/apis/apis.kcp.io/v1alpha1/apiresourceschemas';
const ONE = `${COLLECTION}/today.cowboys.wild.bench.dev`;

const QUERIES = [
  '?limit=1',
  '?labelSelector=a%3Db',
  '?labelSelector=(',
  '?fieldSelector=metadata.name%3Dx',
  '?resourceVersion=0',
  '?limit=abc',
];

const ACCEPTS = [
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Table;g=meta.k8s.io;v=v1',
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  'text/html',
];

const schema = {
  apiVersion: 'apis.kcp.io/v1alpha1',
  kind: 'APIResourceSchema',
  metadata: { name: 'today.cowboys.wild.bench.dev' },
};

const view = 'schemas';
const user = 'masters';

/** The prefix may name the consumer once more, or all clusters, or nothing. */
const PREFIXES = ['', '/clusters/*', '/clusters/{c1}'];

export const schemas: readonly Row[] = [
  ...PREFIXES.flatMap(prefix =>
    DISCOVERY.map((path): Row => ({ name: `discovery ${prefix}${path}`, view, user, path: prefix + path })),
  ),
  ...PREFIXES.flatMap((prefix): Row[] => [
    { name: `list ${prefix}`, view, user, path: prefix + COLLECTION, unordered: true },
    { name: `get ${prefix}`, view, user, path: prefix + ONE },
    { name: `get of what is missing ${prefix}`, view, user, path: `${prefix}${COLLECTION}/nosuch` },
    { name: `watch ${prefix}`, view, user, path: `${prefix}${COLLECTION}?watch=true`, readFor: 1500 },
  ]),
  ...QUERIES.map(
    (query): Row => ({ name: `list ${decodeURIComponent(query)}`, view, user, path: COLLECTION + query, unordered: true }),
  ),
  ...ACCEPTS.map((Accept): Row => ({ name: `get as ${Accept}`, view, user, path: ONE, headers: { Accept } })),
  ...ACCEPTS.map(
    (Accept): Row => ({ name: `list as ${Accept}`, view, user, path: COLLECTION, headers: { Accept }, unordered: true }),
  ),
  { name: 'create', view, user, method: 'POST', path: COLLECTION, body: schema },
  { name: 'update', view, user, method: 'PUT', path: ONE, body: schema },
  { name: 'patch', view, user, method: 'PATCH', path: ONE, body: {}, contentType: 'application/merge-patch+json' },
  { name: 'delete', view, user, method: 'DELETE', path: ONE },
  { name: 'deletecollection', view, user, method: 'DELETE', path: COLLECTION },
  { name: 'create by a provider', view, method: 'POST', path: COLLECTION, body: schema },
  { name: 'list by a provider', view, path: COLLECTION },
  { name: 'list by anonymous', view, user: 'anonymous', path: COLLECTION },
  { name: 'list over HTTP/2', view, user, path: COLLECTION, http2: true, unordered: true },
  { name: 'another cluster', view, user, path: `/clusters/{c2}${COLLECTION}` },
  { name: 'no cluster', view: 'root', user, path: `/services/apiresourceschema/clusters/*${COLLECTION}` },
  { name: 'all consumers', view: 'root', user, path: `/services/apiresourceschema/*/clusters/*${COLLECTION}` },
  {
    name: 'a consumer without bindings',
    view: 'root',
    user,
    path: `/services/apiresourceschema/nosuchcluster/clusters/*${COLLECTION}`,
  },
  { name: 'a consumer by path', view: 'root', user, path: `/services/apiresourceschema/{path1}/clusters/*${COLLECTION}` },
  { name: 'exports', view, user, path: '/apis/apis.kcp.io/v1alpha2/apiexports' },
  { name: 'configmaps', view, user, path: '/api/v1/configmaps' },
];
