/** By which rules kcp keeps what syncing writes on objects, through the view of the export of what is synced: by them its writes are planned. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { KubeList, KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { RULES_ANNOTATION } from '@kcp-vw/syncer-vw/transform/names.ts';
import type { Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { viewOfExport } from './support/exports.ts';
import { target } from './support/identities.ts';
import type { Status } from './support/kube.ts';
import {
  type Consumer,
  computeWorkspace,
  createConsumer,
  createDeployment,
  createSyncedNamespace,
  deployment,
  deploymentsIn,
  mark,
  NAMESPACES,
} from './support/syncing.ts';

type Stored = KubeObject & {
  readonly spec?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
};

/** Called as what syncing writes, but none of it: where it runs, it clears away what is of no SyncTarget. */
const LABEL = 'e2e.workload.kcp.io/K';
const ANNOTATION = 'diff.e2e.internal.kcp.io/K';
const FINALIZER = 'workload.kcp.io/e2e-K';

const generationOf = ({ metadata }: KubeObject): unknown => metadata?.generation;

describe.each(target.shards.map(shard => ({ on: shard.name, shard })))('what syncing writes on $on', ({ shard }) => {
  let consumer: Consumer;
  /** The objects of the consumer, in the view of the compute export. */
  let content: Client;

  const created = async (name: string, replicas = 3): Promise<string> =>
    createDeployment(consumer, 'default', deployment(name, replicas, { labels: { e2e: name } }));
  const read = async (path: string): Promise<Stored> => (await content.get(path)).expect(200).json<Stored>();

  beforeAll(async () => {
    const { compute, credentials } = await computeWorkspace();
    consumer = await createConsumer(shard);
    content = viewOfExport(compute, credentials, shard).at(`/clusters/${consumer.cluster}`);
    await eventually('access', async () => (await content.get(deploymentsIn('default'))).expect(200));
  }, 180_000);

  test('is kept by updates of the object itself, which is no new generation', async () => {
    const path = await created('updated');
    const stored = await read(path);
    const labels = { ...stored.metadata?.labels, [LABEL]: 'Sync' };
    const annotations = { ...stored.metadata?.annotations, [ANNOTATION]: '{}' };
    const metadata = { ...stored.metadata, labels, annotations, finalizers: [FINALIZER] };
    const next = (await content.put(path, { ...stored, metadata, status: { replicas: 9 } })).expect(200).json<Stored>();
    expect(next.metadata).toMatchObject({ labels, annotations, finalizers: [FINALIZER] });
    expect(next.status).toBeUndefined();
    // Metadata is not what a generation counts.
    expect(generationOf(next)).toBe(generationOf(stored));
    const refused = (await content.put(path, { ...stored, spec: { ...stored.spec, replicas: 4 } })).expect(409);
    expect(refused.json<Status>().reason).toBe('Conflict');
    const scaled = (await content.mergePatch(path, { spec: { replicas: 4 } })).expect(200).json<Stored>();
    expect(generationOf(scaled)).toBe(Number(generationOf(stored)) + 1);
    (await content.mergePatch(path, { metadata: { resourceVersion: stored.metadata?.resourceVersion, labels: {} } })).expect(409);
    (await content.mergePatch(path, { metadata: { finalizers: null } })).expect(200);
  });

  test('is nothing but the status where the status is written', async () => {
    const path = await created('status');
    const stored = await read(path);
    const metadata = {
      ...stored.metadata,
      labels: { e2e: 'changed' },
      annotations: { ...stored.metadata?.annotations, [ANNOTATION]: '{}' },
      finalizers: [FINALIZER],
    };
    const body = { ...stored, metadata, spec: { ...stored.spec, replicas: 8 }, status: { replicas: 3 } };
    const next = (await content.put(`${path}/status`, body)).expect(200).json<Stored>();
    expect(next.status).toEqual({ replicas: 3 });
    expect(next.spec).toEqual(stored.spec);
    expect(next.metadata?.finalizers).toBeUndefined();
    expect(next.metadata?.labels).toEqual(stored.metadata?.labels);
    expect(next.metadata?.annotations).toEqual(stored.metadata?.annotations);
    expect(generationOf(next)).toBe(generationOf(stored));
    expect(next.metadata?.resourceVersion).not.toBe(stored.metadata?.resourceVersion);
    (await content.put(`${path}/status`, { ...stored, status: { replicas: 4 } })).expect(409);
    const patch = { metadata: { labels: { e2e: 'changed' } }, status: { readyReplicas: 1 } };
    const patched = (await content.mergePatch(`${path}/status`, patch)).expect(200).json<Stored>();
    expect(patched.status).toEqual({ replicas: 3, readyReplicas: 1 });
    expect(patched.metadata?.labels).toEqual(stored.metadata?.labels);
  });

  test('holds what is deleted until its last finalizer goes', async () => {
    const path = await created('deleted');
    const { metadata: before } = await mark(consumer, path, { finalizers: [FINALIZER, 'e2e.dev/other'] });
    (await consumer.owner.delete(path)).expect(200);
    const deleting = await read(path);
    expect(deleting.metadata?.deletionTimestamp).toBeDefined();
    expect(deleting.metadata?.generation).toBe(Number(before?.generation) + 1);
    const metadata = { ...deleting.metadata, finalizers: ['e2e.dev/other', 'workload.kcp.io/e2e-L'] };
    (await content.put(path, { ...deleting, metadata })).expect(422);
    (await content.put(path, { ...deleting, metadata: { ...deleting.metadata, finalizers: ['e2e.dev/other'] } })).expect(200);
    await read(path);
    (await content.mergePatch(path, { metadata: { finalizers: null } })).expect(200);
    (await content.get(path)).expect(404);
  });

  test('is decided by an annotation that its owner may set', async () => {
    const path = await created('rules');
    const annotations = { [RULES_ANNOTATION]: '[{"fieldPath":"status","promoteToUpstream":false}]' };
    for (const client of [consumer.owner, content]) (await client.mergePatch(path, { metadata: { annotations } })).expect(200);
    expect((await read(path)).metadata?.annotations).toMatchObject(annotations);
  });

  test('is kept by namespaces, too, whose status takes metadata along', async () => {
    const name = await createSyncedNamespace(consumer, []);
    const path = `${NAMESPACES}/${name}`;
    const stored = await eventually('the namespace', () => read(path));
    const metadata = {
      ...stored.metadata,
      labels: { ...stored.metadata?.labels, 'kubernetes.io/metadata.name': 'another', [LABEL]: 'Sync' },
      finalizers: [FINALIZER],
    };
    const next = (await content.put(path, { ...stored, metadata, spec: {}, status: {} })).expect(200).json<Stored>();
    expect(next).toMatchObject({ spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } });
    expect(next.metadata?.labels).toMatchObject({ 'kubernetes.io/metadata.name': name, [LABEL]: 'Sync' });
    // Of Kubernetes' own types the metadata is written with the status.
    const annotations = { ...next.metadata?.annotations, [ANNOTATION]: '{}' };
    const status = { phase: 'Active', conditions: [{ type: 'E2E', status: 'True' }] };
    const body = { ...next, metadata: { ...next.metadata, annotations }, spec: {}, status };
    const told = (await content.put(`${path}/status`, body)).expect(200).json<Stored>();
    expect(told).toMatchObject({ spec: { finalizers: ['kubernetes'] }, status });
    expect(told.metadata?.annotations).toEqual(annotations);

    (await consumer.owner.delete(path)).expect(200, 202);
    await eventually('the end of its content', async () => {
      const all = (await consumer.owner.get(`${path}/configmaps`)).expect(200).json<KubeList>();
      expect(all.items).toEqual([]);
    });
    const deleting = await read(path);
    expect(deleting).toMatchObject({ metadata: { finalizers: [FINALIZER] }, status: { phase: 'Terminating' } });
    (await content.mergePatch(path, { metadata: { finalizers: null } })).expect(200);
    await eventually('the end of the namespace', async () => (await consumer.owner.get(path)).expect(404));
  });
});
