import { describe, expect, test } from '@jest/globals';
import { callTo, exportAt, masters } from './apiexport.fixture.ts';
import {
  AT,
  answerTo,
  BINDINGS,
  CLAIM,
  CONFIGMAPS,
  COWBOYS,
  forwarded,
  forwardOf,
  KEY,
  LENT,
  SELECT,
  SHERIFFS,
  world,
} from './apiexport-view.fixture.ts';
import { claimLabelKey, claimLabelValue, exportHash } from './claim-labels.ts';

test.each([
  ['*', true],
  ['c1', true],
  ['UPPER', true],
  ['system:admin', true],
  ['root:org', false],
])('a cluster segment %s is taken: %s', (cluster, taken) => {
  const { scope, request } = callTo(cluster, COWBOYS);
  expect(world().view.resolve?.(scope, request) !== undefined).toBe(taken);
});

describe('a request to all logical clusters', () => {
  const as = { select: SELECT, identity: 'lent' };
  test.each([
    ['what is exported', COWBOYS, { identity: 'own-identity', customKind: 'Cowboy' }],
    [
      'what is claimed from another export',
      SHERIFFS,
      { ...as, customKind: 'Cowboy', select: `${claimLabelKey(KEY)}=${claimLabelValue(LENT)}` },
    ],
    ['what is claimed of Kubernetes', CONFIGMAPS, { select: SELECT }],
    ['its own bindings', BINDINGS, { customKind: 'APIBinding', select: `internal.apis.kcp.io/export=${exportHash(KEY)}` }],
  ])('for %s goes upstream as the service, by identity and selector', async (_, path, expected) => {
    for (const query of ['', '?watch=1']) {
      const { kind, because, until, emptyUntilServed, ...plan } = await forwardOf('*', path + query);
      expect(plan).toEqual({ cluster: '*', ...expected });
      expect(kind).toBe('forward');
    }
  });

  // A shard on which nobody binds the API yet does not know the identity: 404, where the provider's informers expect an empty list.
  test('for a resource of an identity is empty while the shard does not serve it', async () => {
    const versions = '/clusters/*/apis/apis.kcp.io/v1alpha2/apibindings';
    expect(JSON.stringify((await forwardOf('*', COWBOYS)).emptyUntilServed)).toContain(versions);
    expect(await forwardOf('*', CONFIGMAPS)).not.toHaveProperty('emptyUntilServed');
  });

  test('is never made in the name of the caller', async () => {
    for (const world of [{ impersonateReads: true }, { phase: '' }]) {
      expect(await forwardOf('*', COWBOYS, {}, world)).not.toHaveProperty('as');
    }
  });

  test('and one namespace is refused in kcp’s words', async () => {
    expect(await answerTo('*', '/apis/dev/v1/namespaces/default/cowboys')).toMatchObject({
      kind: 'refuse',
      error: {
        code: 400,
        message: 'cross-cluster LIST and WATCH are required to be cross-namespace, not scoped to namespace default',
      },
    });
  });

  test.each([
    ['GET', `${COWBOYS}/one`],
    ['GET', `${COWBOYS}/one/status`],
    ['GET', '/apis/dev/v1/namespaces/default/cowboys/one'],
    ['POST', COWBOYS],
    ['PUT', `${COWBOYS}/one`],
    ['PATCH', `${COWBOYS}/one`],
    ['DELETE', `${COWBOYS}/one`],
    ['DELETE', COWBOYS],
  ])('by %s %s is not found', async (method, path) => {
    expect(await answerTo('*', path, { method, caller: masters })).toMatchObject({ kind: 'refuse', error: { code: 404 } });
  });
});

describe('a request to one logical cluster', () => {
  test('goes there by the identity of the resource', async () => {
    expect(await forwardOf('consumer', `${COWBOYS}/one`)).toMatchObject({ cluster: 'consumer', identity: 'own-identity' });
    expect(await forwardOf('consumer', CONFIGMAPS)).not.toHaveProperty('identity');
  });

  test.each([
    ['GET', CONFIGMAPS, true],
    ['GET', `${CONFIGMAPS}?watch=true`, true],
    ['DELETE', '/api/v1/namespaces/default/configmaps', true],
    ['GET', `${CONFIGMAPS}/one`, false],
    ['POST', CONFIGMAPS, false],
    ['PUT', `${CONFIGMAPS}/one`, false],
    ['PATCH', `${CONFIGMAPS}/one`, false],
    ['DELETE', `${CONFIGMAPS}/one`, false],
  ])('%s %s selects by the label of the claim: %s', async (method, path, selects) => {
    expect((await forwardOf('consumer', path, { method })).select).toBe(selects ? SELECT : undefined);
  });

  test('has objects of a claim only where they carry its label', async () => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const visible = (await forwardOf('consumer', `${CONFIGMAPS}/one`, { method })).guard?.visible;
      const labels = { [claimLabelKey(KEY)]: claimLabelValue(CLAIM) };
      expect([visible?.({ metadata: { labels } }), visible?.({ metadata: {} })]).toEqual([true, false]);
    }
  });

  test('has all objects of what is exported', async () => {
    expect(await forwardOf('consumer', `${COWBOYS}/one`)).not.toHaveProperty('guard');
    expect(await forwardOf('consumer', COWBOYS)).not.toHaveProperty('select');
  });

  test('for an API that is not served is not found', async () => {
    for (const path of ['/api/v1/pods', '/apis/dev/v9/cowboys', '/apis/dev/v1/cowboys:own-identity', '/api/v1/secrets']) {
      expect(await answerTo('consumer', path)).toMatchObject({ kind: 'refuse', error: { code: 404 } });
    }
  });

  test('for the version is one to the shard', async () => {
    expect(await forwardOf('consumer', '/version')).toMatchObject({ cluster: 'system:admin' });
  });
});

describe('a watch', () => {
  test.each(['*', 'consumer'])('of %s ends when the API is served in another way', async cluster => {
    const { view, exports } = world();
    const { until } = forwarded(await view.answer(callTo(cluster, `${COWBOYS}?watch=1`)));
    const ended: string[] = [];
    until?.(reason => ended.push(reason));
    exports.put(exportAt(AT));
    await new Promise(setImmediate);
    expect(ended).toEqual(['the API has changed']);
  });

  test('that is over listens no longer', async () => {
    const { view, exports } = world();
    const { until } = forwarded(await view.answer(callTo('*', `${COWBOYS}?watch=1`)));
    const ended: string[] = [];
    until?.(reason => ended.push(reason))();
    exports.remove('provider', 'cowboys.dev');
    await new Promise(setImmediate);
    expect(ended).toEqual([]);
  });
});

test('an export that is gone has no APIs', async () => {
  const { view, exports } = world();
  exports.remove('provider', 'cowboys.dev');
  const { scope, request } = callTo('*', '/apis');
  await expect(Promise.resolve(view.apis(scope, request))).rejects.toMatchObject({ code: 404 });
  expect(await view.answer(callTo('*', COWBOYS))).toMatchObject({ kind: 'refuse', error: { code: 404 } });
});
