import type { Change, Row } from '../row.ts';

const SHARD = '/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/writes/cowboys';
const COWBOYS = '/clusters/{c1}/apis/wild.bench.dev/v1/namespaces/writes/cowboys';

const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const APPLY = 'application/apply-patch+yaml';

const kind = { apiVersion: 'wild.bench.dev/v1', kind: 'Cowboy' };

/** Each row writes objects of its own, so that none depends on another. */
let count = 0;

interface Part extends Omit<Row, 'path' | 'name'> {
  /** After the collection, `NAME` standing for the row's own object. */
  readonly path?: string;
  /** What the shard holds afterwards goes on changing, and is not compared. */
  readonly unsettled?: boolean;
  /** The object exists before: its fields beside the metadata, and those of the metadata beside the name. */
  readonly existing?: { readonly metadata?: object; readonly spec?: object } | undefined;
}

/** A row whose object is called `NAME` wherever that stands, and compared as the shard holds it afterwards. */
function write(name: string, { existing, path = '', unsettled = false, ...rest }: Part): Row {
  count += 1;
  const own = `wr-${count}-{copy}`;
  const given: Change[] =
    existing === undefined
      ? []
      : [
          {
            method: 'POST',
            path: SHARD,
            body: { ...kind, spec: { intent: 'before' }, ...existing, metadata: { ...existing.metadata, name: own } },
          },
        ];
  const named = <T>(value: T): T =>
    value === undefined ? value : (JSON.parse(JSON.stringify(value).replaceAll('NAME', own)) as T);
  return {
    name,
    ...rest,
    path: `${COWBOYS}${path.replaceAll('NAME', own)}`,
    ...(given.length > 0 && { given }),
    ...(rest.body !== undefined && { body: named(rest.body) }),
    ...(!unsettled && { stored: `${SHARD}/${own}` }),
  };
}

const create = (name: string, body: unknown, query = '', more: Partial<Part> = {}): Row =>
  write(`create ${name}`, { method: 'POST', path: query, body, ...more });

const object = (metadata: object = {}, more: object = { spec: { intent: 'new' } }) => ({
  ...kind,
  metadata: { name: 'NAME', ...metadata },
  ...more,
});

