/** The two lifecycle views, with the same requests. */
import type { Row } from '../row.ts';

const LIST = '/clusters/*/apis/core.kcp.io/v1alpha1/logicalclusters';

interface Lifecycle {
  readonly view: 'initializing' | 'terminating';
  /** Placeholders of the cluster to read, and of each side's own. */
  readonly read: string;
  readonly own: string;
  readonly field: 'initializers' | 'terminators';
  readonly name: string;
}

const LIFECYCLES: readonly Lifecycle[] = [
  { view: 'initializing', read: '{born}', own: '{ownBorn}', field: 'initializers', name: '{initializer}' },
  { view: 'terminating', read: '{dying}', own: '{ownDying}', field: 'terminators', name: '{terminator}' },
];

const DISCOVERY = [
  '/',
  '/api',
  '/api/v1',
  '/apis',
  '/apis/core.kcp.io',
  '/apis/core.kcp.io/v1alpha1',
  '/apis/core.kcp.io/v1',
  '/apis/no.such',
  '/openapi/v2',
  '/openapi/v3',
  '/openapi/v3/apis/core.kcp.io/v1alpha1',
  '/version',
  '/healthz',
  '/metrics',
  '/nosuch',
];

const OPTIONS = [
  '',
  'limit=1',
  'limit=abc',
  'labelSelector=(',
  'labelSelector=nope%3Dx',
  'fieldSelector=metadata.name%3Dcluster',
  'fieldSelector=spec.x%3Dy',
  'continue=abc',
  'resourceVersion=0',
  'resourceVersion=abc',
  'resourceVersionMatch=Exact',
  'sendInitialEvents=true',
];

const ACCEPTS = [
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/vnd.kubernetes.protobuf,application/json',
  'application/json;as=Table;g=meta.k8s.io;v=v1',
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  'application/cbor',
  'text/html',
];

const WATCHES = [
  '',
  'resourceVersion=0',
  'resourceVersion=1',
  'allowWatchBookmarks=true',
  'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
  'sendInitialEvents=true',
  'labelSelector=nope%3Dx',
  'timeoutSeconds=1',
];

const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';

const USERS = ['masters', 'provider', 'nobody', 'anonymous', 'bad-token'] as const;

function readsOf({ read, view }: Lifecycle): Row[] {
  const user = 'token-user';
  const one = `/clusters/${read}/apis/core.kcp.io/v1alpha1/logicalclusters/cluster`;
  return [
    ...DISCOVERY.flatMap((path): Row[] => [
      { name: `${path} at *`, user, path: `/clusters/*${path}` },
      { name: `${path} at a cluster`, user, path: `/clusters/${read}${path}` },
    ]),
    ...OPTIONS.map((query): Row => ({ name: `list ?${query}`, user, path: query === '' ? LIST : `${LIST}?${query}` })),
    ...ACCEPTS.map((Accept): Row => ({ name: `list as ${Accept}`, user, path: LIST, headers: { Accept } })),
    ...ACCEPTS.map((Accept): Row => ({ name: `get as ${Accept}`, user, path: one, headers: { Accept } })),
    ...WATCHES.map((query): Row => ({ name: `watch ?${query}`, user, path: `${LIST}?watch=true&${query}`, readFor: 1500 })),
    ...USERS.flatMap((other): Row[] => [
      { name: `list as ${other}`, user: other, path: LIST },
      { name: `get as ${other}`, user: other, path: one },
      { name: `content as ${other}`, user: other, path: `/clusters/${read}/api/v1/namespaces` },
    ]),
    { name: 'get', user, path: one },
    { name: 'get of another name', user, path: one.replace(/cluster$/, 'other') },
    { name: 'get at the wildcard', user, path: `${LIST}/cluster` },
    { name: 'list in a cluster', user, path: one.replace(/\/cluster$/, '') },
    { name: 'status', user, path: `${one}/status` },
    { name: 'create', user, method: 'POST', path: LIST, body: {} },
    { name: 'deletecollection', user, method: 'DELETE', path: LIST },
    { name: 'delete', user, method: 'DELETE', path: one },
    { name: 'pages', user, path: `${LIST}?limit=1`, pages: true },
    { name: 'list over HTTP/2', user, path: LIST, http2: true },
    { name: 'content of namespaces', user, path: `/clusters/${read}/api/v1/namespaces` },
    { name: 'content of configmaps', user, path: `/clusters/${read}/api/v1/configmaps?limit=1` },
    { name: 'content of a cluster that does not wait', user, path: '/clusters/{c1}/api/v1/namespaces' },
    { name: 'content of an unknown cluster', user, path: '/clusters/nosuchcluster/api/v1/namespaces' },
    { name: 'content below /services', user, path: `/clusters/${read}/services/x` },
    { name: 'a cluster that does not wait', user, path: '/clusters/{c1}/apis/core.kcp.io/v1alpha1/logicalclusters/cluster' },
    { name: 'another view of the name', user, view: 'root', path: `/services/${view}workspaces/nosuch:type${LIST}` },
    { name: 'a malformed name', user, view: 'root', path: `/services/${view}workspaces/nosuch${LIST}` },
    { name: 'no name', user, view: 'root', path: `/services/${view}workspaces/${LIST}` },
    { name: 'encoded cluster', user, path: LIST.replace('*', '%2A') },
    { name: 'empty cluster', user, path: '/clusters//api' },
  ];
}

