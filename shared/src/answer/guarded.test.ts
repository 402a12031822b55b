import { describe, expect, test } from '@jest/globals';
import { forbiddenBecause } from '../kube/errors.ts';
import { fakeUpstream } from '../testing/fake-upstream.ts';
import type { Guard } from '../view/view.ts';
import { ask, MERGE, sent, THING, THINGS, thing, thingShard, trail } from './guarded.fixture.ts';

const visible: Guard = { visible: ({ metadata }) => metadata?.labels?.mine === 'yes' };
const MINE = { mine: 'yes' };

const AS_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

describe('what the guard does not ask about', () => {
  test.each([
    ['GET', THINGS],
    ['GET', `${THINGS}?watch=true`],
    ['DELETE', THINGS],
    ['POST', THINGS],
  ])('passes byte for byte: %s %s', async (method, path) => {
    const shard = fakeUpstream(() => ({ body: '{"items": [ ] }' }));
    const exchange = await ask(shard, visible, method, path, { body: method === 'POST' ? '{ "x":1.0}' : undefined });
    expect(exchange.text).toBe('{"items": [ ] }');
    expect(shard.requests.map(({ body }) => body)).toEqual([method === 'POST' ? '{ "x":1.0}' : '']);
  });

  test('is, without any condition, everything', async () => {
    const shard = thingShard();
    for (const [method, body] of [['GET'], ['PUT', '{ }'], ['PATCH', '{ }'], ['DELETE', '{ }']] as const) {
      await ask(shard, {}, method, THING, { body, headers: method === 'PATCH' ? MERGE : [] });
    }
    expect(trail(shard)).toEqual(['GET :h4sh/a', 'PUT :h4sh/a', 'PATCH :h4sh/a', 'DELETE :h4sh/a']);
  });
});

describe('a read of one object', () => {
  test('that is visible passes as the shard sent it', async () => {
    const text = '{ "metadata": {"labels": {"mine":"yes"}}, "spec": 9007199254740993, "f": 1.0 }';
    const shard = fakeUpstream(() => ({ body: text }));
    expect((await ask(shard, visible, 'GET', THING)).text).toBe(text);
  });

  test.each([
    ['GET', THING],
    ['GET', `${THING}/status`],
    ['GET', `${THING}/scale`],
    ['PUT', THING],
    ['PATCH', THING],
    ['DELETE', THING],
  ])('or a write to it is not found when it is hidden: %s %s', async (method, path) => {
    const shard = thingShard(thing({}));
    const exchange = await ask(shard, visible, method, path, {
      headers: method === 'PATCH' ? MERGE : [],
      body: thing(),
    });
    expect([exchange.status, exchange.json]).toMatchObject([
      404,
      { message: 'things.g.io "a" not found', details: { name: 'a' } },
    ]);
    expect(shard.requests.every(request => request.method === 'GET')).toBe(true);
  });

  // CVE-2022-3172
  test('is in YAML for a client that prefers that', async () => {
    const shard = thingShard(thing({ mine: 'yes' }));
    const exchange = await ask(shard, visible, 'GET', THING, { headers: ['accept', 'application/yaml'] });
    expect([exchange.status, exchange.responseHeader('content-type')]).toEqual([200, 'application/yaml']);
    expect(exchange.text).toContain("kind: Thing\nmetadata:\n  labels:\n    mine: 'yes'\n");
  });

  test('that is redirected is not answered with the redirect', async () => {
    const shard = fakeUpstream(() => ({ status: 302, headers: ['location', 'https://elsewhere.test'] }));
    expect((await ask(shard, visible, 'GET', THING)).status).toBe(502);
  });

  test('as a Table is decided by the row, also where the caller did not want the object in it', async () => {
    const table = (labels: object) => ({
      apiVersion: 'meta.k8s.io/v1',
      kind: 'Table',
      metadata: {},
      rows: [{ cells: ['a'], object: { metadata: { labels } } }],
    });
    const headers = ['accept', 'application/json;as=Table;v=v1;g=meta.k8s.io'];
    const path = `${THING}?includeObject=None`;
    const seen = fakeUpstream(() => ({ body: table(MINE) }));
    expect((await ask(seen, visible, 'GET', path, { headers })).json).toEqual({ ...table(MINE), rows: [{ cells: ['a'] }] });
    expect(trail(seen)).toEqual(['GET :h4sh/a?includeObject=Metadata']);
    const unseen = fakeUpstream(() => ({ body: table({}) }));
    expect((await ask(unseen, visible, 'GET', path, { headers })).status).toBe(404);
  });

  // What an export's provider may not see, he could have seen by giving his own resource such fields or such a kind.
  test.each<[string, object, string]>([
    ['has items, as a list has', { kind: 'Playlist', items: ['x'] }, ''],
    ['has visible objects for items', { kind: 'Playlist', items: [thing(MINE)] }, ''],
    ['is of a kind Table', { apiVersion: 'db.io/v1', kind: 'Table', rows: [{ object: thing(MINE) }] }, ''],
    [
      'is of a kind Table, asked for as one',
      { apiVersion: 'db.io/v1', kind: 'Table', rows: [{ object: thing(MINE) }] },
      AS_TABLE,
    ],
    ['is a Table that was not asked for', { apiVersion: 'meta.k8s.io/v1', kind: 'Table', rows: [{ object: thing(MINE) }] }, ''],
    [
      'is a Table that was asked for as second best',
      { apiVersion: 'meta.k8s.io/v1', kind: 'Table', rows: [{ object: thing(MINE) }] },
      `application/json,${AS_TABLE}`,
    ],
  ])('that is hidden is not found, also where it %s', async (_, fields, accept) => {
    const headers = accept ? ['accept', accept] : [];
    const shown = (labels: object) => fakeUpstream(() => ({ body: { ...fields, metadata: { name: 'a', labels }, secret: 1 } }));
    const hidden = await ask(shown({}), visible, 'GET', THING, { headers });
    expect([hidden.status, hidden.text.includes('secret')]).toEqual([404, false]);
    expect((await ask(shown(MINE), visible, 'GET', THING, { headers })).json).toMatchObject(fields);
  });

  test('that is of a kind Table and visible is found, whatever its rows', async () => {
    const object = { apiVersion: 'db.io/v1', kind: 'Table', metadata: { name: 'a', labels: MINE }, rows: [] };
    expect(
      (
        await ask(
          fakeUpstream(() => ({ body: object })),
          visible,
          'GET',
          THING,
        )
      ).json,
    ).toEqual(object);
  });

  test('of which a shard would apply no selector is decided by it here', async () => {
    const options = { select: 'mine=yes' };
    expect((await ask(thingShard(thing({})), {}, 'GET', THING, options)).status).toBe(404);
    expect((await ask(thingShard(thing(MINE)), {}, 'GET', THING, options)).status).toBe(200);
  });

  test('with an encoded slash in its path is refused: it could be another path to the shard', async () => {
    const shard = thingShard();
    expect((await ask(shard, visible, 'GET', `${THINGS}/a%2Fscale`)).status).toBe(400);
    expect(shard.requests).toEqual([]);
  });
});