const creates: readonly Row[] = [
  create('plain', object()),
  create('with its namespace', object({ namespace: 'writes' })),
  create('with another namespace', object({ namespace: 'default' })),
  create(
    'with labels, annotations, finalizers',
    object({ labels: { a: 'b' }, annotations: { c: 'd' }, finalizers: ['x.dev/y'] }),
  ),
  create('with status', object({}, { spec: { intent: 'new' }, status: { result: 'ignored' } })),
  create('with nested defaults', object({}, { spec: { intent: 'new', horses: [{ name: 'silver' }] } })),
  create('without what is required', object({}, { spec: {} })),
  create('without spec', object({}, {})),
  create('with a wrong type', object({}, { spec: { intent: 5 } })),
  create('with an empty value', object({}, { spec: { intent: '' } })),
  create('with null', object({}, { spec: { intent: null } })),
  create('with an unknown field', object({}, { spec: { intent: 'new', unknown: true } })),
  create('with an unknown field, Strict', object({}, { spec: { intent: 'new', unknown: true } }), '?fieldValidation=Strict'),
  create('with an unknown field, Warn', object({}, { spec: { intent: 'new', unknown: true }, more: 1 }), '?fieldValidation=Warn'),
  create('with an unknown field, Ignore', object({}, { spec: { intent: 'new', unknown: true } }), '?fieldValidation=Ignore'),
  create('with a bad fieldValidation', object(), '?fieldValidation=Nonsense'),
  create(
    'with a repeated field, Strict',
    '{"apiVersion":"wild.bench.dev/v1","kind":"Cowboy","metadata":{"name":"NAME"},"spec":{"intent":"a","intent":"b"}}',
    '?fieldValidation=Strict',
  ),
  create(
    'with a repeated field',
    '{"apiVersion":"wild.bench.dev/v1","kind":"Cowboy","metadata":{"name":"NAME"},"spec":{"intent":"a","intent":"b"}}',
  ),
  create('as a dry run', object(), '?dryRun=All'),
  create('as a bad dry run', object(), '?dryRun=Nonsense'),
  create('with a field manager', object(), '?fieldManager=somebody'),
  create('with a bad field manager', object(), `?fieldManager=${'x'.repeat(140)}`),
  create('without a name', { ...kind, metadata: {}, spec: { intent: 'new' } }),
  create('with a generated name', { ...kind, metadata: { generateName: 'generated-' }, spec: { intent: 'new' } }, '?dryRun=All'),
  create('with a bad name', object({ name: 'Bad_Name' })),
  create('with a bad label', object({ labels: { a: 'b c' } })),
  create('with a version', object({ resourceVersion: '1' })),
  create('with a uid', object({ uid: 'abc' })),
  create('what exists', object(), '', { existing: {} }),
  create('of another kind', { ...object(), kind: 'Horse' }),
  create('of another version', { ...object(), apiVersion: 'wild.bench.dev/v1alpha1' }),
  create('without kind', { spec: { intent: 'new', mood: 'so and so' }, metadata: { name: 'NAME' } }),
  create('with a list', { apiVersion: 'wild.bench.dev/v1', kind: 'CowboyList', items: [] }),
  create('with no JSON', '{"apiVersion":'),
  create('with no object', '[]'),
  create('with null as body', 'null'),
  create('with an empty body', ''),
  create('without a body', undefined),
  create(
    'with a number too large',
    '{"apiVersion":"wild.bench.dev/v1","kind":"Cowboy","metadata":{"name":"NAME"},"spec":{"intent":"a","replicas":99999999999}}',
  ),
  create(
    'with a fraction',
    '{"apiVersion":"wild.bench.dev/v1","kind":"Cowboy","metadata":{"name":"NAME"},"spec":{"intent":"a","replicas":1.5}}',
  ),
  create('over HTTP/2', object(), '', { http2: true }),
  create('by masters', object(), '', { user: 'masters' }),
];

const update = (name: string, body: unknown, path = '/NAME', more: Partial<Part> = {}): Row =>
  write(`update ${name}`, { method: 'PUT', path, body, existing: {}, ...more });

const updates: readonly Row[] = [
  update('without a version', object()),
  update('with a stale version', object({ resourceVersion: '1' })),
  update('with a bad version', object({ resourceVersion: 'abc' })),
  update('of what is missing', object({ resourceVersion: '1' }), '/NAME', { existing: undefined }),
  update('under another name', object({ name: 'other' })),
  update('without a name', { ...kind, metadata: {}, spec: { intent: 'x' } }),
  update('in another namespace', object({ namespace: 'default' })),
  update('of another uid', object({ uid: 'abc' })),
  update('of another kind', { ...object(), kind: 'Horse' }),
  update('with no JSON', '{'),
  update('of the status without a version', object({}, { status: { result: 'x' } }), '/NAME/status'),
  update('of the status that is missing', object({ resourceVersion: '1' }, { status: { result: 'x' } }), '/NAME/status', {
    existing: undefined,
  } as Partial<Part>),
  update('as a dry run', object(), '/NAME?dryRun=All'),
];

const patch = (name: string, contentType: string, body: unknown, path = '/NAME', more: Partial<Part> = {}): Row =>
  write(`patch ${name}`, { method: 'PATCH', path, body, contentType, existing: {}, ...more });

const missing: Partial<Part> = { existing: undefined };

