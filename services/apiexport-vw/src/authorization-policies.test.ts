import { describe, expect, test } from '@jest/globals';
import { createApiDomains, EXPORT_INDEXES } from './api-domains.ts';
import { alice, bindingAt, callTo, exportAt, fakeReviewer, LiveInformer, ORDINARY_SHARD } from './apiexport.fixture.ts';
import type { ApiBinding, ApiExport, ApiResourceSchema, PermissionClaim } from './apis-kcp-io.ts';
import { authorize } from './authorization.ts';
import { BINDING_INDEXES } from './bindings.ts';
import { prefixedUser } from './prefixed-user.ts';

const AT = 'provider/cowboys.dev';
const SHERIFFS: PermissionClaim = { group: 'wild', resource: 'sheriffs', verbs: ['*'], identityHash: 'lent' };

interface World {
  readonly owners?: readonly ApiExport[];
  readonly claims?: readonly PermissionClaim[];
  /** Logical clusters whose policy says no. */
  readonly denying?: readonly string[];
  readonly mayUseContent?: boolean;
  /** Milliseconds that an export is waited for, which is not there yet. */
  readonly patience?: number;
}

function world({ owners = [], claims = [SHERIFFS], denying = [], mayUseContent = true, patience = 0 }: World) {
  const exports = new LiveInformer<ApiExport>(EXPORT_INDEXES);
  const bindings = new LiveInformer<ApiBinding>(BINDING_INDEXES);
  const appear = (): void => exports.put(exportAt(AT, { claims }));
  if (patience === 0) appear();
  for (const owner of owners) exports.put(owner);
  bindings.put(bindingAt('consumer/b', AT, { claims: claims.map(claim => ({ ...claim, state: 'Accepted' })) }));
  const domains = createApiDomains({
    shardResources: ORDINARY_SHARD,
    exports,
    schemas: new LiveInformer<ApiResourceSchema>(),
    openapi: () => undefined,
    patience,
  });
  const reviewer = fakeReviewer(() => mayUseContent);
  const deepReviewer = fakeReviewer(cluster => !denying.includes(cluster));
  const decide = (...call: Parameters<typeof callTo>) =>
    authorize(callTo(...call), { domains, bindings, reviewer, deepReviewer });
  return { decide, appear, reviewer, deepReviewer, asked: () => deepReviewer.asked.map(({ cluster }) => cluster) };
}

const owner = (at: string, policy = true, identity = 'lent') => exportAt(at, { identity, policy });
const LIST = '/apis/wild/v1/sheriffs';

describe('maximal permission policies of what is claimed from other exports', () => {
  test('are asked in the owner’s logical cluster about the request as it is, of the prefixed user', async () => {
    const { decide, deepReviewer } = world({ owners: [owner('lender/x')] });
    const path = '/apis/wild/v1/namespaces/town/sheriffs/pat/status';
    expect((await decide('consumer', path, { method: 'PUT' })).allowed).toBe(true);
    const resource = {
      group: 'wild',
      version: 'v1',
      resource: 'sheriffs',
      subresource: 'status',
      verb: 'update',
      name: 'pat',
      namespace: 'town',
    };
    expect(deepReviewer.asked).toEqual([{ cluster: 'lender', user: prefixedUser(alice), resource }]);
    expect(deepReviewer.asked[0]?.user.name).toBe('apis.kcp.io:binding:alice');
  });

  test('are asked for all logical clusters at once, too', async () => {
    const { decide, asked } = world({ owners: [owner('lender/x')], denying: ['lender'] });
    expect((await decide('*', LIST)).allowed).toBe(false);
    expect(asked()).toEqual(['lender']);
  });

  test('are asked of each owner that has one, in one order', async () => {
    const owners = [
      owner('three/c'),
      owner('one/a'),
      owner('none/b', false),
      owner('two/b'),
      owner('foreign/d', true, 'another'),
    ];
    const { decide, asked } = world({ owners });
    expect((await decide('consumer', LIST)).allowed).toBe(true);
    expect(asked()).toEqual(['one', 'two', 'three']);
  });

  test('are asked no further after the first no, of which the caller is told nothing', async () => {
    const { decide, asked } = world({ owners: [owner('one/a'), owner('two/b'), owner('three/c')], denying: ['two', 'three'] });
    expect(await decide('consumer', LIST)).toEqual({
      allowed: false,
      because: 'the maximal permission policy of two:b does not allow it',
      told: 'access denied',
    });
    expect(asked()).toEqual(['one', 'two']);
  });

  test('are not asked of who may not use the content', async () => {
    const { decide, asked } = world({ owners: [owner('lender/x')], mayUseContent: false });
    expect((await decide('consumer', LIST)).allowed).toBe(false);
    expect(asked()).toEqual([]);
  });

  // The owner is not in the cache yet, and may have a policy.
  test('of an owner that is not known are a no', async () => {
    expect(await world({}).decide('consumer', LIST)).toEqual({
      allowed: false,
      because: 'no APIExport has the identity lent',
      told: 'access denied',
    });
  });

  test('are asked also of an export that has only now appeared', async () => {
    const { decide, appear, asked } = world({ owners: [owner('lender/x')], denying: ['lender'], patience: 60_000 });
    const decision = decide('consumer', LIST);
    await new Promise(setImmediate);
    appear();
    expect((await decision).allowed).toBe(false);
    expect(asked()).toEqual(['lender']);
  });

  test('are asked for events of either group, if these are claimed by an identity', async () => {
    const claims = [{ resource: 'events', verbs: ['*'], identityHash: 'lent' }];
    for (const path of ['/api/v1/events', '/apis/events.k8s.io/v1/events']) {
      const { decide, asked } = world({ owners: [owner('lender/x')], claims, denying: ['lender'] });
      expect((await decide('consumer', path)).allowed).toBe(false);
      expect(asked()).toEqual(['lender']);
    }
  });

  test('that are none allow', async () => {
    const { decide, asked } = world({ owners: [owner('lender/x', false)] });
    expect((await decide('consumer', LIST)).allowed).toBe(true);
    expect(asked()).toEqual([]);
  });

  test.each([
    ['what is claimed of Kubernetes', [{ resource: 'configmaps', verbs: ['*'] }], '/api/v1/configmaps'],
    ['events of the newer group', [{ resource: 'events', verbs: ['*'] }], '/apis/events.k8s.io/v1/events'],
    ['what is not claimed', [SHERIFFS], '/apis/dev/v1/cowboys'],
    ['discovery', [SHERIFFS], '/apis/wild/v1'],
  ])('are not asked for %s', async (_, claims, path) => {
    const { decide, asked } = world({ owners: [owner('lender/x')], claims, denying: ['lender'] });
    expect((await decide('*', path)).allowed).toBe(true);
    expect(asked()).toEqual([]);
  });
});