describe('another subresource', () => {
  test('of a visible object streams', async () => {
    const shard = thingShard(thing(MINE));
    await ask(shard, visible, 'PUT', `${THING}/scale`, { body: '{ "spec":{} }' });
    expect(trail(shard)).toEqual(['GET :h4sh/a', 'PUT :h4sh/a/scale']);
    expect(shard.requests[1]?.body).toBe('{ "spec":{} }');
  });

  test('is not written where the object is not admitted', async () => {
    const shard = thingShard();
    const guard: Guard = { admit: () => forbiddenBecause('not this one') };
    expect((await ask(shard, guard, 'PUT', `${THING}/scale`, { body: '{}' })).status).toBe(403);
    expect((await ask(shard, guard, 'GET', `${THING}/scale`)).status).toBe(200);
  });
});

describe('a create', () => {
  const admit: Guard['admit'] = ({ operation, proposed, stored }) => {
    if (operation !== 'create' || stored !== undefined) return forbiddenBecause('a create was expected');
    if (proposed?.metadata?.labels?.mine === 'no') return forbiddenBecause('protected label');
    return { labels: MINE };
  };

  test('gets the labels that the guard puts on it', async () => {
    const shard = thingShard(undefined);
    shard.object = undefined;
    const exchange = await ask(shard, { admit }, 'POST', `${THINGS}?fieldManager=me`, { body: thing({ own: 'x' }) });
    expect([exchange.status, trail(shard)]).toEqual([201, ['POST :h4sh?fieldManager=me']]);
    expect(sent(shard, 0)).toMatchObject({ metadata: { labels: { own: 'x', mine: 'yes' } } });
  });

  test('that is not admitted is not sent', async () => {
    const shard = thingShard();
    expect((await ask(shard, { admit }, 'POST', THINGS, { body: thing({ mine: 'no' }) })).status).toBe(403);
    expect(shard.requests).toEqual([]);
  });

  test.each([
    ['{', [], 400],
    ['{}', ['content-type', 'application/vnd.kubernetes.protobuf'], 415],
  ])('of a built-in kind’s body that is none, %s, is refused by the shard, which stores nothing', async (body, headers, code) => {
    const shard = fakeUpstream(() => ({ status: code, body: { kind: 'Status', message: 'from the shard' } }));
    const exchange = await ask(shard, { admit }, 'POST', THINGS, { body, headers, identity: '' });
    expect([exchange.status, exchange.text, trail(shard)]).toEqual([
      code,
      expect.stringContaining('from the shard'),
      ['POST ?dryRun=All'],
    ]);
  });

  // The two may read differently what is no proper JSON. What the shard says of an object is not for those who may not see it.
  test('of a body that only the shard can read is refused', async () => {
    for (const status of [201, 409]) {
      const shard = fakeUpstream(() => ({ status, body: {} }));
      expect((await ask(shard, { admit }, 'POST', THINGS, { body: '{' })).status).toBe(400);
    }
  });

  // An API server does not decode a body; what it would parse is what has to be inspected.
  test('of a compressed body is inspected as the bytes that came, and sent on without the header', async () => {
    const shard = thingShard();
    shard.object = undefined;
    await ask(shard, { admit }, 'POST', THINGS, { body: thing(), headers: ['content-encoding', 'gzip'] });
    expect(shard.requests[0]?.headers).not.toContain('content-encoding');
  });

  test('is sent as the same caller, with what names the client', async () => {
    const shard = thingShard();
    shard.object = undefined;
    await ask(shard, { admit }, 'POST', THINGS, {
      body: thing(),
      headers: ['user-agent', 'kubectl/1', 'accept', 'application/json;as=Table'],
    });
    expect(shard.requests[0]?.headers.join()).toMatch(
      /accept,application\/json;as=Table.*user-agent|user-agent,kubectl\/1.*accept/,
    );
    expect(shard.requests[0]?.headers.join().toLowerCase()).toContain('impersonate-user,alice');
  });
});
