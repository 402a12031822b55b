import { describe, expect, test } from '@jest/globals';
import { identity } from '@kcp-vw/shared/authn/identity.ts';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { Write } from '../store/definition.ts';
import { CONFIGMAPS_PATH, TestShard, WIDGETS, WIDGETS_PATH, widget } from './api.fixture.ts';

const configMap = (name: string, fields: Record<string, unknown> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...fields,
});

describe('create', () => {
  test('answers 201 with what was stored', async () => {
    const shard = new TestShard();
    const reply = await shard.post(CONFIGMAPS_PATH, configMap('a', { data: { x: 'y' } }));
    expect(reply.status).toBe(201);
    expect(reply.json()).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' }, data: { x: 'y' } });
    expect((await shard.get(`${CONFIGMAPS_PATH}/a`)).json()).toEqual(reply.json());
  });

  test('takes YAML', async () => {
    const reply = await new TestShard().ask('POST', CONFIGMAPS_PATH, {
      type: 'application/yaml',
      body: 'metadata:\n  name: a\ndata: {x: "1"}\n',
    });
    expect(reply.json()).toMatchObject({ metadata: { name: 'a' }, data: { x: '1' } });
  });

  test('makes a name from generateName', async () => {
    const reply = await new TestShard().post(CONFIGMAPS_PATH, { metadata: { generateName: 'cm-' } });
    expect(reply.json().metadata?.name).toMatch(/^cm-.{5}$/);
  });

  test('stores nothing in a dry run', async () => {
    const shard = new TestShard();
    expect((await shard.post(`${CONFIGMAPS_PATH}?dryRun=All`, configMap('a'))).status).toBe(201);
    expect((await shard.get(`${CONFIGMAPS_PATH}/a`)).status).toBe(404);
    expect((await shard.post(`${CONFIGMAPS_PATH}?dryRun=Some`, configMap('a'))).status).toBe(422);
  });

  test.each([
    ['malformed JSON', CONFIGMAPS_PATH, '{', 400],
    ['what is no object', CONFIGMAPS_PATH, '[]', 400],
    ['another kind', CONFIGMAPS_PATH, { kind: 'Secret', metadata: { name: 'a' } }, 400],
    ['another apiVersion', CONFIGMAPS_PATH, { apiVersion: 'v2', kind: 'ConfigMap', metadata: { name: 'a' } }, 400],
    ['another namespace', CONFIGMAPS_PATH, { metadata: { name: 'a', namespace: 'other' } }, 400],
    ['labels that are no text', CONFIGMAPS_PATH, { metadata: { name: 'a', labels: { x: 1 } } }, 400],
    ['a custom resource without kind', WIDGETS_PATH, { apiVersion: 'example.dev/v1', metadata: { name: 'a' } }, 400],
    ['no name', CONFIGMAPS_PATH, {}, 422],
    ['a name that cannot be one', CONFIGMAPS_PATH, { metadata: { name: 'A' } }, 422],
    ['a label that cannot be one', CONFIGMAPS_PATH, { metadata: { name: 'a', labels: { 'a b': '' } } }, 422],
    ['a namespace that does not exist', '/api/v1/namespaces/nope/configmaps', { metadata: { name: 'a' } }, 404],
    ['no namespace', '/api/v1/configmaps', { metadata: { name: 'a' } }, 405],
  ])('of %s is refused', async (_, path, body, code) => {
    const reply = await new TestShard().post(path, body);
    expect(reply.json()).toMatchObject({ kind: 'Status', status: 'Failure', code });
  });

  test('of a media type that is not known is a 415', async () => {
    expect((await new TestShard().ask('POST', CONFIGMAPS_PATH, { type: 'text/plain', body: 'x' })).status).toBe(415);
  });

  test('whose answer its client would not understand stores nothing', async () => {
    const shard = new TestShard();
    const headers = ['accept', 'application/vnd.kubernetes.protobuf'];
    expect((await shard.ask('POST', CONFIGMAPS_PATH, { headers, body: configMap('a') })).status).toBe(406);
    expect((await shard.get(`${CONFIGMAPS_PATH}/a`)).status).toBe(404);
  });

  test('of a name that is taken is a 409', async () => {
    const shard = new TestShard();
    await shard.post(CONFIGMAPS_PATH, configMap('a'));
    expect((await shard.post(CONFIGMAPS_PATH, configMap('a'))).json()).toMatchObject({ reason: 'AlreadyExists', code: 409 });
  });

  test('leaves the status to the server', async () => {
    expect((await new TestShard().post(WIDGETS_PATH, widget('w', { status: { x: 1 } }))).json().status).toBeUndefined();
  });

  test('passes through admission, which knows the user, and then the schema', async () => {
    const shard = new TestShard();
    const writes: Write[] = [];
    shard.registry.add('a', {
      ...WIDGETS,
      admit(object, write) {
        writes.push(write);
        return { ...object, status: { phase: 'New' } };
      },
      validate(object) {
        if (object.spec === undefined) throw new StatusError('Invalid', 'a spec is needed');
      },
    });
    expect((await shard.post(WIDGETS_PATH, widget('w'))).json()).toMatchObject({ code: 422, message: 'a spec is needed' });
    const created = await shard.ask('POST', WIDGETS_PATH, { body: widget('w', { spec: {} }), user: identity('user-1', []) });
    expect(created.json()).toMatchObject({ status: { phase: 'New' } });
    expect(writes.at(-1)).toMatchObject({
      verb: 'create',
      subresource: '',
      cluster: 'a',
      user: { name: 'user-1' },
      dryRun: false,
    });
  });

  test('of a review answers with what it comes to and stores nothing', async () => {
    const shard = new TestShard();
    shard.registry.add('a', { ...WIDGETS, verbs: ['create'], evaluate: object => ({ ...object, status: { allowed: true } }) });
    const reply = await shard.post(WIDGETS_PATH, widget('w'));
    expect([reply.status, reply.json().status]).toEqual([201, { allowed: true }]);
    expect((await shard.get(`${WIDGETS_PATH}/w`)).status).toBe(405);
  });
});

