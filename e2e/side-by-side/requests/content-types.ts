import { gzipSync } from 'node:zlib';
import { entries, objectMeta, Protobuf } from '../protobuf-body.ts';
import type { Row } from '../row.ts';

const CORE = '/clusters/{c1}/api/v1/namespaces/writes';
const MAPS = `${CORE}/configmaps`;
const COWBOYS = '/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/writes/cowboys';
const REVIEWS = '/clusters/{c1}/apis/authorization.k8s.io/v1';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

const TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'application/json; charset=latin1',
  'Application/JSON',
  'application/yaml',
  'text/yaml',
  'text/plain',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
  'application/cbor',
  'application/merge-patch+json',
  'multipart/form-data',
  'json',
  PROTOBUF,
  '',
];

const JSON_OF = {
  configmap: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ct-{copy}' }, data: { a: 'b' } },
  cowboy: { apiVersion: 'wild.bench.dev/v1', kind: 'Cowboy', metadata: { name: 'ct-{copy}' }, spec: { intent: 'x' } },
};

const YAML_OF = {
  configmap: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ct-{copy}\ndata: {"a": "b"}\n',
  cowboy: 'apiVersion: wild.bench.dev/v1\nkind: Cowboy\nmetadata:\n  name: ct-{copy}\nspec:\n  intent: x\n  unknown: 1\n',
};

const dryRun = '?dryRun=All';

const post = (name: string, path: string, body: unknown, contentType: string, more: Partial<Row> = {}): Row => ({
  name,
  method: 'POST',
  path,
  body,
  contentType,
  ...more,
});

const byType = (what: 'configmap' | 'cowboy', path: string): Row[] => [
  ...TYPES.map(type => post(`JSON of a ${what} as ${type}`, path + dryRun, JSON_OF[what], type)),
  ...['application/yaml', 'text/yaml', 'application/x-yaml', 'application/json'].map(type =>
    post(`YAML of a ${what} as ${type}`, path + dryRun, YAML_OF[what], type),
  ),
];

const configMap = (name: string): Protobuf =>
  new Protobuf('v1', 'ConfigMap', [objectMeta(name, 'writes', { a: 'b' }), ...entries(2, { key: 'value' })]);

/** Field 2 of both reviews: verb (2), resource (5), namespace (1) of the resource attributes, user (3). */
const review = (kind: string, namespace: string): Protobuf =>
  new Protobuf('authorization.k8s.io/v1', kind, [
    objectMeta('', namespace),
    [
      2,
      [
        [
          1,
          [
            [1, 'default'],
            [2, 'get'],
            [5, 'configmaps'],
          ],
        ],
        [3, 'sbs-nobody'],
      ],
    ],
  ]);

const deleteOptions = new Protobuf('v1', 'DeleteOptions', [
  [1, 0],
  [4, 'Background'],
]);

