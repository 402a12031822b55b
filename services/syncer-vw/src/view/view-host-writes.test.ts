import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { FakeResponse, SeenRequest } from '@kcp-vw/shared/testing/fake-upstream.ts';
import { ask, assigned, SYNCER, UPSYNCER } from './view-host.fixture.ts';

const BELOW = 'consumer/apis/apps/v1/namespaces/default/deployments/web';
const PATH = `${SYNCER}/${BELOW}`;
const SHARD = `/clusters/${BELOW}`;
const FINALIZER = 'workload.kcp.io/syncer-W';
const MERGE = 'application/merge-patch+json';

/** A shard with one object, which stores no metadata with a status and no status with metadata. `changes`: so many times somebody else is faster. */
function shardWith(
  initial: KubeObject,
  changes = 0,
): { readonly object: KubeObject; answer(request: SeenRequest): FakeResponse } {
  let object = initial;
  let left = changes;
  let version = 7;
  const store = (next: KubeObject): KubeObject => {
    version += 1;
    object = { ...next, metadata: { ...next.metadata, resourceVersion: String(version) } };
    return object;
  };
  return {
    get object() {
      return object;
    },
    answer({ method, path, body }) {
      if (method === 'GET') return { body: object };
      const sent = JSON.parse(body) as KubeObject;
      if (left > 0) {
        left -= 1;
        store({ ...object, spec: { replicas: 8 + left } });
      }
      if (sent.metadata?.resourceVersion !== object.metadata?.resourceVersion) {
        return { status: 409, body: { kind: 'Status', code: 409, reason: 'Conflict', message: 'modified' } };
      }
      const isStatus = path.split('?')[0]?.endsWith('/status');
      return { body: store(isStatus ? { ...object, status: sent.status } : { ...sent, status: object.status }) };
    },
  };
}

const held = (): KubeObject => ({ ...assigned('web'), metadata: { ...assigned('web').metadata, finalizers: [FINALIZER] } });
const view = (resourceVersion: string, rest: KubeObject = {}): string =>
  JSON.stringify({
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 7 } },
    metadata: { name: 'web', namespace: 'default', resourceVersion, finalizers: [FINALIZER] },
    ...rest,
  });

describe('a PUT through the syncer view', () => {
  test('29: of the status is one of the status upstream, and one of what the syncer has written', async () => {
    const shard = shardWith(held());
    const body = view('7', { status: { replicas: 7 } });
    const { status, json, requests } = await ask('PUT', `${PATH}/status`, { body, answer: shard.answer });
    expect(status).toBe(200);
    expect(requests).toEqual([`GET ${SHARD}`, `PUT ${SHARD}/status`, `PUT ${SHARD}`]);
    expect(json()).toMatchObject({ metadata: { resourceVersion: '9' }, status: { replicas: 7 } });
    expect(shard.object.status).toEqual({ replicas: 7 });
  });

  test('37: to another version is tried once, and a 409', async () => {
    const stale = await ask('PUT', PATH, { body: view('6'), answer: shardWith(held()).answer });
    expect([stale.status, stale.requests]).toEqual([409, [`GET ${SHARD}`]]);
    const overtaken = await ask('PUT', PATH, { body: view('7'), answer: shardWith(held(), 1).answer });
    expect([overtaken.status, overtaken.requests]).toEqual([409, [`GET ${SHARD}`, `PUT ${SHARD}`]]);
  });

  test('24: of what the syncer does not see is a 404, whatever is stored', async () => {
    const body = view('7');
    const pending = shardWith(assigned('web', { labels: { 'state.workload.kcp.io/W': '' } }));
    const { status, requests } = await ask('PUT', PATH, { body, answer: pending.answer });
    expect([status, requests]).toEqual([404, [`GET ${SHARD}`]]);
    const answer = () => ({ status: 404, body: { kind: 'Status', code: 404, message: 'not there' } });
    expect((await ask('PUT', PATH, { body, answer })).status).toBe(404);
  });
});

describe('a PATCH through the syncer view', () => {
  const patch = (body: object, answer: (request: SeenRequest) => FakeResponse, path = PATH) =>
    ask('PATCH', path, { body: JSON.stringify(body), contentType: MERGE, answer });

  test('33: is one of what the syncer sees: it takes the object, and leaves others’ finalizers', async () => {
    const shard = shardWith(assigned('web'));
    const { status, json, requests } = await patch({ metadata: { finalizers: [FINALIZER] } }, shard.answer);
    expect(status).toBe(200);
    expect(requests.map(request => request.split(' ')[0])).not.toContain('PATCH');
    expect(json()).toMatchObject({ metadata: { finalizers: [FINALIZER] } });
    expect(shard.object.metadata?.finalizers).toEqual(['others', FINALIZER]);
  });

  test('38: is tried again when somebody else was faster, on what is stored then', async () => {
    const shard = shardWith(held(), 2);
    const { status, json } = await patch({ status: { replicas: 7 } }, shard.answer, `${PATH}/status`);
    expect(status).toBe(200);
    expect(json()).toMatchObject({ spec: { replicas: 8 }, status: { replicas: 7 } });
  });

  test('38: is a 409 when somebody else is always faster', async () => {
    const shard = shardWith(held(), 1_000);
    expect((await patch({ status: { replicas: 7 } }, shard.answer, `${PATH}/status`)).status).toBe(409);
  });

  test('of a broken object is a 500 that says why, and nothing is put', async () => {
    const shard = shardWith(assigned('web', { annotations: { 'experimental.spec-diff.workload.kcp.io/W': 'nonsense' } }));
    const { status, json, requests } = await patch({ metadata: { finalizers: [FINALIZER] } }, shard.answer);
    expect([status, json().message]).toEqual([500, expect.stringContaining('experimental.spec-diff.workload.kcp.io/W')]);
    expect(requests).toEqual([`GET ${SHARD}`]);
  });
});

describe('a POST through the upsyncer view', () => {
  const create = (state: string) => {
    const metadata = { name: 'pv', labels: { 'state.workload.kcp.io/W': state } };
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'PersistentVolume', metadata, spec: { size: 1 } });
    const answer = (request: SeenRequest) => ({ status: 201, body: JSON.parse(request.body) as object });
    return ask('POST', `${UPSYNCER}/consumer/api/v1/persistentvolumes`, { body, answer });
  };

  test('12: creates the object', async () => {
    const { status, requests, json } = await create('Upsync');
    expect([status, requests]).toEqual([201, ['POST /clusters/consumer/api/v1/persistentvolumes']]);
    expect(json()).toMatchObject({ metadata: { name: 'pv' }, spec: { size: 1 } });
  });

  test('14: without its label is a 400, and nothing is created', async () => {
    const { status, requests } = await create('Sync');
    expect([status, requests]).toEqual([400, []]);
  });

  test('30: of what is there already is the shard’s 409', async () => {
    const answer = () => ({ status: 409, body: { kind: 'Status', code: 409, reason: 'AlreadyExists', message: 'it is there' } });
    const metadata = { name: 'pv', labels: { 'state.workload.kcp.io/W': 'Upsync' } };
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'PersistentVolume', metadata });
    const { status, json } = await ask('POST', `${UPSYNCER}/consumer/api/v1/persistentvolumes`, { body, answer });
    expect([status, json().reason]).toEqual([409, 'AlreadyExists']);
  });
});