describe('update', () => {
  async function stored(): Promise<{ shard: TestShard; version: string }> {
    const shard = new TestShard();
    shard.store.create(WIDGETS, 'a', widget('w', { spec: { x: 1 }, status: { y: 1 } }), { keepStatus: true });
    return { shard, version: shard.store.resourceVersion };
  }
  const at = (resourceVersion: string, fields: Record<string, unknown>, name = 'w') =>
    widget(name, { metadata: { name, resourceVersion }, ...fields });

  test('replaces everything but the status', async () => {
    const { shard, version } = await stored();
    const reply = await shard.put(`${WIDGETS_PATH}/w`, at(version, { spec: { z: 1 }, status: { y: 2 } }));
    expect(reply.json()).toMatchObject({ spec: { z: 1 }, status: { y: 1 }, metadata: { generation: 2 } });
    expect(reply.json().spec).toEqual({ z: 1 });
  });

  test('of the status replaces nothing else', async () => {
    const { shard, version } = await stored();
    const reply = await shard.put(`${WIDGETS_PATH}/w/status`, at(version, { spec: { z: 1 }, status: { y: 2 } }));
    expect(reply.json()).toMatchObject({ spec: { x: 1 }, status: { y: 2 }, metadata: { generation: 1 } });
  });

  test('of a custom resource needs a resourceVersion, one of a ConfigMap does not', async () => {
    const { shard } = await stored();
    expect((await shard.put(`${WIDGETS_PATH}/w`, widget('w'))).json()).toMatchObject({
      code: 422,
      message: 'widgets.example.dev "w" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    });
    await shard.post(CONFIGMAPS_PATH, configMap('a'));
    expect((await shard.put(`${CONFIGMAPS_PATH}/a`, configMap('a', { data: { x: 'y' } }))).json()).toMatchObject({
      data: { x: 'y' },
    });
  });

  test('from an older version is a conflict, before anything else is looked at', async () => {
    const { shard, version } = await stored();
    await shard.patch(`${WIDGETS_PATH}/w`, { spec: { x: 2 } });
    expect((await shard.put(`${WIDGETS_PATH}/w`, at(version, {}))).json()).toMatchObject({ code: 409, reason: 'Conflict' });
  });

  test('of another object than the path names is a 400', async () => {
    const { shard, version } = await stored();
    expect((await shard.put(`${WIDGETS_PATH}/w`, at(version, {}, 'x'))).json()).toMatchObject({
      code: 400,
      message: 'the name of the object (x) does not match the name on the URL (w)',
    });
    expect((await shard.put(`${WIDGETS_PATH}/w`, widget('w', { metadata: {} }))).status).toBe(400);
  });

  test('of what does not exist is a 404', async () => {
    expect((await new TestShard().put(`${WIDGETS_PATH}/w`, at('1', {}))).status).toBe(404);
  });

  test('in a dry run shows what it would store', async () => {
    const { shard, version } = await stored();
    const reply = await shard.put(`${WIDGETS_PATH}/w?dryRun=All`, at(version, { spec: { z: 1 } }));
    expect(reply.json()).toMatchObject({ spec: { z: 1 }, metadata: { resourceVersion: version } });
    expect((await shard.get(`${WIDGETS_PATH}/w`)).json().spec).toEqual({ x: 1 });
  });
});

describe('delete', () => {
  test('answers with a success that names what is gone', async () => {
    const shard = new TestShard();
    const { metadata } = (await shard.post(WIDGETS_PATH, widget('w'))).json();
    expect((await shard.delete(`${WIDGETS_PATH}/w`)).json()).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'w', group: 'example.dev', kind: 'widgets', uid: metadata?.uid },
    });
    expect((await shard.delete(`${WIDGETS_PATH}/w`)).status).toBe(404);
  });

  test('answers with the object as long as finalizers hold it', async () => {
    const shard = new TestShard();
    await shard.post(WIDGETS_PATH, widget('w', { metadata: { name: 'w', finalizers: ['x/y'] } }));
    expect((await shard.delete(`${WIDGETS_PATH}/w`)).json().metadata?.deletionTimestamp).toEqual(expect.any(String));
    await shard.patch(`${WIDGETS_PATH}/w`, { metadata: { finalizers: null } });
    expect((await shard.get(`${WIDGETS_PATH}/w`)).status).toBe(404);
  });

  test('keeps to the preconditions and the dry run of its options', async () => {
    const shard = new TestShard();
    const { metadata } = (await shard.post(WIDGETS_PATH, widget('w'))).json();
    expect((await shard.delete(`${WIDGETS_PATH}/w`, { preconditions: { uid: 'other' } })).status).toBe(409);
    expect((await shard.delete(`${WIDGETS_PATH}/w`, { kind: 'DeleteOptions', dryRun: ['All'] })).status).toBe(200);
    expect((await shard.delete(`${WIDGETS_PATH}/w`, { preconditions: { uid: metadata?.uid } })).status).toBe(200);
    expect((await shard.delete(`${WIDGETS_PATH}/w`, '{')).status).toBe(400);
  });

  test('of a collection deletes what is selected, and shows it', async () => {
    const shard = new TestShard();
    for (const name of ['a', 'b'])
      await shard.post(CONFIGMAPS_PATH, configMap(name, { metadata: { name, labels: { is: name } } }));
    const reply = (await shard.delete(`${CONFIGMAPS_PATH}?labelSelector=is%3Da`)).json();
    expect(reply).toMatchObject({ kind: 'ConfigMapList', items: [{ metadata: { name: 'a' } }] });
    expect((await shard.get(CONFIGMAPS_PATH)).json().items).toMatchObject([{ metadata: { name: 'b' } }]);
  });
});

