import { describe, expect, test } from '@jest/globals';
import type { BodyKind } from '@kcp-vw/shared/view/view.ts';
import {
  alice,
  answerTo,
  callTo,
  enterable,
  fillIndex,
  refused,
  rewritten,
  SHARDS,
  stranger,
  told,
  viewOf,
  WORKSPACES,
} from '../workspaces-view.fixture.ts';

const OPEN = `${WORKSPACES}/open`;
const HIDDEN = `${WORKSPACES}/hidden`;
const MISSING = `${WORKSPACES}/missing`;
const notFound = (name: string): string => `404 NotFound: workspaces.tenancy.kcp.io "${name}" not found`;

describe('a write', () => {
  test.each([
    ['POST', WORKSPACES],
    ['PUT', OPEN],
    ['PATCH', OPEN],
    ['DELETE', OPEN],
    ['DELETE', WORKSPACES],
    ['GET', `${OPEN}/status`],
    ['PUT', `${OPEN}/status`],
    ['PATCH', `${OPEN}/status`],
  ])('%s %s goes to the shard of the parent as the caller', async (method, path) => {
    const plan = rewritten(await answerTo('root', path, { method }));
    expect(plan).toMatchObject({ cluster: 'root', as: alice, customKind: 'Workspace' });
    expect(plan.shard).toBe(SHARDS.alpha);
  });

  test('into a parent on another shard goes there', async () => {
    const plan = rewritten(await answerTo('root:open', WORKSPACES, { method: 'POST' }));
    expect(plan.cluster).toBe('c-open');
    expect(plan.shard).toBe(SHARDS.beta);
  });

  test('to a shard that nobody knows the way to is answered with 503', async () => {
    const view = viewOf(fillIndex(), { upstreamOf: () => undefined });
    const { error } = refused(await view.answer(callTo(view, 'root', OPEN, { method: 'DELETE' })));
    expect(told(error)).toMatch(/^503 ServiceUnavailable/);
  });

  test.each([
    ['PUT', HIDDEN],
    ['DELETE', HIDDEN],
    ['GET', `${HIDDEN}/status`],
    ['PUT', `${HIDDEN}/status`],
    ['PATCH', `${HIDDEN}/status`],
    ['DELETE', `${HIDDEN}/status`],
    ['POST', `${HIDDEN}/status`],
    ['PATCH', `${HIDDEN}/other`],
  ])('%s %s is refused: for the caller it is not there', async (method, path) => {
    const { error } = refused(await answerTo('root', path, { method }));
    expect(told(error)).toBe(notFound('hidden'));
  });

  test.each(['PUT', 'DELETE'])('%s is refused likewise of what nobody has', async method => {
    const { error } = refused(await answerTo('root', MISSING, { method }));
    expect(told(error)).toBe(notFound('missing'));
  });

  test('of what the caller does not see any more is refused', async () => {
    expect(rewritten(await answerTo('root', OPEN, { method: 'PUT' })).kind).toBe('rewrite');
    const { error } = refused(await answerTo('root', OPEN, { method: 'PUT', caller: stranger }));
    expect(told(error)).toBe(notFound('open'));
  });
});

describe('a patch of what the caller does not see', () => {
  const bodyOf = async (path: string, kind: BodyKind, body: unknown = { metadata: { name: 'x', labels: {} } }) =>
    rewritten(await answerTo('root', path, { method: 'PATCH' })).request?.(body, kind);

  test.each<BodyKind>(['merge-patch', 'json-patch', 'strategic-merge-patch'])(
    'by %s is refused as of what is not there',
    async kind => {
      expect(told(await bodyOf(HIDDEN, kind))).toBe(notFound('hidden'));
      expect(told(await bodyOf(MISSING, kind))).toBe(notFound('missing'));
    },
  );

  test('is never sent to the shard when it cannot be read', async () => {
    for (const path of [HIDDEN, MISSING]) {
      expect(rewritten(await answerTo('root', path, { method: 'PATCH' })).unreadable).toBe('refuse');
    }
  });

  test('by an apply makes what is not there', async () => {
    const body = { metadata: { name: 'missing' } };
    expect(await bodyOf(MISSING, 'apply', body)).toBe(body);
  });

  // The shard looks first whether the caller may apply: a refusal made here would tell those who may not that the name is taken.
  test.each([
    [{ metadata: { name: 'hidden', labels: { a: '1' } } }, { name: 'hidden', labels: { a: '1' }, resourceVersion: '1' }],
    [{ metadata: { resourceVersion: '7' } }, { resourceVersion: '1' }],
    [{ metadata: null }, { resourceVersion: '1' }],
    [{ spec: {} }, { resourceVersion: '1' }],
    [{ metadata: 'text' }, { resourceVersion: '1' }],
  ])('by an apply of %j conflicts at the shard with what has the name', async (body, metadata) => {
    expect(await bodyOf(HIDDEN, 'apply', body)).toEqual({ ...body, metadata });
  });
});

test('an apply to what the caller does not see is refused to who may not create, the same whether the name is taken or not', async () => {
  const view = viewOf(fillIndex(), { mayCreate: async () => false });
  const refusalOf = async (path: string) => {
    const plan = rewritten(await answerTo('root', path, { method: 'PATCH' }, view));
    return told(await plan.request?.({ metadata: { name: 'x' } }, 'apply'));
  };
  const taken = await refusalOf(HIDDEN);
  expect(taken).toContain('cannot create resource "workspaces"');
  expect(await refusalOf(MISSING)).toBe(taken.replace('hidden', 'missing'));
});

