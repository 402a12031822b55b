import { describe, expect, test } from '@jest/globals';
import { forbiddenBecause } from '../kube/errors.ts';
import type { Guard } from '../view/view.ts';
import { APPLY, ask, MERGE, sent, THING, thing, thingShard, trail } from './guarded.fixture.ts';

const MINE = { mine: 'yes' };
const visible: Guard['visible'] = ({ metadata }) => metadata?.labels?.mine === 'yes';
const refused: Guard['mayCreate'] = async () => forbiddenBecause('access denied');
const allowed: Guard['mayCreate'] = async () => undefined;
const configuration = { apiVersion: 'g.io/v1', kind: 'Thing', metadata: { name: 'a' }, spec: 'new' };
const apply = (shard: ReturnType<typeof thingShard>, guard: Guard, path = THING) =>
  ask(shard, guard, 'PATCH', path, { headers: APPLY, body: configuration });
const gone = () => {
  const shard = thingShard();
  shard.object = undefined;
  return shard;
};

describe('an apply that may create', () => {
  test('streams', async () => {
    const shard = gone();
    expect((await apply(shard, { mayCreate: allowed })).status).toBe(201);
    expect([trail(shard), sent(shard, 0)]).toEqual([['PATCH :h4sh/a'], configuration]);
  });
});

describe('an apply that may not create', () => {
  test('is refused where it would', async () => {
    const shard = gone();
    expect((await apply(shard, { mayCreate: refused })).status).toBe(403);
    expect(trail(shard)).toEqual(['GET :h4sh/a']);
  });

  test('changes what is there', async () => {
    const shard = thingShard();
    expect((await apply(shard, { mayCreate: refused }, `${THING}?fieldManager=me&force=true`)).status).toBe(200);
    expect(trail(shard)).toEqual(['GET :h4sh/a', 'PATCH :h4sh/a?fieldManager=me&force=true']);
    expect(sent(shard, 1)).toEqual({ ...configuration, metadata: { name: 'a', uid: 'u1' } });
  });

  test('does not make again what is deleted meanwhile', async () => {
    const shard = thingShard();
    shard.meanwhile = ({ method }) => {
      if (method === 'PATCH') shard.object = undefined;
    };
    expect((await apply(shard, { mayCreate: refused })).status).toBe(409);
    expect(shard.object).toBeUndefined();
  });

  test('of a status is the shard’s to refuse: it makes nothing', async () => {
    const shard = gone();
    await apply(shard, { mayCreate: refused }, `${THING}/status`);
    expect(trail(shard)).toEqual(['PATCH :h4sh/a/status']);
  });

  test('in CBOR is not taken', async () => {
    const shard = thingShard();
    const headers = ['content-type', 'application/apply-patch+cbor'];
    expect((await ask(shard, { mayCreate: refused }, 'PATCH', THING, { headers, body: '{}' })).status).toBe(415);
    expect(shard.requests).toEqual([]);
  });
});

describe('a patch under a condition of visibility', () => {
  test('of a visible object streams', async () => {
    const shard = thingShard(thing(MINE));
    await ask(shard, { visible }, 'PATCH', THING, { headers: MERGE, body: '{ "spec":1 }' });
    expect([trail(shard), shard.requests[1]?.body]).toEqual([['GET :h4sh/a', 'PATCH :h4sh/a'], '{ "spec":1 }']);
  });

  test('of what is missing is the shard’s 404', async () => {
    const shard = gone();
    expect((await ask(shard, { visible }, 'PATCH', THING, { headers: MERGE, body: '{}' })).status).toBe(404);
    expect(trail(shard)).toEqual(['GET :h4sh/a']);
  });

  test('that applies to a hidden object finds that it cannot make one', async () => {
    const exchange = await apply(thingShard(), { visible, mayCreate: allowed });
    expect(exchange.json).toMatchObject({ code: 409, reason: 'AlreadyExists', message: 'things.g.io "a" already exists' });
  });

  test('that applies what is missing makes it, if that is allowed', async () => {
    const shard = gone();
    expect((await apply(shard, { visible, mayCreate: allowed })).status).toBe(201);
    expect((await apply(gone(), { visible, mayCreate: refused })).status).toBe(403);
  });

  test('that applies the status of what is missing makes nothing', async () => {
    const shard = gone();
    expect((await apply(shard, { visible, mayCreate: allowed }, `${THING}/status`)).status).toBe(404);
    expect(trail(shard)).toEqual(['GET :h4sh/a/status']);
  });
});
