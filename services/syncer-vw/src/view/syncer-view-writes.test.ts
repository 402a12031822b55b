import { describe, expect, test } from '@jest/globals';
import { conflict } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject, ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import type { Transform } from '@kcp-vw/shared/view/view.ts';
import { letGo, type SimulatedUpstream, simulatedUpstream, taken, withStatus } from '../transform/upstream.fixture.ts';
import { callTo, DEPLOYMENT, targetAt, transformed, World, written } from './view.fixture.ts';

const state = (...keys: string[]) => Object.fromEntries(keys.map(key => [`state.workload.kcp.io/${key}`, 'Sync']));
const finalizer = 'workload.kcp.io/syncer-W';

const upstreamWith = ({ labels = state('W'), annotations, ...metadata }: ObjectMeta = {}): SimulatedUpstream =>
  simulatedUpstream({
    ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
    metadata: {
      name: 'web',
      namespace: 'default',
      ...metadata,
      labels,
      annotations: { 'kcp.io/cluster': 'consumer', ...annotations },
    },
    spec: { replicas: 7 },
  });

async function planOf(path = DEPLOYMENT, world = new World(), method = 'PUT'): Promise<Transform> {
  return transformed(await world.syncer.answer(callTo('consumer', path, { method })));
}

const seen = (plan: Transform, upstream: SimulatedUpstream): KubeObject => {
  const view = plan.object(upstream.object);
  if (view === undefined) throw new Error('it is not seen');
  return view;
};
const statusPlan = (world?: World): Promise<Transform> => planOf(`${DEPLOYMENT}/status`, world);

