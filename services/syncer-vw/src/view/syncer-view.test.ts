import { describe, expect, test } from '@jest/globals';
import type { KubeObject, ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import { schemaAt } from '@kcp-vw/shared/view/schema-resources.fixture.ts';
import type { Transform } from '@kcp-vw/shared/view/view.ts';
import { frozen } from '../transform/upstream.fixture.ts';
import {
  accepted,
  type CallParts,
  callTo,
  DEPLOYMENT,
  DEPLOYMENTS,
  exportOf,
  forwarded,
  refusedWith,
  targetAt,
  transformed,
  World,
} from './view.fixture.ts';

const answerTo = (cluster: string, path: string, world = new World(), parts: CallParts = {}) =>
  world.syncer.answer(callTo(cluster, path, parts));
const planOf = async (...call: Parameters<typeof answerTo>): Promise<Transform> => transformed(await answerTo(...call));

const ASSIGNED = { 'state.workload.kcp.io/W': 'Sync' };

const deployment = ({ labels = ASSIGNED, annotations, ...metadata }: ObjectMeta = {}): KubeObject =>
  frozen({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      ...{ name: 'web', namespace: 'default', uid: 'u', resourceVersion: '41', ...metadata },
      labels,
      annotations: { 'kcp.io/cluster': 'consumer', ...annotations },
    },
    spec: { replicas: 7 },
    status: { replicas: 7 },
  });

describe('what a syncer asks for', () => {
  test('35: is asked for where the export has its objects, in the same logical cluster', async () => {
    const world = new World();
    const plan = await planOf('consumer', DEPLOYMENT, world);
    expect(plan).toMatchObject({ cluster: 'consumer', customKind: 'Deployment', reads: 'object' });
    expect(plan.shard).toBe(world.upstreams.get('compute/kubernetes'));
    expect(plan.of).toMatchObject({ apiVersion: 'apps/v1', kind: 'Deployment', group: 'apps', resource: 'deployments' });
  });

  // Of a single object a shard ignores it: it is looked at here.
  test('35: is selected by its label in lists and watches', async () => {
    const select = 'state.workload.kcp.io/W=Sync';
    expect(await planOf('*', DEPLOYMENTS)).toMatchObject({ cluster: '*', select });
    expect(await planOf('consumer', `${DEPLOYMENTS}?watch=true`)).toMatchObject({ cluster: 'consumer', select });
    expect((await planOf('consumer', DEPLOYMENT)).select).toBeUndefined();
  });

  // The original asked a shard for `deployments:<identity>`. Through the export there is no other.
  test('36: is of one identity without naming it, since it is reached through its export', async () => {
    const world = new World();
    const cowboys = exportOf('edge/wild', [schemaAt('edge/c', 'cowboys.dev')], 'own');
    world.putExport('edge/wild', cowboys);
    const spec = { supportedAPIExports: [{ export: 'wild' }] };
    world.put(targetAt('edge/west', { spec, status: { syncedResources: accepted('cowboys.dev:own') } }));
    const plan = await planOf('*', '/apis/dev/v1/cowboys', world);
    expect(plan.shard).toBe(world.upstreams.get('edge/wild'));
    expect(plan.identity).toBeUndefined();
    const secrets = await planOf('*', '/api/v1/secrets', world);
    expect(secrets.shard).toBe(world.upstreams.get('compute/kubernetes'));
    expect(secrets.customKind).toBeUndefined();
  });

  test('says why it is answered', async () => {
    expect((await planOf('*', DEPLOYMENTS)).because).toBe(
      'state.workload.kcp.io/W=Sync is of the SyncTarget edge/west; reached through the APIExport compute/kubernetes',
    );
  });

  test('goes nowhere as long as it is not known where that is', async () => {
    const world = new World();
    world.isLocated = false;
    expect(refusedWith(await answerTo('*', DEPLOYMENTS, world)).code).toBe(503);
    expect(refusedWith(await answerTo('*', '/version', world)).code).toBe(503);
    const other = new World();
    other.compute = undefined;
    expect(refusedWith(await answerTo('*', '/api/v1/secrets', other)).code).toBe(503);
    expect(await answerTo('*', DEPLOYMENTS, other)).toMatchObject({ kind: 'transform' });
  });

  test('is the shard’s version where that is asked for', async () => {
    const world = new World();
    const plan = forwarded(await answerTo('*', '/version', world));
    expect(plan.shard).toBe(world.upstreams.get('compute/kubernetes'));
  });

  test('is of all namespaces where it is of all logical clusters', async () => {
    const error = refusedWith(await answerTo('*', '/apis/apps/v1/namespaces/default/deployments'));
    expect(error.code).toBe(400);
    expect(error.message).toContain('required to be cross-namespace');
  });

  test.each([
    ['GET', DEPLOYMENT],
    ['PUT', DEPLOYMENT],
    ['PATCH', `${DEPLOYMENT}/status`],
    ['GET', '/api/v1/namespaces/default'],
  ])('names a logical cluster for a single object: %s %s', async (method, path) => {
    expect(refusedWith(await answerTo('*', path, new World(), { method })).code).toBe(400);
  });

  test('is not found when the SyncTarget is gone meanwhile', async () => {
    const world = new World();
    world.remove(targetAt('edge/west'));
    expect(refusedWith(await answerTo('*', DEPLOYMENTS, world)).code).toBe(404);
    const { scope, request } = callTo('*', '/apis');
    await expect(world.syncer.apis(scope, request)).rejects.toMatchObject({ code: 404 });
  });
});

