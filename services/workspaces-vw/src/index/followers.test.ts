import { describe, expect, test } from '@jest/globals';
import { EdgeSet, NO_EDGES } from './edges.ts';
import { Followers } from './followers.ts';
import type { IndexEvent, Interest, Snapshot } from './snapshot.ts';
import { emptyMap } from './sorted-map.ts';

const edgesOf = (...subjects: string[]): EdgeSet =>
  new EdgeSet(
    emptyMap<bigint>().changed(
      subjects.map(subject => [subject, 1n]),
      [],
    ),
  );

const snapshot = (of: {
  parent?: string;
  cluster?: string;
  edges?: EdgeSet;
  shardWide?: EdgeSet;
  creator?: string;
}): Snapshot => ({
  ...{ parent: of.parent ?? 'root', name: 'web', shard: 'alpha', upstreamVersion: '1', objectVersion: 1n },
  object: { spec: { cluster: of.cluster ?? 'c-web' } },
  entrance: {
    ...{ cluster: 'c-web', shard: 'alpha', open: true, version: 1n },
    ...{ edges: of.edges ?? NO_EDGES, shardWide: of.shardWide ?? NO_EDGES },
  },
  ...(of.creator !== undefined && { creator: { name: of.creator } }),
});

/** How often each interest is told of an event. */
function told(event: Omit<IndexEvent, 'version'>, ...interests: Interest[]): number[] {
  const followers = new Followers();
  const counts = interests.map(() => 0);
  const stops = interests.map((interest, at) =>
    followers.follow(interest, 1n, () => {
      counts[at] = (counts[at] ?? 0) + 1;
    }),
  );
  expect(followers.tell({ version: 2n, ...event })).toEqual([]);
  for (const stop of [...stops, ...stops]) stop();
  expect([followers.size, followers.scopes]).toEqual([0, 0]);
  return counts;
}

describe('followers', () => {
  test('are told of what their subjects could see before or can see after, once, few or many edges', () => {
    const many = edgesOf(...Array.from({ length: 100 }, (_, at) => `u:${at}`), 'u:ann', 'g:staff');
    for (const edges of [edgesOf('u:ann', 'g:staff'), many]) {
      const interests = [{ subjects: ['u:ann', 'g:staff'] }, { subjects: ['u:bob'] }, { subjects: [] }];
      expect(told({ before: snapshot({ edges }), after: snapshot({}) }, ...interests)).toEqual([1, 0, 0]);
      expect(told({ after: snapshot({ edges, shardWide: edges }) }, ...interests)).toEqual([1, 0, 0]);
    }
  });

  test('are told by logical cluster, by creator, and of everything', () => {
    const after = snapshot({ cluster: 'c-web', creator: 'ann' });
    const none = { subjects: [] };
    const interests = [
      { ...none, clusters: ['c-web'] },
      { ...none, creator: 'ann' },
      {},
      { ...none, clusters: ['c'], creator: 'bob' },
    ];
    expect(told({ after }, ...interests)).toEqual([1, 1, 1, 0]);
  });

  test('are told of their parent only', () => {
    const after = snapshot({ parent: 'root', edges: edgesOf('u:ann') });
    expect(told({ after }, { parent: 'root' }, { parent: 'team' }, { parent: 'team', subjects: ['u:ann'] })).toEqual([1, 0, 0]);
  });

  test('are told nothing that they knew when they came, and nothing after they left, be it within the same event', () => {
    const followers = new Followers();
    const heard: string[] = [];
    followers.follow({}, 2n, () => heard.push('late'));
    const stops = [1, 2].map(() =>
      followers.follow({}, 1n, () => {
        heard.push('one of two');
        for (const stop of stops) stop();
      }),
    );
    followers.tell({ version: 2n, after: snapshot({}) });
    expect(heard).toEqual(['one of two']);
  });

  test('do not keep one another from an event by failing', () => {
    const followers = new Followers();
    let count = 0;
    for (const at of [1, 2, 3]) {
      followers.follow({}, 1n, () => {
        count += 1;
        if (at < 3) throw new Error(`no ${at}`);
      });
    }
    expect(followers.tell({ version: 2n, after: snapshot({}) })).toEqual([new Error('no 1'), new Error('no 2')]);
    expect(count).toBe(3);
  });
});
