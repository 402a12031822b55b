import { describe, expect, test } from '@jest/globals';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { requestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import type { Call } from '@kcp-vw/shared/view/view.ts';
import { SINGLE_APIS, WILDCARD_APIS } from './apis.ts';
import type { LifecycleScope } from './content.ts';
import { INITIALIZING, type Lifecycle, type LogicalCluster, TERMINATING } from './lifecycle.ts';
import { lifecycleView } from './lifecycle-view.ts';

const NAME = 'tenant1:type';
const alice: Caller = {
  name: 'alice',
  uid: 'u1',
  groups: ['team', 'system:authenticated'],
  extra: { scopes: ['x'] },
  method: 'token',
};
const masters: Caller = { ...alice, groups: ['system:masters'] };
const RULES = [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'] }];

function callOf(cluster: string, path: string, { method = 'GET', caller = alice, name = NAME } = {}): Call<LifecycleScope> {
  const target = parseTarget(path);
  return { caller, scope: { name, cluster }, request: requestInfo(method, target), query: target.query };
}

interface World {
  state?: LogicalCluster;
  types?: Record<string, { spec?: object }>;
  allowed?: boolean;
}

function viewOf(lifecycle: Lifecycle, { state, types = {}, allowed = true }: World = {}) {
  const reviews: unknown[] = [];
  const changing: string[] = [];
  const view = lifecycleView(lifecycle, {
    reviewer: {
      review: async (cluster: string, attributes: unknown) => {
        reviews.push([cluster, attributes]);
        return { allowed, reason: 'because of a role in a workspace that the caller cannot see' };
      },
      stats: () => ({ hits: 0, misses: 0, size: 0 }),
    } as never,
    logicalClusters: { read: async () => state, changing: cluster => changing.push(cluster), whenNot: () => () => undefined },
    workspaceTypes: { find: (cluster, name) => types[`${cluster}:${name}`] },
    ready: {},
  });
  return { view, reviews, changing };
}

const LC = '/apis/core.kcp.io/v1alpha1/logicalclusters';

describe('which part of the view a request belongs to', () => {
  test.each([
    ['*', LC, 'wildcard', 'wildcard'],
    ['*', '/api/v1/configmaps', 'wildcard', 'wildcard'],
    ['c1', `${LC}/cluster`, 'single', 'single'],
    ['c1', `${LC}/cluster/status`, 'single', 'single'],
    ['c1', '/apis/core.kcp.io/v9/logicalclusters', 'single', 'single'],
    ['c1', '/apis/core.kcp.io/v1alpha1/logicalclusters:identity/cluster/status', 'single', 'single'],
    ['c1', '/apis/core.kcp.io/v1alpha1/logicalclusters%3Aidentity/cluster', 'single', 'single'],
    ['c1', '/api/v1/configmaps', 'content', 'content'],
    ['c1', '/apis', 'content', 'single'],
    ['c1', '/version', 'content', 'single'],
    ['c1', '/', 'content', 'content'],
    ['c1', '/healthz', 'content', 'content'],
  ])('%s%s', async (cluster, path, initializing, terminating) => {
    const part = async (lifecycle: Lifecycle) => {
      const { request, scope } = callOf(cluster, path);
      const apis = await viewOf(lifecycle).view.apis(scope, request);
      return apis === WILDCARD_APIS ? 'wildcard' : apis === SINGLE_APIS ? 'single' : 'content';
    };
    expect([await part(INITIALIZING), await part(TERMINATING)]).toEqual([initializing, terminating]);
  });

  test.each([
    ['c1', '/healthz', true, true],
    ['c1', '/livez', true, false],
    ['*', '/healthz', false, false],
  ])('health is the workspace’s where content is: %s%s', (cluster, path, initializing, terminating) => {
    const { request, scope } = callOf(cluster, path);
    const isForwarded = (lifecycle: Lifecycle) => viewOf(lifecycle).view.healthIsForwarded?.(scope, request);
    expect([isForwarded(INITIALIZING), isForwarded(TERMINATING)]).toEqual([initializing, terminating]);
  });

  test.each([
    ['*', true],
    ['c1', true],
    ['system:admin', true],
    ['root:org', false],
  ])('a cluster segment %s is taken: %s', (cluster, taken) => {
    const { scope, request } = callOf(cluster, LC);
    expect(viewOf(INITIALIZING).view.resolve?.(scope, request) !== undefined).toBe(taken);
  });
});

describe('authorization', () => {
  test('asks in the logical cluster of the type, with the caller as it is', async () => {
    const { view, reviews } = viewOf(TERMINATING);
    expect(await view.authorize(callOf('c1', '/api/v1/secrets', { method: 'DELETE' }))).toMatchObject({ allowed: true });
    const resource = {
      group: 'tenancy.kcp.io',
      version: 'v1alpha1',
      resource: 'workspacetypes',
      verb: 'terminate',
      name: 'type',
    };
    expect(reviews).toEqual([['tenant1', { user: alice, resource }]]);
  });

  test('does not tell why it refuses', async () => {
    const { view } = viewOf(INITIALIZING, { allowed: false });
    expect(await view.authorize(callOf('*', LC))).toEqual({ allowed: false, because: 'access denied' });
  });

  test('lets masters in before the name is even parsed', async () => {
    const { view, reviews } = viewOf(INITIALIZING, { allowed: false });
    expect(await view.authorize(callOf('*', '/apis', { caller: masters, name: 'whatever' }))).toMatchObject({ allowed: true });
    expect(reviews).toEqual([]);
  });

  test('refuses a malformed name without asking anyone', async () => {
    const { view, reviews } = viewOf(INITIALIZING);
    expect(await view.authorize(callOf('*', LC, { name: 'nope' }))).toMatchObject({ allowed: false });
    expect(reviews).toEqual([]);
  });
});

describe('LogicalClusters across the shard', () => {
  test('are selected by the shard when initializing', async () => {
    const answer = await viewOf(INITIALIZING).view.answer(callOf('*', LC));
    expect(answer).toMatchObject({ kind: 'forward', cluster: '*' });
    expect((answer as { select: string }).select).toMatch(
      /^tenancy\.kcp\.io\/phase=Initializing,initializer\.internal\.kcp\.io\/[0-9a-f]{35}=[0-9a-f]{56}$/,
    );
    expect(answer).not.toHaveProperty('as');
  });

  test('are selected by the shard and by their deletion when terminating', async () => {
    const answer = await viewOf(TERMINATING).view.answer(callOf('*', LC));
    if (answer.kind !== 'transform') throw new Error('expected a transform');
    expect(answer.select).toMatch(/^terminator\.internal\.kcp\.io\/[0-9a-f]{36}=[0-9a-f]{56}$/);
    const deleted = { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(answer.object(deleted)).toBe(deleted);
    expect(answer.object({ metadata: {} })).toBeUndefined();
  });

  test('cannot be read by name', async () => {
    const answer = await viewOf(INITIALIZING).view.answer(callOf('*', `${LC}/cluster`));
    expect(answer).toMatchObject({ kind: 'refuse', error: { code: 404 } });
  });
});

describe.each([
  [
    INITIALIZING,
    { status: { phase: 'Initializing', initializers: [NAME] } },
    { status: { phase: 'Ready', initializers: [NAME] } },
  ],
  [
    TERMINATING,
    { metadata: { deletionTimestamp: 'x' }, status: { phase: 'Deleting', terminators: [NAME] } },
    { status: { phase: 'Ready', terminators: [NAME] } },
  ],
] as const)('content in $0.view', (lifecycle, pending, otherPhase) => {
  const createdBy = { username: 'owner', uid: 'o', groups: ['owners'], extra: { 'authentication.kcp.io/scopes': ['cluster:a'] } };
  const owned = { ...pending, spec: { createdBy } } as unknown as LogicalCluster;
  const answerTo = (world: World, path = '/api/v1/namespaces/default/configmaps/x', options = {}) =>
    viewOf(lifecycle, world).view.answer(callOf('c1', path, options));
  const text = async (answer: ReturnType<typeof answerTo>): Promise<unknown> => {
    const settled = await answer;
    return settled.kind === 'refuse' ? settled.error : settled;
  };

  test('is forwarded as the owner, as recorded, when the type grants no permissions', async () => {
    const answer = await answerTo({ state: owned, types: { [NAME]: {} } });
    expect(answer).toMatchObject({
      kind: 'forward',
      as: { name: 'owner', uid: 'o', groups: ['owners'], extra: createdBy.extra },
    });
  });

  test('is forwarded as the caller with the lifecycle group first when the type grants permissions', async () => {
    const answer = await answerTo({ state: owned, types: { [NAME]: { spec: { [lifecycle.permissionsField]: RULES } } } });
    const groups = [lifecycle.groupPrefix + NAME, ...alice.groups];
    expect(answer).toMatchObject({ kind: 'forward', as: { name: 'alice', uid: 'u1', groups, extra: alice.extra } });
  });

  test('is refused in words when no rule of the type allows it', async () => {
    const world = { state: owned, types: { [NAME]: { spec: { [lifecycle.permissionsField]: RULES } } } };
    expect(await text(answerTo(world, '/api/v1/namespaces/default/secrets/x'))).toEqual({
      code: 403,
      text: `${lifecycle.role} "${NAME}" denied by ${lifecycle.permissionsField}: no rule allows get on core/secrets (x) in namespace default`,
    });
    expect(await text(answerTo(world, '/'))).toMatchObject({ text: expect.stringContaining('no rule allows get on /') });
  });

  test.each([
    ['another phase', otherPhase],
    ['a name that is not pending', { ...pending, status: { ...pending.status, [lifecycle.statusField]: ['a:b'] } }],
  ])('is refused in %s', async (_, state) => {
    expect(await text(answerTo({ state: state as unknown as LogicalCluster, types: { [NAME]: {} } }))).toEqual({
      code: 403,
      text: `${lifecycle.role} "${NAME}" cannot access this workspace`,
    });
  });

  test('is not found where there is no such logical cluster', async () => {
    expect(await text(answerTo({ types: { [NAME]: {} } }))).toMatchObject({ code: 404 });
  });

  // Falling back to the owner here would hand out cluster-admin on the word of a name that nothing confirms.
  test('is unavailable, never the owner’s, while the type cannot be found', async () => {
    expect(await text(answerTo({ state: owned }))).toMatchObject({ code: 503 });
  });

  // `Impersonate-User: ` would leave the request with our own masters certificate.
  test.each([undefined, {}, { username: '' }])('fails when the owner is recorded as %j', async createdBy => {
    const state = { ...pending, spec: { createdBy } } as unknown as LogicalCluster;
    expect(await text(answerTo({ state, types: { [NAME]: {} } }))).toMatchObject({ code: 500 });
  });

  test('needs no type for an initializer of kcp itself', async () => {
    const name = 'system:apibindings';
    const state = { ...owned, status: { ...owned.status, [lifecycle.statusField]: [name] } };
    expect(await answerTo({ state }, '/api/v1/configmaps', { name })).toMatchObject({ kind: 'forward', as: { name: 'owner' } });
  });
});

// Whoever has handed a workspace over and then asks for its content must not be answered from what was read before.
test('a status write that is let through announces a change of its logical cluster, one that is refused does not', async () => {
  const stored = { metadata: { name: 'cluster' }, status: { phase: 'Initializing', initializers: [NAME, 'other:name'] } };
  const { view, changing } = viewOf(INITIALIZING);
  const answer = await view.answer(callOf('c1', `${LC}/cluster/status`, { method: 'PUT' }));
  if (answer.kind !== 'transform') throw new Error(`it is answered with ${answer.kind}`);
  const write = (initializers: string[]) => answer.admit?.(stored, { ...stored, status: { ...stored.status, initializers } });
  expect(write([NAME])?.code).toBe(422);
  expect(changing).toEqual([]);
  expect(write(['other:name'])).toBeUndefined();
  expect(changing).toEqual(['c1']);
});
