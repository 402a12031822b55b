import type { Row } from '../row.ts';

const WILDCARD = '/clusters/*';

/** Paths of documents below a cluster. */
const DOCUMENTS = [
  '/',
  '/api',
  '/api/',
  '/api/v1',
  '/api/v2',
  '/apis',
  '/apis/',
  '/apis/wild.bench.dev',
  '/apis/wild.bench.dev/',
  '/apis/wild.bench.dev/v1',
  '/apis/wild.bench.dev/v1alpha1',
  '/apis/wild.bench.dev/v2',
  '/apis/law.bench.dev',
  '/apis/law.bench.dev/v1alpha1',
  '/apis/apis.kcp.io',
  '/apis/apis.kcp.io/v1alpha1',
  '/apis/apis.kcp.io/v1alpha2',
  '/apis/coordination.k8s.io/v1',
  '/apis/rbac.authorization.k8s.io/v1',
  '/apis/authorization.k8s.io/v1',
  '/apis/apiextensions.k8s.io/v1',
  '/apis/events.k8s.io',
  '/apis/events.k8s.io/v1',
  '/apis/core.kcp.io',
  '/apis/no.such.group',
  '/apis/no.such.group/v1',
  '/version',
  '/healthz',
  '/livez',
  '/readyz',
  '/readyz?verbose',
  '/swagger.json',
  '/swagger-2.0.0.json',
];

const at = (cluster: string, rows: Partial<Row> = {}): Row[] =>
  DOCUMENTS.map(path => ({ name: `${path} at ${cluster}`, path: `/clusters/${cluster}${path}`, ...rows }));

const in_ = (view: string, documents: readonly string[]): Row[] =>
  documents.map(path => ({ name: `${path} of ${view}`, view, path: `${WILDCARD}${path}` }));

const SMALL = ['/', '/api', '/api/v1', '/apis', '/apis/apis.kcp.io', '/apis/apis.kcp.io/v1alpha1', '/apis/apis.kcp.io/v1alpha2'];

export const discovery: readonly Row[] = [
  ...at('*'),
  ...at('{c1}'),
  ...in_('tame', [...SMALL, '/apis/tame.bench.dev', '/apis/tame.bench.dev/v1alpha1']),
  ...in_('bare', SMALL),
  ...['/apis', '/api', '/apis/wild.bench.dev/v1'].map(path => ({
    name: `${path} of an unbound cluster`,
    path: `/clusters/{unbound}${path}`,
  })),
  ...['/apis', '/api'].map(path => ({ name: `${path} of an unknown cluster`, path: `/clusters/nosuchcluster${path}` })),
  ...['POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'].map(method => ({
    name: `${method} /apis`,
    method,
    path: `${WILDCARD}/apis`,
  })),
  { name: 'POST /api/v1', method: 'POST', path: `${WILDCARD}/api/v1` },
  { name: '/apis over HTTP/2', path: `${WILDCARD}/apis`, http2: true },
  { name: '/api/v1 over HTTP/2', path: `${WILDCARD}/api/v1`, http2: true },
  { name: '/apis for curl', path: `${WILDCARD}/apis`, headers: { 'User-Agent': 'curl/8.0' }, layout: true },
  { name: '/apis for kubectl', path: `${WILDCARD}/apis`, headers: { 'User-Agent': 'kubectl/v1.33' }, layout: true },
  { name: '/apis pretty', path: `${WILDCARD}/apis?pretty=1`, layout: true },
  { name: '/apis not pretty', path: `${WILDCARD}/apis?pretty=0`, headers: { 'User-Agent': 'curl/8.0' }, layout: true },
  { name: '/apis with a query', path: `${WILDCARD}/apis?timeout=32s` },
  { name: '/apis packed', path: `${WILDCARD}/apis`, headers: { 'Accept-Encoding': 'gzip' } },
];