describe('what a syncer sees', () => {
  test('4: is an object of the SyncTarget’s own workspace, in all logical clusters and by its name', async () => {
    const own = deployment({ annotations: { 'kcp.io/cluster': 'edge' } });
    for (const plan of [await planOf('*', DEPLOYMENTS), await planOf('edge', DEPLOYMENT)]) {
      expect(plan.object(own)).toMatchObject({ metadata: { uid: 'u' }, spec: { replicas: 7 } });
    }
  });

  test('5: is an object of a workspace that has bound an export', async () => {
    for (const plan of [await planOf('*', DEPLOYMENTS), await planOf('consumer', DEPLOYMENT)]) {
      expect(plan.object(deployment())).toMatchObject({ metadata: { uid: 'u' }, spec: { replicas: 7 } });
    }
  });

  test('18: is no view-diff, and nothing that it has not written', async () => {
    const { object } = await planOf('consumer', DEPLOYMENT);
    const seen = object(deployment({ annotations: { 'diff.syncer.internal.kcp.io/E': '{}' }, finalizers: ['others'] }));
    expect(seen?.metadata?.annotations).toEqual({ 'kcp.io/cluster': 'consumer' });
    expect(seen).not.toHaveProperty('status');
    expect(seen?.metadata).not.toHaveProperty('finalizers');
  });

  test.each([
    ['pending', { 'state.workload.kcp.io/W': '' }],
    ['of another target', { 'state.workload.kcp.io/E': 'Sync' }],
    ['of the upsyncer', { 'state.workload.kcp.io/W': 'Upsync' }],
    ['nobody’s', {}],
  ])('is nothing that is %s, also by its name', async (_, labels) => {
    expect((await planOf('consumer', DEPLOYMENT)).object(deployment({ labels }))).toBeUndefined();
    expect((await planOf('*', DEPLOYMENTS)).object(deployment({ labels }))).toBeUndefined();
  });

  // Whoever has an object may label it for any target.
  test('is nothing of a logical cluster that has not let the target in', async () => {
    const { object } = await planOf('*', DEPLOYMENTS);
    expect(object(deployment({ annotations: { 'kcp.io/cluster': 'other' } }))).toBeUndefined();
    expect(object(deployment({ annotations: { 'kcp.io/cluster': '' } }))).toBeUndefined();
  });
});

describe('an object that is broken', () => {
  const spec = (key: string) => ({ [`experimental.spec-diff.workload.kcp.io/${key}`]: '[{"op":"nonsense"}]' });
  const broken = deployment({ annotations: spec('W') });

  test.each([DEPLOYMENTS, `${DEPLOYMENTS}?watch=true`])('is left out of %s, and told of', async path => {
    const world = new World();
    const { object } = await planOf('*', path, world);
    expect(object(broken)).toBeUndefined();
    expect(object(deployment())).toBeDefined();
    expect(world.broken).toHaveLength(1);
    expect(world.broken[0]).toContain('W web: the annotation experimental.spec-diff.workload.kcp.io/W');
  });

  test.each(['GET', 'PATCH'])('is answered to a %s by its name with the reason', async method => {
    const { object } = await planOf('consumer', DEPLOYMENT, new World(), { method });
    expect(() => object(broken)).toThrow(
      expect.objectContaining({ code: 500, message: expect.stringContaining('experimental.spec-diff.workload.kcp.io/W') }),
    );
  });

  test('is so for its own target only', async () => {
    const { object } = await planOf('consumer', DEPLOYMENT);
    expect(object(deployment({ annotations: spec('E') }))).toBeDefined();
  });
});

describe('an object that is deleted', () => {
  const lastOf = async (object: KubeObject, cluster = '*'): Promise<KubeObject | undefined> =>
    (await planOf(cluster, `${DEPLOYMENTS}?watch=true`)).deleted?.(object);
  const TRACE = { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '41' };
  const others = { 'diff.syncer.internal.kcp.io/E': '{"status":{"secret":1}}' };

  test('28: is told as it was seen', async () => {
    const last = await lastOf(deployment({ annotations: others }));
    expect(last).toMatchObject({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: TRACE, spec: { replicas: 7 } });
    expect(JSON.stringify(last)).not.toContain('secret');
  });

  test('is told also where it is not assigned any more', async () => {
    expect(await lastOf(deployment({ labels: {} }))).toMatchObject({ metadata: TRACE });
  });

  // What a syncer is not told of it would keep for ever.
  test('and was broken is told by what it was, and by nothing that it said', async () => {
    const last = await lastOf(
      deployment({ annotations: { ...others, 'deletion.internal.workload.kcp.io/W': 'soon' }, finalizers: ['others'] }),
    );
    expect(last).toEqual({
      ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
      metadata: { ...TRACE, annotations: { 'kcp.io/cluster': 'consumer' } },
    });
  });

  test('is told in the same way by a workspace that has taken its binding back', async () => {
    const last = await lastOf(deployment({ annotations: { 'kcp.io/cluster': 'other' } }));
    expect(last).toEqual({
      ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
      metadata: { ...TRACE, annotations: { 'kcp.io/cluster': 'other' } },
    });
  });
});