const patches: readonly Row[] = [
  patch('merge', MERGE, { spec: { intent: 'after' } }),
  patch('merge labels', MERGE, { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } }),
  patch('merge nothing', MERGE, {}),
  patch('merge away', MERGE, { spec: { mood: null } }),
  patch('merge away what is required', MERGE, { spec: { intent: null } }),
  patch('merge an unknown field', MERGE, { spec: { unknown: 1 } }),
  patch('merge an unknown field, Strict', MERGE, { spec: { unknown: 1 } }, '/NAME?fieldValidation=Strict'),
  patch('merge a wrong type', MERGE, { spec: { intent: 5 } }),
  patch('merge the status in the main resource', MERGE, { status: { result: 'x' } }),
  patch('merge the status', MERGE, { status: { result: 'x' } }, '/NAME/status'),
  patch('merge the spec in the status', MERGE, { spec: { intent: 'x' } }, '/NAME/status'),
  patch('merge another name', MERGE, { metadata: { name: 'other' } }),
  patch('merge another namespace', MERGE, { metadata: { namespace: 'default' } }),
  patch('merge a stale version', MERGE, { metadata: { resourceVersion: '1' }, spec: { intent: 'x' } }),
  patch('merge another uid', MERGE, { metadata: { uid: 'abc' }, spec: { intent: 'x' } }),
  patch('merge another kind', MERGE, { kind: 'Horse' }),
  patch('merge what is missing', MERGE, { spec: { intent: 'x' } }, '/NAME', missing),
  patch('merge no JSON', MERGE, '{'),
  patch('merge no object', MERGE, '[]'),
  patch('merge as a dry run', MERGE, { spec: { intent: 'x' } }, '/NAME?dryRun=All'),
  patch('merge with a field manager', MERGE, { spec: { intent: 'x' } }, '/NAME?fieldManager=somebody'),
  patch('merge with force', MERGE, { spec: { intent: 'x' } }, '/NAME?force=true'),
  patch('merge a finalizer', MERGE, { metadata: { finalizers: ['x.dev/y'] } }),
  patch('json', JSON_PATCH, [{ op: 'replace', path: '/spec/intent', value: 'after' }]),
  patch('json add and remove', JSON_PATCH, [
    { op: 'add', path: '/metadata/labels', value: { a: 'b' } },
    { op: 'remove', path: '/spec/mood' },
  ]),
  patch('json with a test', JSON_PATCH, [
    { op: 'test', path: '/spec/intent', value: 'before' },
    { op: 'replace', path: '/spec/intent', value: 'after' },
  ]),
  patch('json with a failing test', JSON_PATCH, [{ op: 'test', path: '/spec/intent', value: 'nope' }]),
  patch('json at a path that is missing', JSON_PATCH, [{ op: 'remove', path: '/spec/nope' }]),
  patch('json with an unknown operation', JSON_PATCH, [{ op: 'nonsense', path: '/spec' }]),
  patch('json with nothing', JSON_PATCH, []),
  patch('json that is an object', JSON_PATCH, {}),
  patch('json of what is missing', JSON_PATCH, [{ op: 'add', path: '/spec/intent', value: 'x' }], '/NAME', missing),
  patch('json of the status', JSON_PATCH, [{ op: 'add', path: '/status', value: { result: 'x' } }], '/NAME/status'),
  patch('strategic', 'application/strategic-merge-patch+json', { spec: { intent: 'x' } }),
  patch('apply', APPLY, object(), '/NAME?fieldManager=somebody'),
  patch('apply with force', APPLY, object(), '/NAME?fieldManager=somebody&force=true'),
  patch('apply without a field manager', APPLY, object()),
  patch('apply what is missing', APPLY, object(), '/NAME?fieldManager=somebody', missing),
  patch('apply what is missing and incomplete', APPLY, object({}, { spec: {} }), '/NAME?fieldManager=somebody', missing),
  patch('apply the status', APPLY, object({}, { status: { result: 'x' } }), '/NAME/status?fieldManager=somebody&force=true'),
  patch(
    'apply the status of what is missing',
    APPLY,
    object({}, { status: { result: 'x' } }),
    '/NAME/status?fieldManager=somebody',
    missing,
  ),
  patch('apply without kind', APPLY, { metadata: { name: 'NAME' }, spec: { intent: 'x' } }, '/NAME?fieldManager=somebody'),
  patch('apply under another name', APPLY, object({ name: 'other' }), '/NAME?fieldManager=somebody'),
  patch('apply managed fields', APPLY, object({ managedFields: [{ manager: 'x' }] }), '/NAME?fieldManager=somebody'),
  patch('apply as a dry run', APPLY, object(), '/NAME?fieldManager=somebody&force=true&dryRun=All'),
  patch(
    'apply YAML',
    APPLY,
    'apiVersion: wild.bench.dev/v1\nkind: Cowboy\nmetadata: {name: NAME}\nspec:\n  intent: yaml\n',
    '/NAME?fieldManager=somebody&force=true',
  ),
  patch('apply no YAML', APPLY, 'a: b: c', '/NAME?fieldManager=somebody'),
  patch(
    'apply an unknown field',
    APPLY,
    object({}, { spec: { intent: 'x', unknown: 1 } }),
    '/NAME?fieldManager=somebody&force=true',
  ),
  patch('apply with CBOR', 'application/apply-patch+cbor', object(), '/NAME?fieldManager=somebody'),
  patch('as plain JSON', 'application/json', { spec: { intent: 'x' } }),
  patch('of an unknown type', 'text/plain', 'x'),
  patch('without a type', '', { spec: { intent: 'x' } }),
  patch('over HTTP/2', MERGE, { spec: { intent: 'after' } }, '/NAME', { http2: true }),
];

