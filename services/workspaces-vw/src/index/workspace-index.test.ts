import { describe, expect, test } from '@jest/globals';
import type { WorkspaceObject } from './facts.ts';
import { ACCESS, ANN, contentOf, started, workspaceOf } from './started.fixture.ts';

describe('edges', () => {
  test('come of a binding in the logical cluster, at the version of the event that shows them', () => {
    const { index, found, names } = started();
    expect(names({ subjects: ANN })).toEqual([]);
    index.binding('beta', 'c-web', 'b', { role: 'member', subjects: ANN });
    expect([...found().entrance.edges.subjects()]).toEqual(ANN);
    expect(found().entrance.edges.since('u:ann')).toBe(index.version);
    expect(found().entrance.edges.since('u:bob')).toBeUndefined();
    expect(names({ subjects: ANN })).toEqual(['web']);
  });

  test('do not come of a binding on another shard, where the logical cluster is not', () => {
    const { index, names, eventsOf } = started();
    expect(eventsOf(() => index.binding('alpha', 'c-web', 'b', { role: 'member', subjects: ANN }))).toEqual([]);
    expect(names({ subjects: ANN })).toEqual([]);
  });

  test('stay until the last of the bindings goes that give them', () => {
    const { index, found, eventsOf } = started();
    index.binding('beta', 'c-web', 'one', { role: 'member', subjects: ANN });
    expect(eventsOf(() => index.binding('beta', 'c-web', 'two', { role: 'member', subjects: ANN }))).toEqual([]);
    expect(eventsOf(() => index.binding('beta', 'c-web', 'one', undefined))).toEqual([]);
    expect(found().entrance.edges.has('u:ann')).toBe(true);
    expect(eventsOf(() => index.binding('beta', 'c-web', 'two', undefined))).toHaveLength(1);
    expect(found().entrance.edges.size).toBe(0);
  });

  test('are the same values, of the same version, after one binding has taken the place of another in a batch', () => {
    const { index, found, eventsOf } = started();
    index.binding('beta', 'c-web', 'one', { role: 'member', subjects: ANN });
    const before = found();
    const swap = () => {
      index.binding('beta', 'c-web', 'one', undefined);
      index.binding('beta', 'c-web', 'two', { role: 'member', subjects: ANN });
    };
    expect(eventsOf(() => index.batch(swap))).toEqual([]);
    expect(found()).toBe(before);
  });

  test('are added and lost by name when a binding changes, while the others keep their version', () => {
    const { index, found } = started();
    index.binding('beta', 'c-web', 'b', { role: 'member', subjects: ['u:ann', 'u:bob'] });
    const first = index.version;
    const [event] = (() => {
      index.binding('beta', 'c-web', 'b', { role: 'member', subjects: ['u:cleo', 'u:ann'] });
      return index.since(first);
    })();
    expect([...found().entrance.edges.subjects()]).toEqual(['u:ann', 'u:cleo']);
    expect(found().entrance.edges.since('u:ann')).toBe(first);
    expect(found().entrance.edges.since('u:cleo')).toBe(first + 1n);
    // What the log holds is as it was.
    expect([...(event?.before?.entrance.edges.subjects() ?? [])]).toEqual(['u:ann', 'u:bob']);
  });

  test('come and go with what the role gives', () => {
    const { index, found } = started();
    index.binding('beta', 'c-web', 'b', { role: 'guest', subjects: ANN });
    expect(found().entrance.edges.size).toBe(0);
    index.role('beta', 'c-web', 'guest', ACCESS);
    expect(found().entrance.edges.size).toBe(1);
    index.role('beta', 'c-web', 'guest', { access: false, getWorkspaces: '*' });
    expect(found().entrance.edges.size).toBe(0);
    index.role('beta', 'system:admin', 'guest', ACCESS);
    expect(found().entrance.edges.size).toBe(1);
    index.role('beta', 'system:admin', 'guest', undefined);
    expect(found().entrance.edges.size).toBe(0);
  });

  test('of a shard are those of all of its logical clusters, and make their workspaces candidates', () => {
    const { index, found, names } = started();
    index.binding('alpha', 'system:admin', 'b', { role: 'member', subjects: ANN });
    expect(names({ subjects: ANN })).toEqual([]);
    expect(index.entrance('root')?.shardWide.has('u:ann')).toBe(true);
    index.binding('beta', 'system:admin', 'b', { role: 'member', subjects: ANN });
    expect(names({ subjects: ANN })).toEqual(['web']);
    expect(found().entrance.edges.size).toBe(0);
    expect([...found().entrance.shardWide.subjects()]).toEqual(ANN);
  });

  test('come of a local role with the name of a shard-wide one, for the subjects of the shard-wide binding, there only', () => {
    const { index, found, names } = started();
    index.workspace('alpha', 'root', 'other', workspaceOf('other', { cluster: 'c-other' }));
    index.logicalCluster('beta', 'c-other', contentOf('other'));
    index.binding('beta', 'system:admin', 'b', { role: 'guest', subjects: ANN });
    expect(names({ subjects: ANN })).toEqual([]);
    index.role('beta', 'c-web', 'guest', ACCESS);
    expect(names({ subjects: ANN })).toEqual(['web']);
    expect([...found().entrance.edges.subjects()]).toEqual(ANN);
    expect(found().entrance.shardWide.size).toBe(0);
  });
});

