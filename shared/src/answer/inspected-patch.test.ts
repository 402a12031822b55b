import { describe, expect, test } from '@jest/globals';
import { forbiddenBecause } from '../kube/errors.ts';
import type { AdmittedWrite, Guard } from '../view/view.ts';
import { APPLY, ask, MERGE, sent, THING, thing, thingShard, trail } from './guarded.fixture.ts';

const MINE = { mine: 'yes' };
const gone = () => {
  const shard = thingShard();
  shard.object = undefined;
  return shard;
};
const patch = (
  shard: ReturnType<typeof thingShard>,
  guard: Guard,
  { query = '', headers = MERGE, body = {} as object | string, sub = '' } = {},
) => ask(shard, guard, 'PATCH', `${THING}${sub}${query}`, { headers, body });

/** Labels what it sees, unless that is labelled otherwise. */
function recording(): { readonly guard: Guard; readonly seen: AdmittedWrite[] } {
  const seen: AdmittedWrite[] = [];
  const admit: Guard['admit'] = write => {
    seen.push(write);
    return write.proposed?.metadata?.labels?.mine === 'no' ? forbiddenBecause('protected label') : { labels: MINE };
  };
  return { guard: { admit }, seen };
}

describe('a patch that is inspected', () => {
  test('is computed by the shard, and stored on the version it was computed on', async () => {
    const shard = thingShard();
    const { guard, seen } = recording();
    const exchange = await patch(shard, guard, { query: '?fieldManager=me&force=true', body: { spec: 'new' } });
    expect(exchange.status).toBe(200);
    expect(trail(shard)).toEqual([
      'GET :h4sh/a',
      'PATCH :h4sh/a?fieldManager=me&force=true&dryRun=All',
      'PUT :h4sh/a?fieldManager=me',
    ]);
    expect(seen).toMatchObject([{ operation: 'update', stored: thing(), proposed: { spec: 'new' } }]);
    expect(sent(shard, 2)).toMatchObject({ spec: 'new', metadata: { uid: 'u1', resourceVersion: '5', labels: MINE } });
  });

  test('that is not admitted stores nothing', async () => {
    const shard = thingShard();
    expect((await patch(shard, recording().guard, { body: { metadata: { labels: { mine: 'no' } } } })).status).toBe(403);
    expect(shard.object).toEqual(thing());
  });

  test('stays a dry run where it is one', async () => {
    const shard = thingShard();
    expect((await patch(shard, recording().guard, { query: '?dryRun=All', body: { spec: 'new' } })).status).toBe(200);
    expect(shard.object).toEqual(thing());
  });

  test('of a status is stored as one', async () => {
    const shard = thingShard();
    await patch(shard, recording().guard, { sub: '/status', headers: APPLY, body: { status: 'x' } });
    expect(trail(shard)).toEqual(['GET :h4sh/a/status', 'PATCH :h4sh/a/status?dryRun=All', 'PUT :h4sh/a/status']);
  });

  test('is tried again when the object has changed since', async () => {
    const shard = thingShard();
    shard.meanwhile = ({ method }, index) => {
      if ((method === 'PATCH' && index === 1) || (method === 'PUT' && index === 4)) {
        shard.object = { ...thing(), metadata: { ...thing().metadata, resourceVersion: String(10 + index) } };
      }
    };
    expect((await patch(shard, recording().guard)).status).toBe(200);
    expect(trail(shard).map(line => line.split(' ')[0])).toEqual(['GET', 'PATCH', 'GET', 'PATCH', 'PUT', 'GET', 'PATCH', 'PUT']);
  });

  // A shard takes a uid in a patch of the status for a change of metadata, and drops it. Clients mean it as a precondition.
  test('that is meant for another object is a conflict', async () => {
    const shard = thingShard();
    expect((await patch(shard, recording().guard, { sub: '/status', body: { metadata: { uid: 'other' } } })).status).toBe(409);
    expect(trail(shard)).toEqual(['GET :h4sh/a/status']);
  });

  test('that the shard cannot compute is the shard’s error', async () => {
    const shard = thingShard();
    expect((await patch(shard, recording().guard, { body: { metadata: { resourceVersion: '1' } } })).status).toBe(409);
    expect(trail(shard)).toEqual(['GET :h4sh/a', 'PATCH :h4sh/a?dryRun=All']);
  });

  test('of what is missing is the shard’s 404', async () => {
    expect((await patch(gone(), recording().guard)).status).toBe(404);
  });
});

