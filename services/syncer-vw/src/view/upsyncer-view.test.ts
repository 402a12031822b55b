import { describe, expect, test } from '@jest/globals';
import type { KubeObject, ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import type { Transform, ViewWrite } from '@kcp-vw/shared/view/view.ts';
import { frozen } from '../transform/upstream.fixture.ts';
import { type CallParts, callTo, forwarded, refusedWith, targetAt, transformed, VOLUMES, World } from './view.fixture.ts';

const VOLUME = `${VOLUMES}/pv`;
const OWN = { 'state.workload.kcp.io/W': 'Upsync' };
const PATCH = 'internal.workload.kcp.io/upsyncdiffW';

const answerTo = (cluster: string, path: string, parts: CallParts = {}, world = new World()) =>
  world.upsyncer.answer(callTo(cluster, path, parts));
const planOf = async (...call: Parameters<typeof answerTo>): Promise<Transform> => transformed(await answerTo(...call));

const volume = ({ labels = OWN, annotations, ...metadata }: ObjectMeta = {}, rest: KubeObject = {}): KubeObject =>
  frozen({
    ...{ apiVersion: 'v1', kind: 'PersistentVolume' },
    metadata: {
      ...{ name: 'pv', uid: 'u', resourceVersion: '7', ...metadata },
      labels,
      annotations: { 'kcp.io/cluster': 'consumer', ...annotations },
    },
    spec: { size: 1 },
    ...rest,
  });
const asSubmitted = ({ labels = OWN, annotations }: ObjectMeta = {}): KubeObject =>
  frozen({
    ...{ apiVersion: 'v1', kind: 'PersistentVolume' },
    metadata: { name: 'pv', labels, ...(annotations && { annotations }) },
    spec: { size: 1 },
  });

/** The steps of a write: each with what it sends. */
async function stepsOf(plan: Transform, write: Partial<ViewWrite> & Pick<ViewWrite, 'submitted'>) {
  const made = await plan.write?.({ verb: 'update', subresource: '', stored: undefined, ...write });
  if (made === undefined) throw new Error('nothing is written through this plan');
  if ('refusal' in made) throw made.refusal;
  const sent = made.steps.map(({ subresource, object }) => [subresource, object(write.stored ?? {})] as const);
  return { sent, answer: made.answer };
}

const creation = () => planOf('consumer', VOLUMES, { method: 'POST' });

describe('what an upsyncer sees', () => {
  test('11: is what carries its label, as it is', async () => {
    const plan = await planOf('*', VOLUMES);
    expect(plan).toMatchObject({ cluster: '*', select: 'state.workload.kcp.io/W=Upsync', customKind: 'PersistentVolume' });
    const leaving = volume({ finalizers: ['others'], deletionTimestamp: '2023-05-01T10:00:00Z' });
    expect(plan.object(leaving)).toBe(leaving);
  });

  test.each([{ 'state.workload.kcp.io/W': 'Sync' }, { 'state.workload.kcp.io/E': 'Upsync' }, {}])(
    'is nothing else, also by its name: %j',
    async labels => {
      expect((await planOf('consumer', VOLUME)).object(volume({ labels }))).toBeUndefined();
    },
  );

  test('is nothing of a logical cluster that has not let the target in', async () => {
    const foreign = volume({ annotations: { 'kcp.io/cluster': 'other' } });
    const plan = await planOf('*', `${VOLUMES}?watch=true`);
    expect(plan.object(foreign)).toBeUndefined();
    expect(plan.deleted?.(foreign)).toEqual({
      ...{ apiVersion: 'v1', kind: 'PersistentVolume' },
      metadata: { name: 'pv', uid: 'u', resourceVersion: '7', annotations: { 'kcp.io/cluster': 'other' } },
    });
  });

  test('is the last of an object that is deleted, or its no more', async () => {
    const { deleted } = await planOf('*', `${VOLUMES}?watch=true`);
    expect(deleted?.(volume({ labels: {} }))).toEqual(volume({ labels: {} }));
  });
});

describe('what an upsyncer creates', () => {
  test('12: is one POST of what it says, and its status another write', async () => {
    const { sent, answer } = await stepsOf(await creation(), { verb: 'create', submitted: asSubmitted() });
    expect(sent).toEqual([['', asSubmitted()]]);
    // The shard drops the status of what is created.
    expect(answer(volume())).toEqual(volume());
    const submitted = volume({}, { status: { phase: 'Bound' } });
    const status = await planOf('consumer', `${VOLUME}/status`, { method: 'PUT' });
    expect((await stepsOf(status, { subresource: 'status', stored: volume(), submitted })).sent).toEqual([['status', submitted]]);
  });

  test('13: has the patch applied that it brings', async () => {
    const annotations = { [PATCH]: '[{"op":"replace","path":"/spec/size","value":2}]' };
    const { sent } = await stepsOf(await creation(), { verb: 'create', submitted: asSubmitted({ annotations }) });
    expect(sent).toMatchObject([['', { spec: { size: 2 }, metadata: { annotations: {} } }]]);
  });

  test('14: with another label is a 400', async () => {
    const submitted = asSubmitted({ labels: { 'state.workload.kcp.io/W': 'Sync' } });
    await expect(stepsOf(await creation(), { verb: 'create', submitted })).rejects.toMatchObject({ code: 400 });
  });

  test('is in one logical cluster', async () => {
    expect(refusedWith(await answerTo('*', VOLUMES, { method: 'POST' })).code).toBe(400);
  });

  // A pod of the owner's choice in everybody's workspace.
  test('is nothing in a logical cluster that has not let the target in', async () => {
    const call = callTo('other', '/api/v1/namespaces/default/pods', { method: 'POST' });
    expect(await new World().upsyncer.authorize(call)).toMatchObject({ allowed: false });
  });
});

describe('what an upsyncer updates', () => {
  const update = () => planOf('consumer', VOLUME, { method: 'PUT' });

  test('15: is stored', async () => {
    const submitted = volume({}, { spec: { size: 3 } });
    expect((await stepsOf(await update(), { stored: volume(), submitted })).sent).toEqual([['', submitted]]);
  });

  test('16: without its label is a 400, and nothing is put', async () => {
    const submitted = volume({ labels: {} });
    await expect(stepsOf(await update(), { stored: volume(), submitted })).rejects.toMatchObject({ code: 400 });
  });

  // The original looked at what a PUT says, and at nothing that a PATCH does.
  test('16: by a patch is looked at in the same way', async () => {
    const plan = await planOf('consumer', VOLUME, { method: 'PATCH' });
    const submitted = volume({ labels: { 'state.workload.kcp.io/W': 'Sync' } });
    await expect(stepsOf(plan, { stored: volume(), submitted })).rejects.toMatchObject({ code: 400 });
  });

  test('is a 404 when it is none of its own', async () => {
    const plan = await update();
    await expect(stepsOf(plan, { stored: volume({ labels: {} }), submitted: volume() })).rejects.toMatchObject({ code: 404 });
    await expect(stepsOf(plan, { submitted: volume() })).rejects.toMatchObject({ code: 404 });
  });

  test.each([
    ['the SyncTarget is gone', (world: World) => world.remove(targetAt('edge/west'))],
    ['the workspace has taken its binding back', (world: World) => world.bind('consumer', 'edge', false)],
  ])('is refused once %s', async (_, change) => {
    const world = new World();
    const plan = await planOf('consumer', VOLUME, { method: 'PUT' }, world);
    change(world);
    await expect(stepsOf(plan, { stored: volume(), submitted: volume() })).rejects.toMatchObject({ code: 403 });
  });
});

describe('what an upsyncer deletes', () => {
  // The original looked at no label: every object of its kinds could be deleted through the view.
  test('17: is what it sees, which is looked at first', async () => {
    const plan = forwarded(await answerTo('consumer', VOLUME, { method: 'DELETE' }));
    expect(plan).toMatchObject({ cluster: 'consumer', customKind: 'PersistentVolume' });
    const visible = plan.guard?.visible ?? (() => undefined);
    expect(visible(volume())).toBe(true);
    expect(visible(volume({ labels: { 'state.workload.kcp.io/W': 'Sync' } }))).toBe(false);
    expect(visible(volume({ labels: {} }))).toBe(false);
  });

  test('is nothing once the workspace has taken its binding back', async () => {
    const world = new World();
    const plan = forwarded(await answerTo('consumer', VOLUME, { method: 'DELETE' }, world));
    world.bind('consumer', 'edge', false);
    expect(plan.guard?.visible?.(volume())).toBe(false);
  });
});
