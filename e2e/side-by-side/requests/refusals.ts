import type { Row } from '../row.ts';

const C1 = '/clusters/{c1}/apis/wild.bench.dev/v1';
const COWBOY = `${C1}/namespaces/default/cowboys/alice`;
const body = {
  apiVersion: 'wild.bench.dev/v1',
  kind: 'Cowboy',
  metadata: { name: 'alice', namespace: 'default' },
  spec: { intent: 'x' },
};

/** One request for each verb, on a path for objects and one for collections. */
const verbs = (collection: string, name: string, object: unknown): Row[] => [
  { name: 'get', path: `${collection}/${name}` },
  { name: 'list', path: collection },
  { name: 'watch', path: `${collection}?watch=true`, readFor: 1000 },
  { name: 'create', method: 'POST', path: `${collection}?dryRun=All`, body: object },
  { name: 'update', method: 'PUT', path: `${collection}/${name}?dryRun=All`, body: object },
  {
    name: 'patch',
    method: 'PATCH',
    path: `${collection}/${name}?dryRun=All`,
    body: {},
    contentType: 'application/merge-patch+json',
  },
  {
    name: 'apply',
    method: 'PATCH',
    path: `${collection}/${name}?dryRun=All&fieldManager=x&force=true`,
    body: object,
    contentType: 'application/apply-patch+yaml',
  },
  { name: 'delete', method: 'DELETE', path: `${collection}/${name}?dryRun=All` },
  { name: 'deletecollection', method: 'DELETE', path: `${collection}?dryRun=All` },
];

const named = (prefix: string, rows: readonly Row[], more: Partial<Row> = {}): Row[] =>
  rows.map(row => ({ ...row, ...more, name: `${prefix}: ${row.name}` }));

const cowboysIn = (cluster: string): Row[] =>
  verbs(`/clusters/${cluster}/apis/wild.bench.dev/v1/namespaces/default/cowboys`, 'alice', body);
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace: 'default' } };
const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'role-one', namespace: 'default' } };
const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'secret-one', namespace: 'default' } };
const sheriff = { apiVersion: 'law.bench.dev/v1alpha1', kind: 'Sheriff', metadata: { name: 'wyatt', namespace: 'default' } };
const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'quota-one', namespace: 'default' } };
const binding = {
  apiVersion: 'apis.kcp.io/v1alpha2',
  kind: 'APIBinding',
  metadata: { name: 'wild' },
  spec: { reference: { export: { path: '{homePath}', name: 'wild' } } },
};

export const refusals: readonly Row[] = [
  ...named('unbound cluster', cowboysIn('{unbound}')),
  ...named('unknown cluster', cowboysIn('nosuchcluster')),
  ...named('unbound cluster, masters', cowboysIn('{unbound}'), { user: 'masters' }),
  ...named('unknown cluster, masters', cowboysIn('nosuchcluster'), { user: 'masters' }),
  ...named('reader', cowboysIn('{c1}'), { user: 'reader' }),
  ...named('nobody', cowboysIn('{c1}'), { user: 'nobody' }),
  ...named('wildcard with a namespace', cowboysIn('*')),
  ...named(
    'wildcard',
    verbs('/clusters/*/apis/wild.bench.dev/v1/cowboys', 'alice', body).filter(({ name }) => name !== 'watch'),
  ),
  ...named(
    'wildcard, cluster-scoped',
    verbs('/clusters/*/apis/wild.bench.dev/v1alpha1/ranches', 'north', {
      apiVersion: 'wild.bench.dev/v1alpha1',
      kind: 'Ranch',
      metadata: { name: 'north' },
    }),
  ),
  ...named(
    'rejected claim',
    verbs('/clusters/{c1}/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', 'role-one', role),
  ),
  ...named(
    'rejected claim, masters',
    verbs('/clusters/{c1}/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', 'role-one', role),
    { user: 'masters' },
  ),
  ...named('claim of two verbs', verbs('/clusters/{c1}/api/v1/namespaces/default/secrets', 'secret-one', secret)),
  ...named('verbs without intersection', verbs('/clusters/{c1}/api/v1/namespaces/default/resourcequotas', 'quota-one', quota)),
  ...named('claim not accepted', verbs('/clusters/{c3}/api/v1/namespaces/default/configmaps', 'one', configMap)),
  ...named('policy', verbs('/clusters/{c1}/apis/law.bench.dev/v1alpha1/namespaces/default/sheriffs', 'wyatt', sheriff)),
  ...named('binding', verbs('/clusters/{c1}/apis/apis.kcp.io/v1alpha2/apibindings', 'wild', binding)),
  ...named('binding, masters', verbs('/clusters/{c1}/apis/apis.kcp.io/v1alpha2/apibindings', 'wild', binding), {
    user: 'masters',
  }),
  ...named('claimed binding', verbs('/clusters/{c1}/apis/apis.kcp.io/v1alpha2/apibindings', 'wild', binding), { view: 'tame' }),
  ...named('unknown resource', verbs('/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/default/horses', 'x', body)),
  ...named('unknown resource, masters', verbs('/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/default/horses', 'x', body), {
    user: 'masters',
  }),
  ...named('status', [
    { name: 'create', method: 'POST', path: `${COWBOY}/status`, body },
    { name: 'delete', method: 'DELETE', path: `${COWBOY}/status` },
    { name: 'list', path: `${COWBOY}/status?watch=true`, readFor: 1000 },
    {
      name: 'scale',
      method: 'PUT',
      path: `${COWBOY}/scale`,
      body: { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'alice' }, spec: { replicas: 2 } },
    },
    { name: 'unknown subresource', method: 'POST', path: `${COWBOY}/nosuch`, body },
    {
      name: 'of a resource without one',
      method: 'PUT',
      path: '/clusters/{c1}/apis/wild.bench.dev/v1alpha1/ranches/north/status',
      body: {},
    },
  ]),
  { name: 'POST to an object', method: 'POST', path: COWBOY, body },
  { name: 'PUT to a collection', method: 'PUT', path: `${C1}/namespaces/default/cowboys`, body },
  {
    name: 'PATCH to a collection',
    method: 'PATCH',
    path: `${C1}/namespaces/default/cowboys`,
    body: {},
    contentType: 'application/merge-patch+json',
  },
  { name: 'create across namespaces', method: 'POST', path: `${C1}/cowboys?dryRun=All`, body },
  { name: 'deletecollection across namespaces', method: 'DELETE', path: `${C1}/cowboys?dryRun=All` },
];