describe('an apply that is inspected', () => {
  const body = { apiVersion: 'g.io/v1', kind: 'Thing', metadata: { name: 'a' }, spec: 'new' };

  // By a PUT its fields would come to belong to an update of the same manager, with which the manager's next apply conflicts.
  test('is applied to exactly what was inspected, with the labels', async () => {
    const shard = thingShard();
    expect((await patch(shard, recording().guard, { query: '?force=true', headers: APPLY, body })).status).toBe(200);
    expect(trail(shard).at(-1)).toBe('PATCH :h4sh/a?force=true');
    expect(sent(shard, 2)).toEqual({ ...body, metadata: { name: 'a', uid: 'u1', resourceVersion: '5', labels: MINE } });
  });

  // Go lets a merged key win over its map's own, we do not: what was inspected had a label that what was stored had not. A claim whose
  // selector is `env: prod` lost the object to `env: dev`.
  test('in YAML is computed from the text that is stored, which leaves nothing to understand otherwise', async () => {
    const yaml = 'kind: Thing\nmetadata:\n  name: a\n  annotations: &b {env: prod}\n  labels: {env: dev, <<: *b}\n';
    const read = { kind: 'Thing', metadata: { name: 'a', annotations: { env: 'prod' }, labels: { env: 'dev' } } };
    const shard = thingShard(thing({ env: 'prod' }));
    const { guard, seen } = recording();
    await patch(shard, guard, { headers: APPLY, body: yaml });
    expect(sent(shard, 1)).toEqual(read);
    const { labels, ...metadata } = read.metadata;
    const conditions = { uid: 'u1', resourceVersion: '5', labels: { ...labels, ...MINE } };
    expect(sent(shard, 2)).toEqual({ ...read, metadata: { ...metadata, ...conditions } });
    expect(seen).toMatchObject([{ proposed: { metadata: { labels: { env: 'dev' } } } }]);
    const made = gone();
    await patch(made, recording().guard, { headers: APPLY, body: yaml });
    expect(sent(made, 1)).toEqual(read);
  });

  test('that is no YAML to us is refused before the shard is asked, which might take it', async () => {
    const shard = thingShard();
    const exchange = await patch(shard, recording().guard, {
      headers: APPLY,
      body: 'metadata: {labels: {env: !!binary cHJvZA==}}',
    });
    expect([exchange.status, shard.requests]).toEqual([400, []]);
  });

  test('that makes its object is created as what was inspected, and answered as a create is', async () => {
    const shard = gone();
    const { guard, seen } = recording();
    const exchange = await patch(shard, guard, { query: '?fieldManager=me&force=true', headers: APPLY, body });
    expect([exchange.status, exchange.json]).toMatchObject([201, { spec: 'new' }]);
    expect(trail(shard)).toEqual([
      'GET :h4sh/a',
      'PATCH :h4sh/a?fieldManager=me&force=true&dryRun=All',
      'POST :h4sh?fieldManager=me',
      'PUT :h4sh/a?fieldManager=me',
    ]);
    expect(seen).toMatchObject([{ operation: 'create', proposed: { spec: 'new' } }]);
    expect(sent(shard, 2)).toEqual({ ...body, metadata: { name: 'a', labels: MINE } });
  });

  // kcp 0.32: an apply of another value by the same manager ended in a conflict with "m", which had made the object by a POST.
  test('that makes its object is the owner of its fields', async () => {
    const shard = gone();
    const managedFields = [{ manager: 'me', operation: 'Apply' }];
    await patch(shard, recording().guard, { headers: APPLY, body: { ...body, metadata: { name: 'a', managedFields } } });
    expect(sent(shard, 3)).toMatchObject({ metadata: { managedFields, uid: 'u2', resourceVersion: '1', labels: MINE } });
  });

  test('that would make its object stays a dry run where it is one', async () => {
    const shard = gone();
    expect((await patch(shard, recording().guard, { query: '?dryRun=All', headers: APPLY, body })).status).toBe(201);
    expect([trail(shard).at(-1), shard.object]).toEqual(['POST :h4sh?dryRun=All', undefined]);
  });

  test('makes nothing where that is not allowed', async () => {
    const shard = gone();
    const mayCreate: Guard['mayCreate'] = async () => forbiddenBecause('access denied');
    expect((await patch(shard, { ...recording().guard, mayCreate }, { headers: APPLY, body })).status).toBe(403);
    expect(trail(shard)).toEqual(['GET :h4sh/a']);
  });

  // The object that another made meanwhile was never inspected: the caller may not see it at all.
  test('leaves alone what another has made meanwhile and the caller does not see', async () => {
    const shard = gone();
    shard.meanwhile = ({ method }) => {
      if (method === 'POST') shard.object = thing({}, { spec: 'theirs' });
    };
    const visible: Guard['visible'] = ({ metadata }) => metadata?.labels?.mine === 'yes';
    const exchange = await patch(shard, { ...recording().guard, visible }, { headers: APPLY, body });
    expect([exchange.status, shard.object?.spec]).toEqual([409, 'theirs']);
  });
});
