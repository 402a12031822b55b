import { describe, expect, test } from '@jest/globals';
import type { WorkspaceObject } from './facts.ts';
import type { IndexEvent } from './snapshot.ts';
import { ACCESS, ANN, started, workspaceOf } from './started.fixture.ts';

describe('events', () => {
  test('are none for the same object again, as a relist brings it, alone or after it was taken out in the same batch', () => {
    const { index, eventsOf } = started();
    const again = () => index.workspace('alpha', 'root', 'web', workspaceOf('web', { cluster: 'c-web' }));
    expect(eventsOf(again)).toEqual([]);
    const relist = () => {
      index.workspace('alpha', 'root', 'web', undefined);
      again();
    };
    expect(eventsOf(() => index.batch(relist))).toEqual([]);
  });

  test('are one for each time an object without a version comes, and its version stays when other things change', () => {
    const { index, eventsOf, found } = started();
    const bare: WorkspaceObject = { metadata: { name: 'web', uid: 'uid-web' }, spec: { cluster: 'c-web' } };
    for (const _ of [1, 2]) expect(eventsOf(() => index.workspace('alpha', 'root', 'web', bare))).toHaveLength(1);
    const { object } = found();
    index.binding('beta', 'c-web', 'b', { role: 'member', subjects: ANN });
    expect(found().object).toBe(object);
  });

  test('of a batch are one for each workspace, from what was before it to what is after it, sorted', () => {
    const { index, eventsOf } = started();
    const before = index.find('root', 'web');
    const events = eventsOf(() =>
      index.batch(() => {
        index.binding('beta', 'c-web', 'b', { role: 'member', subjects: ANN });
        index.workspace('alpha', 'root', 'web', undefined);
        index.batch(() =>
          index.workspace('alpha', 'root', 'web', workspaceOf('web', { cluster: 'c-web' }, { resourceVersion: '7' })),
        );
        index.workspace('alpha', 'root', 'a', workspaceOf('a', undefined));
        index.workspace('alpha', 'root', 'gone', workspaceOf('gone', undefined));
        index.workspace('alpha', 'root', 'gone', undefined);
      }),
    );
    expect(events.map(({ before, after }) => (after ?? before)?.name)).toEqual(['a', 'web']);
    expect(events[1]?.before).toBe(before);
    expect(events[1]?.after).toMatchObject({ upstreamVersion: '7' });
    expect(events[1]?.after?.entrance.edges.since('u:ann')).toBe(events[1]?.version);
  });

  test('of a batch that fails are told all the same: what is written is written', () => {
    const { index, eventsOf } = started();
    const fail = () => {
      index.workspace('alpha', 'root', 'web', undefined);
      throw new Error('midway');
    };
    const events = eventsOf(() => expect(() => index.batch(fail)).toThrow('midway'));
    expect(events).toMatchObject([{ before: { name: 'web' } }]);
    expect(index.find('root', 'web')).toBeUndefined();
  });

  test('of a batch that cannot be ended are none: nobody may resume from before, and what was given can be taken out', () => {
    const { index, found } = started();
    index.binding('beta', 'c-web', 'b', { role: 'member', subjects: ANN });
    const { version } = index;
    let isArmed = false;
    const trap = workspaceOf('a-trap', { cluster: 'c-trap' });
    Object.defineProperty(trap.metadata, 'labels', {
      enumerable: true,
      get: () => {
        if (isArmed) throw new Error('no end');
        return {};
      },
    });
    const batch = () =>
      index.batch(() => {
        index.binding('beta', 'c-web', 'b', undefined);
        index.workspace('alpha', 'root', 'a-trap', trap);
        isArmed = true;
      });
    expect(batch).toThrow('no end');
    for (const parent of [undefined, 'root']) expect(() => index.since(version, parent)).toThrow('too old resource version');
    expect([...index.since(index.version)]).toEqual([]);

    index.role('alpha', 'root', 'other', ACCESS);
    index.forgetShard('beta');
    expect(found().entrance.edges.size).toBe(0);
    expect([...index.candidates({ subjects: ANN })]).toEqual([]);
    index.forgetShard('alpha');
    expect(index.stats()).toMatchObject({ workspaces: 0, edges: 0, subjects: 0, followers: 0, kept: 0 });
  });

  test('take out all of a shard at once', () => {
    const { index, eventsOf, found } = started();
    index.binding('beta', 'c-web', 'b', { role: 'member', subjects: ANN });
    expect(eventsOf(() => index.forgetShard('beta'))).toHaveLength(1);
    expect(found().entrance).toMatchObject({ shard: '', open: false });
    expect(eventsOf(() => index.forgetShard('alpha'))).toHaveLength(1);
    expect(index.stats()).toMatchObject({ workspaces: 0, edges: 0, subjects: 0, followers: 0, kept: 0 });
  });

  test('leave a version out that was taken for something else', () => {
    const { index, eventsOf } = started();
    const { version } = index;
    expect(index.advance()).toBe(version + 1n);
    const [event] = eventsOf(() => index.workspace('alpha', 'root', 'web', undefined));
    expect(event?.version).toBe(version + 2n);
    expect([...index.since(version)]).toEqual([event]);
    expect([...index.since(version, 'root')]).toEqual([event]);
  });
});

describe('a follower', () => {
  test('that fails keeps no other from an event', () => {
    const { index } = started();
    const told: IndexEvent[] = [];
    index.follow({}, () => {
      throw new Error('no');
    });
    index.follow({}, event => told.push(event));
    expect(() => index.workspace('alpha', 'root', 'web', undefined)).toThrow(AggregateError);
    expect(told).toHaveLength(1);
    expect(index.find('root', 'web')).toBeUndefined();
  });

  test('that writes has others told in the order of versions', () => {
    const { index } = started();
    const told: bigint[] = [];
    index.follow({}, () => index.workspace('alpha', 'root', 'new', workspaceOf('new', undefined)));
    index.follow({}, ({ version }) => told.push(version));
    const { version } = index;
    index.workspace('alpha', 'root', 'web', undefined);
    expect(told).toEqual([version + 1n, version + 2n]);
  });

  test('that comes while events are told gets those after what it has found', () => {
    const { index } = started();
    const late: IndexEvent[] = [];
    const stop = index.follow({}, () => {
      stop();
      index.follow({}, event => late.push(event));
    });
    index.batch(() => {
      index.workspace('alpha', 'root', 'a', workspaceOf('a', undefined));
      index.workspace('alpha', 'root', 'b', workspaceOf('b', undefined));
    });
    expect(late).toEqual([]);
    index.workspace('alpha', 'root', 'a', undefined);
    expect(late).toMatchObject([{ before: { name: 'a' } }]);
  });
});
