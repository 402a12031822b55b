import { describe, expect, test } from '@jest/globals';
import { forbiddenBecause } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Guard } from '../view/view.ts';
import { ask, sent, THING, thing, thingShard, trail } from './guarded.fixture.ts';

const MINE = { mine: 'yes' };
const visible: Guard = { visible: ({ metadata }) => metadata?.labels?.mine === 'yes' };
const unversioned = (object: KubeObject = thing(MINE)): KubeObject => {
  const { uid: _u, resourceVersion: _r, ...metadata } = object.metadata ?? {};
  return { ...object, metadata };
};
const put = (shard: ReturnType<typeof thingShard>, guard: Guard, body: object, query = '') =>
  ask(shard, guard, 'PUT', `${THING}${query}`, { body });

describe('an update', () => {
  test('of a visible object replaces the one that was inspected', async () => {
    const shard = thingShard(thing(MINE));
    const body = thing(MINE, { spec: 'new' });
    delete body.metadata?.uid;
    expect((await put(shard, visible, body, '?fieldManager=me')).status).toBe(200);
    expect(trail(shard)).toEqual(['GET :h4sh/a', 'PUT :h4sh/a?fieldManager=me']);
    expect(sent(shard, 1)).toMatchObject({ spec: 'new', metadata: { uid: 'u1', resourceVersion: '5' } });
  });

  test('of what is missing is the shard’s 404, and makes nothing', async () => {
    const shard = thingShard();
    shard.object = undefined;
    expect((await put(shard, visible, thing())).status).toBe(404);
    expect(trail(shard)).toEqual(['GET :h4sh/a']);
  });

  // Roles and leases, for example, are made by a PUT on what is missing, for which the caller needs more than update.
  test('of a built-in resource makes nothing where creating is asked about', async () => {
    const shard = thingShard();
    shard.object = undefined;
    const guard: Guard = { mayCreate: async () => undefined };
    expect((await ask(shard, guard, 'PUT', THING, { body: thing(), identity: '' })).status).toBe(404);
    expect(trail(shard)).toEqual(['GET /a']);
  });

  test('is shown to the guard with what is stored, and gets its labels', async () => {
    const shard = thingShard();
    const seen: unknown[] = [];
    const guard: Guard = {
      admit: write => {
        seen.push(write);
        return { labels: MINE };
      },
    };
    const body = thing({ own: 'x' });
    await put(shard, guard, body);
    expect(seen).toEqual([{ operation: 'update', stored: thing(), proposed: body }]);
    expect(shard.object?.metadata?.labels).toEqual({ own: 'x', mine: 'yes' });
  });

  test('that is not admitted stores nothing', async () => {
    const shard = thingShard();
    expect((await put(shard, { admit: () => forbiddenBecause('no') }, thing())).status).toBe(403);
    expect(trail(shard)).toEqual(['GET :h4sh/a']);
  });

  // The object inspected is the one at version 5. An update on version 6, valid by the time it is sent, would replace one never seen.
  test('on another version than the one inspected is a conflict', async () => {
    const shard = thingShard(thing(MINE));
    const body = thing(MINE);
    if (body.metadata) body.metadata.resourceVersion = '6';
    expect((await put(shard, visible, body)).status).toBe(409);
    expect(trail(shard)).toEqual(['GET :h4sh/a']);
  });

  test('on a version of its own passes a conflict on', async () => {
    const shard = thingShard(thing(MINE));
    shard.meanwhile = ({ method }) => {
      if (method === 'PUT') shard.object = { ...thing(MINE), metadata: { ...thing(MINE).metadata, resourceVersion: '6' } };
    };
    expect((await put(shard, visible, thing(MINE))).status).toBe(409);
    expect(shard.requests).toHaveLength(2);
  });

  test('without a version is one on the version inspected, and looks again when that has changed', async () => {
    const shard = thingShard(thing(MINE));
    let changes = 2;
    shard.meanwhile = ({ method, path }) => {
      if (method !== 'PUT' || path.includes('dryRun') || changes-- <= 0) return;
      const { metadata } = shard.object ?? {};
      shard.object = { ...thing(MINE), metadata: { ...metadata, resourceVersion: `${metadata?.resourceVersion}1` } };
    };
    expect((await put(shard, visible, unversioned())).status).toBe(200);
    expect(trail(shard).filter(line => !line.includes('dryRun'))).toEqual(Array(3).fill(['GET :h4sh/a', 'PUT :h4sh/a']).flat());
    expect(shard.object?.metadata?.resourceVersion).toBe('512');
  });

  test('without a version is given up after five conflicts', async () => {
    const shard = thingShard(thing(MINE));
    shard.meanwhile = ({ method, path }) => {
      if (method !== 'PUT' || path.includes('dryRun')) return;
      const { metadata } = shard.object ?? {};
      shard.object = { ...thing(MINE), metadata: { ...metadata, resourceVersion: `${metadata?.resourceVersion}1` } };
    };
    expect((await put(shard, visible, unversioned())).status).toBe(409);
    expect(trail(shard).filter(line => line === 'PUT :h4sh/a')).toHaveLength(5);
  });

  // Custom resources know no update without a version: with the inspected one put on it, one that the shard refuses would go through.
  test('without a version is refused where the shard refuses it', async () => {
    const shard = thingShard(thing(MINE));
    shard.meanwhile = ({ path }) => {
      if (path.includes('dryRun=All')) shard.object = undefined;
    };
    expect((await put(shard, visible, unversioned())).status).toBe(404);
    expect(trail(shard)).toEqual(['GET :h4sh/a', 'PUT :h4sh/a?dryRun=All']);
  });

  test('of an object that has become hidden by then is not found', async () => {
    const shard = thingShard(thing(MINE));
    shard.meanwhile = ({ method, path }) => {
      if (method === 'PUT' && !path.includes('dryRun')) {
        shard.object = { ...thing(), metadata: { ...thing().metadata, resourceVersion: '9' } };
      }
    };
    expect((await put(shard, visible, unversioned())).status).toBe(404);
    expect(shard.object?.metadata?.resourceVersion).toBe('9');
  });
});
