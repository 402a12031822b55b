import { describe, expect, test } from '@jest/globals';
import type { SyncTarget } from '../controllers/sync-target.ts';
import type { KnownSyncTarget } from './knowledge.ts';
import { countWanted } from './wanted-exports.ts';

const targetOf = (name: string, supportedAPIExports: unknown): KnownSyncTarget => ({
  identity: { cluster: 'st', name, uid: 'u' },
  key: name,
  base: 'https://one',
  object: { spec: { supportedAPIExports } } as SyncTarget,
});
const counts = () => countWanted({ workspaces: 2, exports: 2 }, 'root:compute');
const asTable = ({ byWorkspace }: ReturnType<ReturnType<typeof counts>['wanted']>) =>
  Object.fromEntries([...byWorkspace].map(([workspace, names]) => [workspace, [...names]]));

describe('what SyncTargets support', () => {
  test('is counted by workspace, the compute workspace always among them', () => {
    const { set, wanted } = counts();
    expect(asTable(wanted())).toEqual({ 'root:compute': [] });
    set(targetOf('a', [{ path: 'root:compute', export: 'kubernetes' }, { export: 'own' }, { path: '', export: 'too' }]));
    expect(asTable(wanted())).toEqual({ 'root:compute': ['kubernetes'], st: ['own', 'too'] });
  });

  test('is wanted until nobody wants it', () => {
    const { set, delete: remove, wanted } = counts();
    const [a, b] = [targetOf('a', [{ export: 'own' }]), targetOf('b', [{ export: 'own' }])];
    expect([set(a), set(a), set(b)]).toEqual([true, false, true]);
    remove(a);
    expect(asTable(wanted()).st).toEqual(['own']);
    set(targetOf('b', []));
    remove(b);
    expect(asTable(wanted())).toEqual({ 'root:compute': [] });
  });

  test('is not more than there may be, those first that were there first', () => {
    const { set, delete: remove, wanted } = counts();
    set(targetOf('a', [{ path: 'z', export: 'e' }]));
    set(
      targetOf(
        'b',
        ['y', 'x'].map(path => ({ path, export: 'e' })),
      ),
    );
    set(targetOf('a', [{ path: 'z', export: 'e' }]));
    expect([Object.keys(asTable(wanted())), wanted().leftOut]).toEqual([['root:compute', 'z', 'y'], ['x']]);
    remove(targetOf('a', []));
    expect([Object.keys(asTable(wanted())), wanted().leftOut]).toEqual([['root:compute', 'y', 'x'], []]);
    set(
      targetOf(
        'c',
        ['one', 'two', 'three'].map(name => ({ path: 'y', export: name })),
      ),
    );
    expect(asTable(wanted()).y).toEqual(['e', 'one']);
  });

  // Whoever came first could name so many workspaces that nobody else's were followed, and so many exports of one.
  test('is a share for each logical cluster that has SyncTargets', () => {
    const { set, wanted } = counts();
    const greedy = ['g1', 'g2', 'g3'].map(path => ({ path, export: 'e' }));
    set(targetOf('a', [...greedy, ...['x', 'y', 'z'].map(name => ({ path: 'own', export: name }))]));
    const modest = targetOf('b', [{ path: 'own', export: 'e' }]);
    set({ ...modest, identity: { ...modest.identity, cluster: 'other' } });
    expect(asTable(wanted())).toEqual({ 'root:compute': [], g1: ['e'], own: ['x', 'e'] });
  });

  test.each([
    [undefined],
    ['text'],
    [[{}]],
    [[{ export: 7 }]],
    [[null, 'x', 7]],
    [[{ export: '../x' }]],
    [[{ path: '*', export: 'x' }]],
    [[{ path: {}, export: 'x' }]],
  ])('is nothing where it is %j', supported => {
    const { set, wanted } = counts();
    set(targetOf('a', supported));
    expect(asTable(wanted())).toEqual({ 'root:compute': [] });
  });
});
