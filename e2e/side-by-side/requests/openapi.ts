import type { Row } from '../row.ts';

const GROUPS = [
  'wild.bench.dev/v1',
  'wild.bench.dev/v1alpha1',
  'law.bench.dev/v1alpha1',
  'apis.kcp.io/v1alpha1',
  'apis.kcp.io/v1alpha2',
  'coordination.k8s.io/v1',
  'rbac.authorization.k8s.io/v1',
  'authorization.k8s.io/v1',
  'apiextensions.k8s.io/v1',
  'events.k8s.io/v1',
];

const DOCUMENTS = [
  '/openapi',
  '/openapi/',
  '/openapi/v2',
  '/openapi/v3',
  '/openapi/v3/',
  '/openapi/v3/api',
  '/openapi/v3/api/v1',
  '/openapi/v3/apis',
  '/openapi/v3/apis/wild.bench.dev',
  '/openapi/v3/version',
  '/openapi/v3/no/such',
  '/openapi/v3/apis/wild.bench.dev/v1?hash=0',
  ...GROUPS.map(group => `/openapi/v3/apis/${group}`),
];

const ACCEPTS = [
  '*/*',
  'application/com.github.proto-openapi.spec.v3@v1.0+protobuf',
  'application/com.github.proto-openapi.spec.v3@v1.0+protobuf, application/json',
  'application/yaml',
  'application/xml',
];

const DOCUMENT = '/clusters/*/openapi/v3/apis/wild.bench.dev/v1';

export const openapi: readonly Row[] = [
  ...DOCUMENTS.map(path => ({ name: `${path} at *`, path: `/clusters/*${path}` })),
  ...['/openapi/v3', '/openapi/v3/api/v1', '/openapi/v3/apis/wild.bench.dev/v1'].map(path => ({
    name: `${path} at a cluster`,
    path: `/clusters/{c1}${path}`,
  })),
  ...['tame', 'bare'].flatMap(view =>
    ['/openapi/v3', '/openapi/v3/apis', '/openapi/v3/apis/apis.kcp.io/v1alpha2'].map(path => ({
      name: `${path} of ${view}`,
      view,
      path: `/clusters/*${path}`,
    })),
  ),
  ...ACCEPTS.map(Accept => ({ name: `a document as ${Accept}`, path: DOCUMENT, headers: { Accept } })),
  ...ACCEPTS.map(Accept => ({ name: `the index as ${Accept}`, path: '/clusters/*/openapi/v3', headers: { Accept } })),
  { name: 'an unbound cluster', path: '/clusters/{unbound}/openapi/v3' },
  { name: 'POST', method: 'POST', path: '/clusters/*/openapi/v3' },
  { name: 'HEAD', method: 'HEAD', path: '/clusters/*/openapi/v3' },
  { name: 'nobody', user: 'nobody', path: '/clusters/*/openapi/v3' },
];