describe('a namespace', () => {
  test('is Active and labelled with its name when it is made', async () => {
    const reply = await new TestShard().post('/api/v1/namespaces', { metadata: { name: 'n' } });
    expect(reply.json()).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'n' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  });

  test('takes its contents with it', async () => {
    const shard = new TestShard();
    await shard.post(CONFIGMAPS_PATH, configMap('a'));
    expect((await shard.delete('/api/v1/namespaces/default')).json()).toMatchObject({ status: { phase: 'Terminating' } });
    expect((await shard.get('/api/v1/namespaces/default')).status).toBe(404);
    expect((await shard.get(CONFIGMAPS_PATH)).json().items).toEqual([]);
  });

  test('waits for what is held in it, and lets nothing new in', async () => {
    const shard = new TestShard();
    await shard.post(CONFIGMAPS_PATH, configMap('a', { metadata: { name: 'a', finalizers: ['x/y'] } }));
    await shard.delete('/api/v1/namespaces/default');
    expect((await shard.get('/api/v1/namespaces/default')).status).toBe(200);
    const refused = (await shard.post(CONFIGMAPS_PATH, configMap('b'))).json();
    expect(refused).toMatchObject({ code: 403, details: { causes: [{ reason: 'NamespaceTerminating' }] } });
    await shard.patch(`${CONFIGMAPS_PATH}/a`, { metadata: { finalizers: [] } });
    expect((await shard.get('/api/v1/namespaces/default')).status).toBe(404);
  });

  test('is let go of through /finalize only', async () => {
    const shard = new TestShard();
    const path = '/api/v1/namespaces/default';
    expect((await shard.patch(path, { spec: { finalizers: [] } })).json()).toMatchObject({
      spec: { finalizers: ['kubernetes'] },
    });
    const finalized = await shard.put(`${path}/finalize`, { metadata: { name: 'default' }, spec: { finalizers: [] } });
    expect(finalized.json()).toMatchObject({ spec: { finalizers: [] } });
  });
});
