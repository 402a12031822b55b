import { describe, expect, test } from '@jest/globals';
import { alice, masters } from './apiexport.fixture.ts';
import { BINDINGS, CLAIM, CONFIGMAPS, COWBOYS, forwardOf, type World } from './apiexport-view.fixture.ts';
import { withWarrant } from './warrant.ts';

describe('writes to what a claim limits', () => {
  const limited = { ...CLAIM, state: 'Accepted', selector: { matchLabels: { color: 'red' } } };
  const parts = { binding: { claims: [limited] } };

  test.each([
    ['POST', CONFIGMAPS, true],
    ['PUT', `${CONFIGMAPS}/one`, true],
    ['PATCH', `${CONFIGMAPS}/one`, true],
    ['DELETE', `${CONFIGMAPS}/one`, true],
    // What it reaches is selected by the shard's label; kcp looks at none of it either.
    ['DELETE', CONFIGMAPS, false],
    ['GET', `${CONFIGMAPS}/one`, false],
  ])('%s %s is admitted by the selector: %s', async (method, path, admits) => {
    const { guard } = await forwardOf('consumer', path, { method }, parts);
    expect(guard?.admit !== undefined).toBe(admits);
  });

  test('are admitted by it of masters, too, and refused without a binding', async () => {
    const call = { method: 'POST', caller: masters };
    const write = { operation: 'create', proposed: { metadata: { name: 'one' } } } as const;
    const admit = (await forwardOf('consumer', CONFIGMAPS, call, parts)).guard?.admit;
    expect(admit?.(write)).toEqual({ labels: { color: 'red' } });
    const unbound = (await forwardOf('consumer', CONFIGMAPS, call, { binding: null })).guard?.admit;
    expect(unbound?.(write)).toMatchObject({ code: 403 });
  });
});

describe('a patch that would create its object', () => {
  const mayCreate = async (parts: World, caller = alice) => {
    const { guard } = await forwardOf('consumer', `${CONFIGMAPS}/one`, { method: 'PATCH', caller }, parts);
    if (guard?.mayCreate === undefined) throw new Error('nobody asks whether it may');
    return guard.mayCreate();
  };

  test('is let through where the caller may create', async () => {
    expect(await mayCreate({})).toBeUndefined();
  });

  test('is refused in kcp’s words where the caller may not create the content of the export', async () => {
    const refused = await mayCreate({ mayUse: verb => verb !== 'create' });
    expect([refused?.code, refused?.message]).toEqual([403, 'configmaps "one" is forbidden: access denied']);
  });

  test('is refused where the claim is accepted for patches only', async () => {
    const claims = [{ ...CLAIM, verbs: ['patch'], state: 'Accepted', selector: { matchAll: true } }];
    expect(await mayCreate({ binding: { claims } })).toMatchObject({ code: 403 });
  });

  test('is let through of masters', async () => {
    expect(await mayCreate({ mayUse: () => false }, masters)).toBeUndefined();
  });

  test('is the only thing that is asked about so', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      expect((await forwardOf('consumer', `${CONFIGMAPS}/one`, { method })).guard?.mayCreate).toBeUndefined();
    }
  });
});

describe('whose name a request to one logical cluster is made in', () => {
  const caller = withWarrant(alice, 'consumer');

  test.each(['Initializing', 'Ready', 'Inactive', 'Terminating', 'Deleting'])(
    'is the service’s for a read in phase %s, where a shard decides nothing more',
    async phase => {
      for (const path of [COWBOYS, `${COWBOYS}?watch=1`, `${COWBOYS}/one`, `${COWBOYS}/one/status`, BINDINGS]) {
        expect(await forwardOf('consumer', path, {}, { phase })).not.toHaveProperty('as');
      }
    },
  );

  test.each(['', 'Scheduling', 'Unavailable', 'Moving', 'constructor'])('is the caller’s for a read in phase %j', async phase => {
    expect((await forwardOf('consumer', COWBOYS, {}, { phase })).as).toEqual(caller);
  });

  test('is the caller’s for a read of a status of apis.kcp.io', async () => {
    expect((await forwardOf('consumer', `${BINDINGS}/b/status`)).as).toEqual(caller);
  });

  test('is the caller’s for every read if that is wanted', async () => {
    expect((await forwardOf('consumer', COWBOYS, {}, { impersonateReads: true })).as).toEqual(caller);
  });

  test.each([
    ['POST', COWBOYS],
    ['PUT', `${COWBOYS}/one`],
    ['PATCH', `${COWBOYS}/one`],
    ['DELETE', `${COWBOYS}/one`],
    ['DELETE', COWBOYS],
    ['PUT', `${COWBOYS}/one/status`],
  ])('is the caller’s for %s %s', async (method, path) => {
    expect((await forwardOf('consumer', path, { method })).as).toEqual(caller);
  });

  test('is that of masters for what masters write', async () => {
    const { as } = await forwardOf('consumer', COWBOYS, { method: 'POST', caller: masters });
    expect(as).toEqual(withWarrant(masters, 'consumer'));
  });
});