const protobuf: readonly Row[] = [
  post('protobuf: configmap', MAPS, configMap('pb-1-{copy}'), PROTOBUF, { stored: `${MAPS}/pb-1-{copy}` }),
  post('protobuf: configmap, answer in protobuf or JSON', MAPS, configMap('pb-2-{copy}'), PROTOBUF, {
    headers: { Accept: `${PROTOBUF},application/json` },
    stored: `${MAPS}/pb-2-{copy}`,
  }),
  post('protobuf: configmap, answer in protobuf only', MAPS, configMap('pb-3-{copy}'), PROTOBUF, {
    headers: { Accept: PROTOBUF },
  }),
  post('protobuf: configmap over HTTP/2', MAPS, configMap('pb-4-{copy}'), PROTOBUF, {
    http2: true,
    stored: `${MAPS}/pb-4-{copy}`,
  }),
  post('protobuf: secret', `${CORE}/secrets`, new Protobuf('v1', 'Secret', [objectMeta('pb-{copy}', 'writes')]), PROTOBUF),
  post(
    'protobuf: secret by masters',
    `${CORE}/secrets`,
    new Protobuf('v1', 'Secret', [objectMeta('pb-{copy}', 'writes'), ...entries(2, { a: 'b' }), [3, 'Opaque']]),
    PROTOBUF,
    { user: 'masters', stored: `${CORE}/secrets/pb-{copy}` },
  ),
  post(
    'protobuf: service account without the label',
    `${CORE}/serviceaccounts`,
    new Protobuf('v1', 'ServiceAccount', [objectMeta('pb-{copy}', 'writes')]),
    PROTOBUF,
    { stored: `${CORE}/serviceaccounts/pb-{copy}` },
  ),
  post(
    'protobuf: service account with another label',
    `${CORE}/serviceaccounts`,
    new Protobuf('v1', 'ServiceAccount', [objectMeta('pb-x-{copy}', 'writes', { team: 'red' })]),
    PROTOBUF,
  ),
  post('protobuf: review', `${REVIEWS}/subjectaccessreviews`, review('SubjectAccessReview', ''), PROTOBUF),
  post(
    'protobuf: local review',
    `${REVIEWS}/namespaces/default/localsubjectaccessreviews`,
    review('LocalSubjectAccessReview', 'default'),
    PROTOBUF,
  ),
  post('protobuf: another kind', MAPS, new Protobuf('v1', 'Secret', [objectMeta('pb-{copy}', 'writes')]), PROTOBUF),
  post('protobuf: an unknown kind', MAPS, new Protobuf('v1', 'Nonsense', [objectMeta('pb-{copy}', 'writes')]), PROTOBUF),
  post(
    'protobuf: a custom resource',
    COWBOYS,
    new Protobuf('wild.bench.dev/v1', 'Cowboy', [objectMeta('pb-{copy}', 'writes')]),
    PROTOBUF,
  ),
  post('protobuf: no message', MAPS, Buffer.from('k8s\0\xff\xff\xff', 'latin1'), PROTOBUF),
  post('protobuf: no magic', MAPS, Buffer.from([10, 4, 1, 2]), PROTOBUF),
  post('protobuf: nothing', MAPS, '', PROTOBUF),
  post('protobuf: under the name of JSON', MAPS, configMap('pb-9-{copy}'), 'application/json'),
  {
    name: 'protobuf: update',
    method: 'PUT',
    path: `${MAPS}/pb-10-{copy}`,
    body: configMap('pb-10-{copy}'),
    contentType: PROTOBUF,
    given: [{ method: 'POST', path: MAPS, body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'pb-10-{copy}' } } }],
    stored: `${MAPS}/pb-10-{copy}`,
  },
  {
    name: 'protobuf: delete options',
    method: 'DELETE',
    path: `${MAPS}/pb-11-{copy}`,
    body: deleteOptions,
    contentType: PROTOBUF,
    given: [{ method: 'POST', path: MAPS, body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'pb-11-{copy}' } } }],
    stored: `${MAPS}/pb-11-{copy}`,
  },
  {
    name: 'protobuf: delete options of a custom resource',
    method: 'DELETE',
    path: `${COWBOYS}/nobody`,
    body: deleteOptions,
    contentType: PROTOBUF,
  },
  { name: 'protobuf: patch', method: 'PATCH', path: `${MAPS}/nobody`, body: configMap('nobody'), contentType: PROTOBUF },
];

const large = (size: number): string => JSON.stringify({ ...JSON_OF.configmap, data: { a: 'x'.repeat(size) } });

export const contentTypes: readonly Row[] = [
  ...byType('configmap', MAPS),
  ...byType('cowboy', COWBOYS),
  ...protobuf,
  post('gzip', MAPS + dryRun, gzipSync(JSON.stringify({ ...JSON_OF.configmap, metadata: { name: 'gz' } })), 'application/json', {
    headers: { 'Content-Encoding': 'gzip' },
  }),
  post('an unknown encoding', MAPS + dryRun, JSON_OF.configmap, 'application/json', {
    headers: { 'Content-Encoding': 'nonsense' },
  }),
  post('a body of 0.5 MiB', MAPS + dryRun, large(512 * 1024), 'application/json'),
  post('a body of 2 MiB', MAPS + dryRun, large(2 * 1024 * 1024), 'application/json'),
  post('a body of 4 MiB', MAPS + dryRun, large(4 * 1024 * 1024), 'application/json'),
  post('a byte order mark', MAPS + dryRun, `\uFEFF${JSON.stringify(JSON_OF.configmap)}`, 'application/json'),
  post('JSON and more', MAPS + dryRun, `${JSON.stringify(JSON_OF.configmap)} more`, 'application/json'),
  post(
    'two documents',
    MAPS + dryRun,
    `${JSON.stringify(JSON_OF.configmap)}\n${JSON.stringify(JSON_OF.configmap)}`,
    'application/json',
  ),
  post(
    'no UTF-8',
    MAPS + dryRun,
    Buffer.from('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"u"},"data":{"a":"\xff"}}', 'latin1'),
    'application/json',
  ),
  { name: 'a body with GET', path: '/clusters/{c1}/api/v1/namespaces/default/configmaps', body: '{}', contentType: 'text/plain' },
];