function writesOf({ field, name, own }: Lifecycle): Row[] {
  const user = 'token-user';
  const one = `/clusters/${own}/apis/core.kcp.io/v1alpha1/logicalclusters/cluster`;
  const stored = one;
  const status = (what: string, contentType: string, body: unknown, query = ''): Row => ({
    name: `patch status ${what}`,
    user,
    method: 'PATCH',
    path: `${one}/status${query}`,
    body,
    contentType,
    stored,
  });
  const put = (what: string, body: unknown): Row => ({
    name: `update status ${what}`,
    user,
    method: 'PUT',
    path: `${one}/status`,
    body,
    stored,
  });
  const object = { apiVersion: 'core.kcp.io/v1alpha1', kind: 'LogicalCluster', metadata: { name: 'cluster' } };
  return [
    status('of the phase', MERGE, { status: { phase: 'Ready' } }, '?dryRun=All'),
    status('of a foreign name', MERGE, { status: { [field]: [name, 'some:other'] } }, '?dryRun=All'),
    status('of a wrong name', MERGE, { status: { [field]: ['wrong'] } }, '?dryRun=All'),
    status('of a wrong type', MERGE, { status: { [field]: 'x' } }, '?dryRun=All'),
    status('of nothing', MERGE, {}, '?dryRun=All'),
    status(
      'of a condition',
      MERGE,
      { status: { conditions: [{ type: 'Tested', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] } },
      '?dryRun=All',
    ),
    status('of a stale version', MERGE, { metadata: { resourceVersion: '1' }, status: { [field]: [] } }),
    status('of another uid', MERGE, { metadata: { uid: 'abc' }, status: { [field]: [] } }),
    status('by no JSON', MERGE, '{'),
    status('by a failing test', JSON_PATCH, [{ op: 'test', path: '/status/phase', value: 'nope' }]),
    status('strategic', 'application/strategic-merge-patch+json', { status: {} }),
    status('apply without a field manager', 'application/apply-patch+yaml', object),
    status('as text', 'text/plain', 'x'),
    status('with an unknown field, Strict', MERGE, { status: { nonsense: 1 } }, '?dryRun=All&fieldValidation=Strict'),
    status('as a dry run', MERGE, { status: { [field]: [] } }, '?dryRun=All'),
    put('without a version', object),
    put('of a stale version', { ...object, metadata: { name: 'cluster', resourceVersion: '1' } }),
    put('of another kind', { ...object, kind: 'Horse' }),
    put('under another name', { ...object, metadata: { name: 'other' } }),
    put('with no JSON', '{'),
    {
      name: 'patch of the object',
      user,
      method: 'PATCH',
      path: one,
      body: { metadata: { labels: { a: 'b' } } },
      contentType: MERGE,
      stored,
    },
    { name: 'update of the object', user, method: 'PUT', path: one, body: object, stored },
    { name: 'patch status at the wildcard', user, method: 'PATCH', path: `${LIST}/cluster/status`, body: {}, contentType: MERGE },
    { name: 'patch status by nobody', user: 'nobody', method: 'PATCH', path: `${one}/status`, body: {}, contentType: MERGE },
    {
      name: 'write content',
      user,
      method: 'POST',
      path: `/clusters/${own}/api/v1/namespaces?dryRun=All`,
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'made' } },
    },
    // Nothing is compared of what the shard makes of it: its controllers go on from there.
    {
      name: 'patch status for real',
      user,
      method: 'PATCH',
      path: `${one}/status`,
      body: { status: { [field]: [] } },
      contentType: MERGE,
    },
  ];
}

const withView = (lifecycle: Lifecycle, rows: readonly Row[]): Row[] =>
  rows.map(row => ({ view: lifecycle.view, ...row, name: `${lifecycle.view}: ${row.name}` }));

export const lifecycleReads: readonly Row[] = LIFECYCLES.flatMap(lifecycle => withView(lifecycle, readsOf(lifecycle)));
export const lifecycleWrites: readonly Row[] = LIFECYCLES.flatMap(lifecycle => withView(lifecycle, writesOf(lifecycle)));
