import { describe, expect, test } from '@jest/globals';
import type { Entrance, Snapshot } from './index/snapshot.ts';
import { clusterAt } from './parents.ts';

/** `root` with `org`, in which are `team` and a mount; the home of alice, with `project`. */
const CHILDREN: Readonly<Record<string, string | undefined>> = {
  'root/org': 'c-org',
  'c-org/team': 'c-team',
  'c-org/mount': '',
  'c-org/lost': 'c-nowhere',
  'v1u4alow0iv9/project': 'c-project',
};
const CLUSTERS = ['root', 'c-org', 'c-team', 'c-project', 'v1u4alow0iv9'];

const index = {
  find: (parent: string, name: string) => {
    const cluster = CHILDREN[`${parent}/${name}`];
    return cluster === undefined ? undefined : ({ object: { spec: { cluster } } } as unknown as Snapshot);
  },
  entrance: (cluster: string) => (CLUSTERS.includes(cluster) ? ({ cluster } as Entrance) : undefined),
};

describe('the logical cluster of a path', () => {
  test.each([
    ['root', 'root'],
    ['root:org', 'c-org'],
    ['root:org:team', 'c-team'],
    ['c-org', 'c-org'],
    ['c-org:team', 'c-team'],
    ['user:alice', 'v1u4alow0iv9'],
    ['user:alice:project', 'c-project'],
  ])('%s is %s', (path, cluster) => {
    expect(clusterAt(path, index)).toBe(cluster);
  });

  test.each([
    ['a workspace that is not there', 'root:other'],
    ['what is below one that is not there', 'root:other:team'],
    ['a workspace that no shard has the content of', 'root:org:lost'],
    ['a mount', 'root:org:mount'],
    ['what is below a mount', 'root:org:mount:team'],
    ['a logical cluster that no shard has', 'c-unknown'],
    ['the home of somebody who has none', 'user:bob'],
    ['no user', 'user'],
    ['a user without a name', 'user:'],
    ['a path that ends in a colon', 'root:'],
    ['a path that begins with one', ':org'],
    ['an empty path', ''],
    ['everything', '*'],
    ['a logical cluster of kcp itself', 'system:admin'],
  ])('is none of %s', (_, path) => {
    expect(clusterAt(path, index)).toBeUndefined();
  });
});