describe('a write to what the caller sees', () => {
  test('has the version of the shard in the place of that of the view', async () => {
    const { request } = rewritten(await answerTo('root', OPEN, { method: 'PUT' }));
    const body = (resourceVersion: string) => ({ metadata: { name: 'open', resourceVersion } });
    expect(request?.(body('50'), 'object')).toEqual(body('7'));
    expect(request?.(body('49'), 'object')).toEqual(body('1'));
    expect(request?.({ preconditions: { resourceVersion: '103' } }, 'delete-options')).toEqual({
      preconditions: { resourceVersion: '7' },
    });
  });

  test('is answered with the version of the view', async () => {
    const { response } = rewritten(await answerTo('root', OPEN, { method: 'PUT' }));
    const metadata = { name: 'open', uid: 'uid-open', resourceVersion: '7' };
    expect(await response?.({ metadata })).toEqual({ metadata: { ...metadata, resourceVersion: '50' } });
  });

  test('of a new one is its own bytes', async () => {
    expect(rewritten(await answerTo('root', WORKSPACES, { method: 'POST' })).request).toBeUndefined();
  });
});

describe('a deletecollection', () => {
  const namesOf = async (query = '', caller = alice) =>
    rewritten(await answerTo('root', `${WORKSPACES}${query}`, { method: 'DELETE', caller })).each;

  test('is of what the caller sees and selects', async () => {
    expect(await namesOf()).toEqual(['open', 'other']);
    expect(await namesOf('?fieldSelector=metadata.name%3Dother')).toEqual(['other']);
    expect(await namesOf('?fieldSelector=metadata.name%3Dhidden')).toEqual([]);
    expect(await namesOf('?labelSelector=some%3Dlabel')).toEqual([]);
  });

  test('of nothing goes to the shard, too, which knows whether the caller may', async () => {
    expect(await namesOf('', stranger)).toEqual([]);
  });

  // Whoever deletes for good waits until they are gone.
  test.each([
    ['', {}, true],
    ['?dryRun=All', { dryRun: ['All'] }, false],
    ['', { dryRun: ['All'] }, false],
    ['', { dryRun: [] }, true],
  ])('%s with %j waits for the end of what it deletes: %s', async (query, options, isWaiting) => {
    const index = fillIndex();
    const view = viewOf(index);
    const { request, response } = rewritten(await answerTo('root', `${WORKSPACES}${query}`, { method: 'DELETE' }, view));
    expect(request?.(options, 'delete-options')).toBe(options);
    const shown = response?.({ metadata: { name: 'open', uid: 'uid-open', resourceVersion: '7' } });
    expect(index.stats().followers).toBe(isWaiting ? 1 : 0);
    index.remove('root', 'open');
    expect(await shown).toMatchObject({ metadata: { name: 'open' } });
    expect(index.stats().followers).toBe(0);
  });

  test('of more than it may be of is refused with 400', async () => {
    const index = fillIndex();
    for (let each = 0; each < 4_998; each += 1) index.put(enterable(`w${each}`));
    const answer = () => answerTo('root', WORKSPACES, { method: 'DELETE' }, viewOf(index));
    expect(rewritten(await answer()).each).toHaveLength(5_000);
    index.put(enterable('w4998'));
    expect(told(refused(await answer()).error)).toMatch(/^400 BadRequest: more than 5000 workspaces/);
  });

  test('with a selector that is none is refused', async () => {
    await expect(namesOf('?labelSelector=%3D%3D')).rejects.toMatchObject({ code: 400 });
    await expect(namesOf('?fieldSelector=spec.type%3Dx')).rejects.toMatchObject({ code: 400 });
  });
});

describe('the home of the caller', () => {
  const HOME = `${WORKSPACES}/~`;

  test('is asked of the root shard as the caller, and shown without the record of the owner', async () => {
    const plan = rewritten(await answerTo('root', HOME));
    expect(plan).toMatchObject({ cluster: 'root', as: alice });
    expect(plan.shard).toBe(SHARDS.alpha);
    const annotations = { 'kcp.io/cluster': 'home', 'experimental.tenancy.kcp.io/owner': '{}' };
    const { 'experimental.tenancy.kcp.io/owner': _, ...shown } = annotations;
    expect(await plan.response?.({ metadata: { name: 'alice', annotations } })).toEqual({
      metadata: { name: 'alice', annotations: shown },
    });
  });

  test('is nothing but a name elsewhere, and to other verbs', async () => {
    expect((await answerTo('c-open', HOME)).kind).toBe('serve');
    for (const method of ['PUT', 'DELETE']) {
      expect(told(refused(await answerTo('root', HOME, { method })).error)).toBe(notFound('~'));
    }
    expect(told(refused(await answerTo('root', `${HOME}/status`)).error)).toBe(notFound('~'));
  });

  test('is asked for at the root shard, wherever it is when nobody has heard of root yet', async () => {
    const index = fillIndex();
    const view = viewOf({ ...index, version: 1n, entrance: () => undefined }, { rootShard: () => 'beta' });
    const call = { ...callTo(view, 'root', HOME), scope: { parent: 'root', cluster: 'root' } };
    expect(rewritten(await view.answer(call)).shard).toBe(SHARDS.beta);
  });
});
