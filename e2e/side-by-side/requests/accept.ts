import type { Row } from '../row.ts';

const META = 'g=meta.k8s.io;v=v1';

/** Every way in which clients ask for a representation, and some in which none should. */
const ACCEPTS = [
  '',
  '*/*',
  'application/*',
  'application/json',
  'APPLICATION/JSON',
  'application/json; charset=utf-8',
  'application/json;q=0',
  'application/json;q=0.1, application/yaml;q=0.9',
  'application/json;stream=watch',
  'application/yaml',
  'text/yaml',
  'text/html',
  'text/plain, */*',
  'application/xml',
  'application',
  'application/vnd.kubernetes.protobuf',
  'application/vnd.kubernetes.protobuf,application/json',
  'application/cbor',
  'application/cbor, application/json',
  `application/json;as=Table;${META}`,
  'application/json;as=Table;g=meta.k8s.io;v=v1beta1',
  'application/json;as=Table;g=meta.k8s.io;v=v2',
  'application/json;as=Table;g=meta.k8s.io',
  'application/json;as=Table',
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
  `application/yaml;as=Table;${META}`,
  `application/json;as=PartialObjectMetadataList;${META}`,
  `application/json;as=PartialObjectMetadata;${META}`,
  `application/yaml;as=PartialObjectMetadataList;${META}`,
  `application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;${META}`,
  `application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;${META}`,
  `application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;${META},application/json;as=PartialObjectMetadataList;${META},application/json`,
  `application/vnd.kubernetes.protobuf;as=Table;${META}`,
  `application/json;as=Nonsense;${META}`,
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json',
];

const TARGETS = {
  'wildcard list': '/clusters/*/apis/wild.bench.dev/v1/cowboys',
  list: '/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/default/cowboys',
  get: '/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/default/cowboys/alice',
  'configmap list': '/clusters/{c1}/api/v1/namespaces/default/configmaps',
  'missing object': '/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/default/cowboys/nobody',
  discovery: '/clusters/*/apis',
  'core resources': '/clusters/*/api/v1',
};

export const accept: readonly Row[] = [
  ...Object.entries(TARGETS).flatMap(([target, path]) =>
    ACCEPTS.map(Accept => ({ name: `${target} as ${Accept === '' ? 'nothing' : Accept}`, path, headers: { Accept } })),
  ),
  ...[
    'wild.bench.dev/v1alpha1/ranches',
    'law.bench.dev/v1alpha1/sheriffs',
    'apis.kcp.io/v1alpha2/apibindings',
    'coordination.k8s.io/v1/leases',
  ].map(resource => ({
    name: `Table of ${resource}`,
    path: `/clusters/*/apis/${resource}`,
    headers: { Accept: `application/json;as=Table;${META}` },
  })),
  ...['Metadata', 'Object', 'None', 'Nonsense'].map(include => ({
    name: `Table with includeObject=${include}`,
    path: `${TARGETS.list}?includeObject=${include}`,
    headers: { Accept: `application/json;as=Table;${META}` },
  })),
  { name: 'Table of one object', path: TARGETS.get, headers: { Accept: `application/json;as=Table;${META}` }, http2: true },
  { name: 'two Accept headers', path: TARGETS.get, headers: { Accept: ['application/yaml', 'application/json'] } },
  { name: 'a list packed', path: TARGETS['wildcard list'], headers: { 'Accept-Encoding': 'gzip' } },
];