describe('an entrance', () => {
  test('keeps its version when only edges change, and takes a new one when it opens or asks for other groups', () => {
    const { index, found } = started();
    const { version } = found().entrance;
    index.binding('beta', 'c-web', 'b', { role: 'member', subjects: ANN });
    expect(found().entrance.version).toBe(version);
    index.logicalCluster('beta', 'c-web', contentOf('web', { requiredGroups: 'staff' }));
    expect(found().entrance).toMatchObject({ version: index.version, requiredGroups: 'staff' });
    index.logicalCluster('beta', 'c-web', contentOf('web', { phase: 'Unavailable' }));
    expect(found().entrance).toMatchObject({ version: index.version, open: false });
    expect(found().entrance.requiredGroups).toBeUndefined();
  });

  test.each(['Initializing', 'Ready', 'Inactive', 'Terminating', 'Deleting'])('is open in phase %s', phase => {
    const { index, found } = started();
    index.logicalCluster('beta', 'c-web', contentOf('web', { phase }));
    expect(found().entrance.open).toBe(true);
  });

  test.each(['', 'Scheduling', 'Unavailable'])('is closed in phase "%s"', phase => {
    const { index, found } = started();
    index.logicalCluster('beta', 'c-web', contentOf('web', { phase }));
    expect(found().entrance.open).toBe(false);
    expect(index.entrance('c-web')?.open).toBe(false);
  });

  test('is closed to a workspace that was made anew under the same name, and has none of the edges, until the content is its own', () => {
    const { index, found, names } = started();
    index.binding('beta', 'c-web', 'b', { role: 'member', subjects: ANN });
    index.workspace('alpha', 'root', 'web', workspaceOf('web', { cluster: 'c-web' }, { uid: 'uid-new' }));
    expect(found().entrance).toMatchObject({ cluster: 'c-web', shard: 'beta', open: false });
    expect(found().entrance.edges.size).toBe(0);
    expect(names({ subjects: ANN })).toEqual([]);
    // By name it is entered as before: kcp does not look at the owner.
    expect(index.entrance('c-web')?.open).toBe(true);

    index.logicalCluster('beta', 'c-web', contentOf('web', { owner: { cluster: 'root', name: 'web', uid: 'uid-new' } }));
    expect(names({ subjects: ANN })).toEqual(['web']);
    // Ann comes to see it now, although neither the object nor her edge is new.
    expect(found().entrance.version).toBe(index.version);
  });

  test('is closed without a logical cluster: unscheduled, or on no shard that is known', () => {
    const { index, found } = started();
    expect(index.hasUnresolved('root')).toBe(false);
    index.logicalCluster('beta', 'c-web', undefined);
    expect(found().entrance).toMatchObject({ cluster: 'c-web', shard: '', open: false });
    expect([index.hasUnresolved('root'), index.hasUnresolved(), index.hasUnresolved('elsewhere')]).toEqual([true, true, false]);
    index.workspace('alpha', 'root', 'web', workspaceOf('web', undefined, { resourceVersion: '2' }));
    expect(found().entrance).toMatchObject({ cluster: '', shard: '', open: false });
    expect(index.hasUnresolved('root')).toBe(false);
  });

  test('of a workspace that is being deleted is not missed', () => {
    const { index } = started();
    index.workspace(
      'alpha',
      'root',
      'web',
      workspaceOf('web', { cluster: 'c-web' }, { resourceVersion: '2', deletionTimestamp: 'now' }),
    );
    index.logicalCluster('beta', 'c-web', undefined);
    expect(index.hasUnresolved('root')).toBe(false);
  });

  test('moves to another shard with its logical cluster, and whoever has edges on both stays a candidate', () => {
    const { index, found, names } = started();
    index.binding('beta', 'c-web', 'b', { role: 'member', subjects: ['u:ann', 'u:bob'] });
    index.binding('alpha', 'c-web', 'b', { role: 'member', subjects: ANN });
    index.logicalCluster('alpha', 'c-web', contentOf('web', { phase: 'Scheduling' }));
    expect(found().entrance.shard).toBe('beta');
    expect(index.shardsOf('root')).toEqual(new Set(['alpha', 'beta']));
    index.logicalCluster('beta', 'c-web', undefined);
    index.logicalCluster('alpha', 'c-web', contentOf('web'));
    expect(found().entrance).toMatchObject({ shard: 'alpha', open: true });
    expect(names({ subjects: ANN })).toEqual(['web']);
    expect(names({ subjects: ['u:bob'] })).toEqual([]);
    expect(index.shardsOf('root')).toEqual(new Set(['alpha']));
  });

  test('of several workspaces that name one logical cluster is of the one that it names', () => {
    const { index } = started();
    index.workspace('alpha', 'root', 'a-thief', workspaceOf('a-thief', { cluster: 'c-web' }));
    expect(index.byCluster('c-web')?.name).toBe('web');
    expect(index.find('root', 'a-thief')?.entrance.open).toBe(false);
  });
});

