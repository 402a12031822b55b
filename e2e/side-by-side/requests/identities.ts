import type { Row, UserName } from '../row.ts';

const USERS: readonly UserName[] = [
  'masters',
  'masters-as-provider',
  'provider',
  'reader',
  'member',
  'nobody',
  'anonymous',
  'bad-token',
  'service-account',
  'foreign-service-account',
  'proxy',
  'proxy-without-user',
  'token-user',
];

const C1 = '/clusters/{c1}/apis/wild.bench.dev/v1';
const COWBOY = { apiVersion: 'wild.bench.dev/v1', kind: 'Cowboy', metadata: { name: 'by-{copy}' }, spec: { intent: 'be' } };

const CALLS: readonly Row[] = [
  { name: 'discovery', path: '/clusters/*/apis' },
  { name: 'discovery of a cluster', path: '/clusters/{c1}/apis/wild.bench.dev/v1' },
  { name: 'wildcard list', path: '/clusters/*/apis/wild.bench.dev/v1/cowboys' },
  { name: 'list', path: `${C1}/cowboys` },
  { name: 'get', path: `${C1}/namespaces/default/cowboys/alice` },
  { name: 'get of a claimed object', path: '/clusters/{c1}/api/v1/namespaces/default/configmaps/one' },
  { name: 'get in an unbound cluster', path: '/clusters/{unbound}/apis/wild.bench.dev/v1/namespaces/default/cowboys/alice' },
  { name: 'get of a claim with a policy', path: '/clusters/{c1}/apis/law.bench.dev/v1alpha1/namespaces/default/sheriffs/wyatt' },
  { name: 'create', method: 'POST', path: `${C1}/namespaces/default/cowboys?dryRun=All`, body: COWBOY },
  { name: 'deletecollection', method: 'DELETE', path: `${C1}/namespaces/default/cowboys?dryRun=All&labelSelector=nope%3Dnope` },
  { name: 'health below the view', path: '/clusters/*/healthz' },
  { name: 'root', view: 'root', path: '/healthz' },
  { name: 'nowhere', view: 'root', path: '/services/nosuch/x' },
  { name: 'schemas', view: 'schemas', path: '/clusters/{c1}/apis/apis.kcp.io/v1alpha1/apiresourceschemas', unordered: true },
  { name: 'initializing', view: 'initializing', path: '/clusters/*/apis/core.kcp.io/v1alpha1/logicalclusters' },
  { name: 'terminating', view: 'terminating', path: '/clusters/*/apis/core.kcp.io/v1alpha1/logicalclusters' },
];

const LIST = '/clusters/*/apis/wild.bench.dev/v1/cowboys';

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Headers that claim to be somebody. */
const CLAIMS: readonly (readonly [name: string, headers: Headers])[] = [
  ['nobody by impersonation', { 'Impersonate-User': 'sbs-nobody' }],
  ['the provider by impersonation', { 'Impersonate-User': 'sbs-provider' }],
  [
    'the provider by impersonation, with a group',
    { 'Impersonate-User': 'sbs-provider', 'Impersonate-Group': 'system:authenticated' },
  ],
  ['masters by impersonation', { 'Impersonate-User': 'sbs-nobody', 'Impersonate-Group': 'system:masters' }],
  ['a group without a user by impersonation', { 'Impersonate-Group': 'system:masters' }],
  ['an extra without a user by impersonation', { 'Impersonate-Extra-Scopes': 'x' }],
  ['a uid without a user by impersonation', { 'Impersonate-Uid': 'x' }],
  ['anonymous by impersonation', { 'Impersonate-User': 'system:anonymous' }],
  [
    'a service account by impersonation',
    {
      'Impersonate-User': 'system:serviceaccount:default:robot',
      'Impersonate-Extra-Authentication.kcp.io%2Fcluster-Name': '{home}',
    },
  ],
  ['a user header', { 'X-Remote-User': 'sbs-provider' }],
  ['a user and a group header', { 'X-Remote-User': 'sbs-provider', 'X-Remote-Group': 'system:masters' }],
  ['a warrant', { 'X-Remote-Extra-Authorization.kcp.io%2Fwarrant': '{"user":"x","groups":["system:masters"]}' }],
  ['Basic credentials', { Authorization: 'Basic dXNlcjpwYXNz' }],
  ['a bad token', { Authorization: 'Bearer nope' }],
  ['an empty token', { Authorization: 'Bearer ' }],
];

const CLAIMANTS: readonly UserName[] = ['masters', 'provider', 'nobody', 'anonymous', 'proxy'];

export const identities: readonly Row[] = [
  ...USERS.flatMap(user => CALLS.map(call => ({ ...call, name: `${call.name} as ${user}`, user }))),
  ...CLAIMANTS.flatMap(user => CLAIMS.map(([name, headers]) => ({ name: `${name} as ${user}`, user, path: LIST, headers }))),
  {
    name: 'a user header and masters by proxy',
    user: 'proxy',
    path: LIST,
    headers: { 'X-Remote-User': 'sbs-nobody', 'X-Remote-Group': 'system:masters' },
  },
  { name: 'two user headers by proxy', user: 'proxy', path: LIST, headers: { 'X-Remote-User': ['sbs-nobody', 'sbs-provider'] } },
  {
    name: 'a lifecycle group by impersonation',
    user: 'masters',
    view: 'initializing',
    path: '/clusters/*/apis',
    headers: { 'Impersonate-User': 'x', 'Impersonate-Group': 'system:kcp:initializer:{initializer}' },
  },
  { name: 'over HTTP/2 by token', user: 'token-user', path: LIST, http2: true },
];
