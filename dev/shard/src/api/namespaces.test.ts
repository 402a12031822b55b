import { describe, expect, test } from '@jest/globals';
import { TestShard } from './api.fixture.ts';

const PATH = '/api/v1/namespaces';

async function withNamespace(fields: Record<string, unknown> = {}) {
  const shard = new TestShard();
  const reply = await shard.post(PATH, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' }, ...fields });
  expect(reply.status).toBe(201);
  return { shard, namespace: reply.json() };
}

describe('a namespace', () => {
  test('is held by its contents, and by what else its creator says', async () => {
    const { namespace } = await withNamespace({ spec: { finalizers: ['example.dev/other'] }, status: { phase: 'Terminating' } });
    expect(namespace).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'a' } },
      spec: { finalizers: ['example.dev/other', 'kubernetes'] },
      status: { phase: 'Active' },
    });
  });

  test('has its name in a label, whatever is written there', async () => {
    const { shard, namespace } = await withNamespace();
    const labels = { 'kubernetes.io/metadata.name': 'b', more: 'yes' };
    const reply = await shard.put(`${PATH}/a`, {
      ...namespace,
      metadata: { ...namespace.metadata, labels },
      spec: {},
      status: {},
    });
    expect(reply.json()).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'a', more: 'yes' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
    const without = await shard.put(`${PATH}/a`, { ...namespace, metadata: { name: 'a' } });
    expect(without.json().metadata?.labels).toEqual({ 'kubernetes.io/metadata.name': 'a' });
  });

  test('takes metadata along with its status, as nearly all of Kubernetes does, but nothing of its spec', async () => {
    const { shard, namespace } = await withNamespace();
    const metadata = {
      ...namespace.metadata,
      labels: { more: 'yes' },
      annotations: { note: 'yes' },
      finalizers: ['example.dev/other'],
    };
    const status = { phase: 'Active', conditions: [{ type: 'Known', status: 'True' }] };
    const reply = await shard.put(`${PATH}/a/status`, { ...namespace, metadata, spec: {}, status });
    expect(reply.json()).toMatchObject({
      metadata: { labels: { more: 'yes' }, annotations: { note: 'yes' }, finalizers: ['example.dev/other'] },
      spec: { finalizers: ['kubernetes'] },
      status,
    });
    expect(reply.json().metadata?.uid).toBe(namespace.metadata?.uid);
    expect((await shard.put(`${PATH}/a/status`, { ...namespace, status })).status).toBe(409);
  });

  test('is in the phase that its deletion says', async () => {
    const { shard, namespace } = await withNamespace({ metadata: { name: 'a', finalizers: ['example.dev/other'] } });
    const refused = await shard.put(`${PATH}/a/status`, { ...namespace, status: { phase: 'Terminating' } });
    expect(refused.json()).toMatchObject({
      code: 422,
      message:
        'Namespace "a" is invalid: status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
    });
    await shard.ask('DELETE', `${PATH}/a`);
    const deleting = (await shard.get(`${PATH}/a`)).json();
    expect(deleting).toMatchObject({ status: { phase: 'Terminating' } });
    expect((await shard.put(`${PATH}/a/status`, { ...deleting, status: { phase: 'Active' } })).status).toBe(422);
    const added = { ...deleting.metadata, finalizers: ['example.dev/other', 'example.dev/new'] };
    expect((await shard.put(`${PATH}/a/status`, { ...deleting, metadata: added })).status).toBe(422);
  });

  test('is gone when the last finalizer goes, be it with the status', async () => {
    const { shard } = await withNamespace({ metadata: { name: 'a', finalizers: ['example.dev/other'] } });
    await shard.ask('DELETE', `${PATH}/a`);
    const deleting = (await shard.get(`${PATH}/a`)).json();
    const metadata = { ...deleting.metadata, finalizers: [] };
    expect((await shard.put(`${PATH}/a/status`, { ...deleting, metadata })).status).toBe(200);
    expect((await shard.get(`${PATH}/a`)).status).toBe(404);
  });
});