describe('a mount', () => {
  const mount = (): WorkspaceObject => workspaceOf('edge', { mount: { ref: { kind: 'Cluster', name: 'edge' } } });

  test('is entered where its parent is, and seen by who may get it there', () => {
    const { index, names } = started();
    index.workspace('alpha', 'root', 'edge', mount());
    index.role('alpha', 'root', 'reader', { access: false, getWorkspaces: ['edge'] });
    index.role('alpha', 'root', 'other-reader', { access: false, getWorkspaces: ['web'] });
    index.binding('alpha', 'root', 'reader', { role: 'reader', subjects: ANN });
    index.binding('alpha', 'root', 'other-reader', { role: 'other-reader', subjects: ['u:bob'] });
    index.binding('alpha', 'root', 'member', { role: 'member', subjects: ['u:cleo'] });
    const snapshot = index.find('root', 'edge');
    expect([...(snapshot?.mount?.edges.subjects() ?? [])]).toEqual(['u:ann', 'u:cleo']);
    expect(snapshot?.entrance).toBe(index.entrance('root'));
    expect(names({ subjects: ANN })).toEqual(['edge']);
    expect(names({ subjects: ['u:bob'] })).toEqual([]);
  });

  test('stays a candidate of who loses one of two ways to get it', () => {
    const { index, names } = started();
    index.workspace('alpha', 'root', 'edge', mount());
    index.binding('alpha', 'root', 'b', { role: 'member', subjects: ANN });
    index.binding('alpha', 'system:admin', 'b', { role: 'member', subjects: ANN });
    index.binding('alpha', 'root', 'b', undefined);
    expect(names({ subjects: ANN })).toEqual(['edge']);
    index.binding('alpha', 'system:admin', 'b', undefined);
    expect(names({ subjects: ANN })).toEqual([]);
  });

  test('is seen shard-wide by who may get it everywhere, as long as the role gives it', () => {
    const { index, names } = started();
    index.binding('alpha', 'system:admin', 'b', { role: 'reader', subjects: ANN });
    index.workspace('alpha', 'root', 'edge', mount());
    expect(names({ subjects: ANN })).toEqual([]);
    index.role('alpha', 'system:admin', 'reader', { access: false, getWorkspaces: ['edge'] });
    expect(index.find('root', 'edge')?.mount?.shardWide.since('u:ann')).toBe(index.version);
    expect(names({ subjects: ANN })).toEqual(['edge']);
    index.role('alpha', 'system:admin', 'reader', { access: false, getWorkspaces: ['other'] });
    expect(names({ subjects: ANN })).toEqual([]);
    index.role('alpha', 'root', 'reader', { access: false, getWorkspaces: '*' });
    expect([...(index.find('root', 'edge')?.mount?.edges.subjects() ?? [])]).toEqual(ANN);
  });

  test('is a mount, and no tenant, when it names a logical cluster that is not its own', () => {
    const { index, names, eventsOf } = started();
    index.workspace('alpha', 'root', 'edge', workspaceOf('edge', { mount: {}, cluster: 'c-web' }));
    expect(index.find('root', 'edge')).toMatchObject({ entrance: { cluster: 'root' }, mount: {} });
    expect(index.byCluster('c-web')?.name).toBe('web');
    expect(names({ subjects: [], clusters: ['c-web'] })).toEqual(['web']);
    const bind = () => index.binding('beta', 'c-web', 'b', { role: 'member', subjects: ANN });
    expect(eventsOf(bind)).toMatchObject([{ after: { name: 'web' } }]);
  });
});
