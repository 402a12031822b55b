import { expect, test } from '@jest/globals';
import { forbiddenBecause } from '../kube/errors.ts';
import type { Guard } from '../view/view.ts';
import { ask, sent, THING, thing, thingShard, trail } from './guarded.fixture.ts';

const MINE = { mine: 'yes' };
const visible: Guard = { visible: ({ metadata }) => metadata?.labels?.mine === 'yes' };

test('a delete is of the object that was inspected', async () => {
  const shard = thingShard(thing(MINE));
  expect((await ask(shard, visible, 'DELETE', THING)).status).toBe(200);
  expect(trail(shard)).toEqual(['GET :h4sh/a', 'DELETE :h4sh/a']);
  expect(sent(shard, 1)).toEqual({ kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: 'u1', resourceVersion: '5' } });
});

// A shard that gets a body does not look at the query.
test('the options of a delete stay, wherever they stand', async () => {
  const inQuery = thingShard(thing(MINE));
  await ask(inQuery, visible, 'DELETE', `${THING}?propagationPolicy=Orphan&gracePeriodSeconds=5`);
  expect(sent(inQuery, 1)).toMatchObject({ propagationPolicy: 'Orphan', gracePeriodSeconds: 5, preconditions: { uid: 'u1' } });
  const inBody = thingShard(thing(MINE));
  await ask(inBody, visible, 'DELETE', THING, { body: { propagationPolicy: 'Foreground', dryRun: ['All'] } });
  expect(sent(inBody, 1)).toMatchObject({ propagationPolicy: 'Foreground', dryRun: ['All'], preconditions: { uid: 'u1' } });
});

test('a delete that is not admitted deletes nothing', async () => {
  const shard = thingShard();
  const seen: unknown[] = [];
  const admit: Guard['admit'] = write => {
    seen.push(write);
    return forbiddenBecause('object does not match required labels');
  };
  expect((await ask(shard, { admit }, 'DELETE', THING)).status).toBe(403);
  expect([seen, trail(shard)]).toEqual([[{ operation: 'delete', stored: thing() }], ['GET :h4sh/a']]);
});

test('a delete of an object that has just lost its label is not found', async () => {
  const shard = thingShard(thing(MINE));
  shard.meanwhile = ({ method }) => {
    if (method === 'DELETE') shard.object = { ...thing(), metadata: { ...thing().metadata, resourceVersion: '6' } };
  };
  expect((await ask(shard, visible, 'DELETE', THING)).status).toBe(404);
  expect(shard.object).toBeDefined();
});

test('a delete of an object that changes is tried again, on what it has become', async () => {
  const shard = thingShard(thing(MINE));
  shard.meanwhile = ({ method }, index) => {
    if (method === 'DELETE' && index < 2)
      shard.object = { ...thing(MINE), metadata: { ...thing(MINE).metadata, resourceVersion: '6' } };
  };
  expect((await ask(shard, visible, 'DELETE', THING)).status).toBe(200);
  expect(trail(shard)).toHaveLength(4);
});

test.each([
  ['uid', { uid: 'other' }, 'the UID in the precondition (other) does not match the UID in record (u1)'],
  ['resourceVersion', { resourceVersion: '4' }, 'the ResourceVersion in the precondition (4) does not match'],
])('a %s that the caller does not find is a conflict, at once', async (_, preconditions, message) => {
  const shard = thingShard(thing(MINE));
  const exchange = await ask(shard, visible, 'DELETE', THING, { body: { preconditions } });
  expect([exchange.status, exchange.text, trail(shard)]).toEqual([409, expect.stringContaining(message), ['GET :h4sh/a']]);
});

test('a version of the caller’s own passes a conflict on', async () => {
  const shard = thingShard(thing(MINE));
  shard.meanwhile = ({ method }) => {
    if (method === 'DELETE') shard.object = { ...thing(MINE), metadata: { ...thing(MINE).metadata, resourceVersion: '6' } };
  };
  expect((await ask(shard, visible, 'DELETE', THING, { body: { preconditions: { resourceVersion: '5' } } })).status).toBe(409);
  expect(shard.requests).toHaveLength(2);
});