const remove = (name: string, path = '/NAME', more: Partial<Part> = {}): Row =>
  write(`delete ${name}`, { method: 'DELETE', path, existing: {}, ...more });

const deletes: readonly Row[] = [
  remove('plain'),
  remove('what is missing', '/NAME', missing),
  remove('as a dry run', '/NAME?dryRun=All'),
  remove('with a finalizer', '/NAME', { existing: { metadata: { finalizers: ['x.dev/y'] } } }),
  remove('with a propagation policy', '/NAME?propagationPolicy=Foreground', { unsettled: true }),
  remove('with a bad propagation policy', '/NAME?propagationPolicy=Nonsense'),
  remove('with a grace period', '/NAME?gracePeriodSeconds=5'),
  remove('with a bad grace period', '/NAME?gracePeriodSeconds=abc'),
  remove('of another uid', '/NAME', { body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'abc' } } }),
  remove('of a stale version', '/NAME', {
    body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { resourceVersion: '1' } },
  }),
  remove('with options in the body', '/NAME', {
    body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' },
  }),
  remove('with options of another version', '/NAME', { body: { apiVersion: 'meta.k8s.io/v1', kind: 'DeleteOptions' } }),
  remove('with another object in the body', '/NAME', { body: object() }),
  remove('with no JSON in the body', '/NAME', { body: '{' }),
  remove('with options in both places', '/NAME?dryRun=All', { body: { apiVersion: 'v1', kind: 'DeleteOptions', dryRun: [] } }),
  remove('orphaning dependents', '/NAME?orphanDependents=true', { unsettled: true }),
  remove('over HTTP/2', '/NAME', { http2: true }),
  write('deletecollection by label', {
    method: 'DELETE',
    path: '?labelSelector=del%3D{copy}',
    existing: { metadata: { labels: { del: '{copy}' } } },
  }),
  write('deletecollection by field', { method: 'DELETE', path: '?fieldSelector=metadata.name%3DNAME', existing: {} }),
  write('deletecollection of nothing', { method: 'DELETE', path: '?labelSelector=del%3Dnobody', existing: {} }),
  write('deletecollection with a bad selector', { method: 'DELETE', path: '?labelSelector=(', existing: {} }),
  write('deletecollection as a dry run', {
    method: 'DELETE',
    path: '?labelSelector=del%3D{copy}&dryRun=All',
    existing: { metadata: { labels: { del: '{copy}' } } },
  }),
  write('deletecollection as Table', {
    method: 'DELETE',
    path: '?labelSelector=del%3D{copy}',
    existing: { metadata: { labels: { del: '{copy}' } } },
    headers: { Accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' },
  }),
];

export const writes: readonly Row[] = [...creates, ...updates, ...patches, ...deletes];