describe('a syncer’s write', () => {
  test('6: of the status lands in its view and upstream, with one version', async () => {
    const plan = await statusPlan();
    const upstream = upstreamWith({ finalizers: [finalizer] });
    const submitted = withStatus(taken(seen(plan, upstream), 'W'), { replicas: 7 });
    const answer = await written(plan, upstream, { submitted, subresource: 'status' });
    expect(answer.status).toEqual({ replicas: 7 });
    expect(upstream.object.status).toEqual({ replicas: 7 });
    expect(answer.metadata?.resourceVersion).toBe(upstream.object.metadata?.resourceVersion);
  });

  test('6: of the spec succeeds, and changes nothing', async () => {
    const plan = await planOf();
    const upstream = upstreamWith({ finalizers: [finalizer], annotations: { 'diff.syncer.internal.kcp.io/W': '{}' } });
    const submitted = { ...taken(seen(plan, upstream), 'W'), spec: { replicas: 1 } };
    const answer = await written(plan, upstream, { submitted });
    expect(answer.spec).toEqual({ replicas: 7 });
    expect(upstream.puts).toEqual([]);
    expect(answer.metadata?.resourceVersion).toBe(upstream.object.metadata?.resourceVersion);
  });

  test('7: of the status is its own where there are several targets', async () => {
    const plan = await statusPlan();
    const upstream = upstreamWith({ labels: state('W', 'E'), finalizers: [finalizer] });
    const submitted = withStatus(taken(seen(plan, upstream), 'W'), { replicas: 4 });
    expect(await written(plan, upstream, { submitted, subresource: 'status' })).toMatchObject({ status: { replicas: 4 } });
    expect(upstream.object.status).toBeUndefined();
    expect(upstream.puts).toEqual(['main']);
  });

  test('8: that lets go of the object is answered with what it was, which is not found then', async () => {
    const plan = await planOf();
    const upstream = upstreamWith({
      finalizers: [finalizer],
      annotations: { 'deletion.internal.workload.kcp.io/W': '2023-05-01T10:00:00Z' },
    });
    const answer = await written(plan, upstream, { submitted: letGo(seen(plan, upstream)) });
    expect(answer).toMatchObject({ metadata: { name: 'web', resourceVersion: upstream.object.metadata?.resourceVersion } });
    expect(plan.object(upstream.object)).toBeUndefined();
    expect(upstream.object.metadata?.finalizers).toEqual([]);
  });

  test('22: of a status that is promoted for the first time is two PUTs', async () => {
    const plan = await statusPlan();
    const upstream = upstreamWith({ finalizers: [finalizer] });
    const submitted = withStatus(taken(seen(plan, upstream), 'W'), { replicas: 7 });
    await written(plan, upstream, { submitted, subresource: 'status' });
    expect(upstream.puts).toEqual(['status', 'main']);
  });

  // The next try goes on from there.
  test('of which the second PUT fails is the error of that one', async () => {
    const plan = await statusPlan();
    const upstream = upstreamWith({ finalizers: [finalizer] });
    const failing: SimulatedUpstream = {
      ...upstream,
      get object() {
        return upstream.object;
      },
      put(what, object) {
        if (what === 'main') throw conflict({ group: 'apps', resource: 'deployments' }, 'web', 'modified');
        return upstream.put(what, object);
      },
    };
    const submit = () => ({ submitted: withStatus(taken(seen(plan, upstream), 'W'), { replicas: 7 }), subresource: 'status' });
    await expect(written(plan, failing, submit())).rejects.toMatchObject({ code: 409 });
    expect(await written(plan, upstream, submit())).toMatchObject({ status: { replicas: 7 } });
  });

  test('21: without its finalizer is refused with 500, and nothing is put', async () => {
    const plan = await statusPlan();
    const upstream = upstreamWith();
    const submitted = withStatus(seen(plan, upstream), { replicas: 7 });
    await expect(written(plan, upstream, { submitted, subresource: 'status' })).rejects.toMatchObject({ code: 500 });
    expect(upstream.puts).toEqual([]);
  });

  // The original took the syncer's word for it, and dropped what nobody had asked it to drop.
  test('that invents its deletion is refused, and nothing is put', async () => {
    const plan = await planOf();
    const upstream = upstreamWith({ finalizers: [finalizer] });
    const view = letGo(seen(plan, upstream));
    const submitted = { ...view, metadata: { ...view.metadata, deletionTimestamp: '2023-05-01T10:00:00Z' } };
    await expect(written(plan, upstream, { submitted })).rejects.toMatchObject({ code: 403 });
    expect(upstream.puts).toEqual([]);
  });

  test.each(['update', 'create'] as const)('24: of an object that is not there is a 404: %s', async verb => {
    const { write } = await planOf();
    const plan = await write?.({ verb, subresource: '', stored: undefined, submitted: { metadata: { name: 'web' } } });
    expect(plan).toMatchObject({ refusal: { code: 404 } });
  });

  test.each([{ 'state.workload.kcp.io/W': '' }, state('E')])('of an object that it does not see is a 404: %j', async labels => {
    const plan = await planOf();
    const upstream = upstreamWith({ labels });
    await expect(written(plan, upstream, { submitted: taken(upstream.object, 'W') })).rejects.toMatchObject({ code: 404 });
  });

  test('25: of another version is a 409, and nothing is put', async () => {
    const plan = await planOf();
    const upstream = upstreamWith();
    const view = taken(seen(plan, upstream), 'W');
    upstream.change(object => ({ ...object, spec: { replicas: 8 } }));
    await expect(written(plan, upstream, { submitted: view })).rejects.toMatchObject({ code: 409 });
    expect(upstream.puts).toEqual([]);
  });

  test('that is stored together with the end of its assignment is answered with what it has seen', async () => {
    const plan = await planOf();
    const upstream = upstreamWith();
    const made = await plan.write?.({
      ...{ verb: 'update', subresource: '', stored: upstream.object },
      submitted: taken(seen(plan, upstream), 'W'),
    });
    if (made === undefined || 'refusal' in made) throw new Error('it is refused');
    const { labels: _, ...metadata } = upstream.object.metadata ?? {};
    expect(made.answer({ ...upstream.object, metadata })).toMatchObject({ metadata: { name: 'web' }, spec: { replicas: 7 } });
    const broken = { ...metadata, annotations: { 'experimental.spec-diff.workload.kcp.io/W': 'nonsense' } };
    expect(() => made.answer({ ...upstream.object, metadata: broken })).toThrow(expect.objectContaining({ code: 500 }));
  });

  // The object is read after the caller was authorized, and a patch may be tried again.
  test.each([
    ['the SyncTarget is gone', (world: World) => world.remove(targetAt('edge/west'))],
    ['the workspace has taken its binding back', (world: World) => world.bind('consumer', 'edge', false)],
  ])('is refused once %s', async (_, change) => {
    const world = new World();
    const plan = await planOf(DEPLOYMENT, world);
    const upstream = upstreamWith();
    const submitted = taken(seen(plan, upstream), 'W');
    change(world);
    await expect(written(plan, upstream, { submitted })).rejects.toMatchObject({ code: 403 });
    expect(upstream.puts).toEqual([]);
  });
});
