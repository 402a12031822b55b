import { describe, expect, test } from '@jest/globals';
import { StatusError, serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import { caller, entranceOf, to } from './sight/sight.fixture.ts';
import {
  alice,
  answerTo,
  callTo,
  enterable,
  fillIndex,
  KNOWS_ALL,
  masters,
  RESOURCES,
  served,
  stranger,
  viewOf,
  WORKSPACES,
} from './workspaces-view.fixture.ts';

const TOLD = 'workspace access not permitted';

describe('who may ask for the workspaces of a parent', () => {
  const index = fillIndex();
  index.enter(entranceOf('c-shared', { edges: to('g:team') }));
  // Whoever may enter a workspace may ask for it where it lies, though he may not go there.
  index.put(enterable('inside', { parent: 'c-closed', entrance: entranceOf('c-inside', { edges: to('u:guest') }) }));
  const view = viewOf(index);

  test.each([
    ['whoever may enter it', alice, 'c-open', true],
    ['whoever may enter it, by its path', alice, 'root:open', true],
    ['whoever may enter it by a group', caller('bob', ['team']), 'c-shared', true],
    ['whoever may enter a workspace in it', caller('guest'), 'c-closed', true],
    ['masters', masters, 'c-closed', true],
    ['everybody, of all', stranger, '*', true],
    ['not whoever may enter neither it nor anything in it', stranger, 'c-closed', false],
    ['not whoever may enter another', alice, 'c-closed', false],
    ['nobody, of what is not there', alice, 'root:missing', false],
    ['not even masters, of what is not there', masters, 'missing', false],
    ['not the anonymous, of all', caller('system:anonymous'), '*', false],
  ])('%s', async (_, who, parent, allowed) => {
    expect(await view.authorize(callTo(view, parent, WORKSPACES, { caller: who }))).toMatchObject({ allowed });
  });

  test('of all is decided before anything is asked about the caller', async () => {
    const sightOf = () => Promise.reject(new Error('somebody asks what he may enter'));
    const unasked = viewOf(index, { access: { sightOf } });
    const allowed = async (who: typeof alice) =>
      (await unasked.authorize(callTo(unasked, '*', WORKSPACES, { caller: who }))).allowed;
    expect([await allowed(alice), await allowed(caller('system:anonymous'))]).toEqual([true, false]);
  });

  test('who is refused is not told whether it is there', async () => {
    const decisions = ['c-closed', 'root:hidden', 'root:missing', 'missing'].map(parent =>
      view.authorize(callTo(view, parent, WORKSPACES, { caller: stranger })),
    );
    for (const decision of await Promise.all(decisions)) expect(decision).toMatchObject({ allowed: false, told: TOLD });
  });

  test('is answered with 503 when what it needs is not known: of the parent for who may, of all for who may not', async () => {
    const asked: (string | undefined)[] = [];
    const require = (parent?: string): void => {
      asked.push(parent);
      throw serviceUnavailable('not now');
    };
    const blind = viewOf(index, { knowledge: { ...KNOWS_ALL, require } });
    for (const who of [alice, stranger]) {
      const call = callTo(blind, 'c-open', WORKSPACES, { caller: who });
      await expect(blind.authorize(call)).rejects.toMatchObject({ code: 503 });
    }
    expect(asked).toEqual(['c-open', undefined]);
  });
});

describe('what is answered', () => {
  test.each([
    ['GET', WORKSPACES, 'serve'],
    ['GET', `${WORKSPACES}?watch=1`, 'serve'],
    ['GET', `${WORKSPACES}/open`, 'serve'],
    ['GET', `${WORKSPACES}/missing`, 'serve'],
    ['GET', `${WORKSPACES}/~`, 'rewrite'],
    ['GET', `${WORKSPACES}/open/status`, 'rewrite'],
    ['POST', WORKSPACES, 'rewrite'],
    ['PUT', `${WORKSPACES}/open`, 'rewrite'],
    ['PATCH', `${WORKSPACES}/open`, 'rewrite'],
    ['DELETE', `${WORKSPACES}/open`, 'rewrite'],
    ['DELETE', WORKSPACES, 'rewrite'],
    ['GET', '/version', 'forward'],
  ])('%s %s is answered with a %s', async (method, path, kind) => {
    expect((await answerTo('root', path, { method })).kind).toBe(kind);
  });

  test('is served of what the caller may enter, and of nothing else', async () => {
    const namesFor = async (who: typeof alice) =>
      served(await answerTo('root', WORKSPACES, { caller: who }))
        .collection.list()
        .items.map(({ metadata }) => metadata?.name);
    expect(await namesFor(alice)).toEqual(['open', 'other']);
    expect(await namesFor(stranger)).toEqual([]);
    expect(await namesFor(masters)).toEqual(['hidden', 'open', 'other']);
    const { collection } = served(await answerTo('root', `${WORKSPACES}/hidden`));
    expect(collection.get('hidden', '')).toBeUndefined();
    expect(collection.get('open', '')).toMatchObject({ metadata: { name: 'open' } });
  });

  test('is bound to all that says who the caller is: somebody else does not go on where he was', async () => {
    const boundTo = async (who: typeof alice) => served(await answerTo('root', WORKSPACES, { caller: who })).collection.boundTo;
    const identities = [alice, caller('alice', ['team']), caller('alice', [], { scope: ['x'] }), { ...alice, uid: 'other' }];
    expect(new Set(await Promise.all(identities.map(boundTo))).size).toBe(4);
    expect(await boundTo(caller('alice'))).toBe(await boundTo(alice));
  });

  test('a watch ends within ten minutes, and when what it needs is not known any more', async () => {
    const ends: [string | undefined, (reason: string) => void][] = [];
    const knowledge = {
      ...KNOWS_ALL,
      until: (parent: string | undefined, end: (reason: string) => void) => {
        ends.push([parent, end]);
        return () => {};
      },
    };
    const view = viewOf(fillIndex(), { knowledge });
    const { until, watchSeconds } = served(await view.answer(callTo(view, 'root', `${WORKSPACES}?watch=1`)));
    expect(watchSeconds).toEqual({ min: 300, max: 600 });
    const reasons: string[] = [];
    until?.(reason => reasons.push(reason));
    for (const [, end] of ends) end('nothing is heard');
    expect({ parents: ends.map(([parent]) => parent), reasons }).toEqual({ parents: ['root'], reasons: ['nothing is heard'] });
  });
});

describe('what is said to be served', () => {
  test('of one parent is the API of kcp', async () => {
    const view = viewOf();
    const { scope, request } = callTo(view, 'root', '/apis');
    expect(await view.apis(scope, request)).toBe(RESOURCES);
  });

  test('of all are lists and watches alone, with a column that says where; always the same value', async () => {
    const view = viewOf();
    const { scope, request } = callTo(view, '*', '/apis');
    const resources = await view.apis(scope, request);
    expect(resources).toMatchObject([
      { name: 'workspaces', verbs: ['list', 'watch'], columns: [{ name: 'Path' }, { name: 'Phase' }] },
    ]);
    expect(await view.apis(scope, request)).toBe(resources);
  });

  test('is not known before the API has been read', async () => {
    const view = viewOf(fillIndex(), { api: { resources: () => undefined } });
    const { scope, request } = callTo(view, 'root', '/apis');
    await expect(async () => view.apis(scope, request)).rejects.toThrow(StatusError);
  });
});
