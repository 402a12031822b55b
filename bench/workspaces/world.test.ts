import { describe, expect, test } from '@jest/globals';
import { asCaller, identity } from '@kcp-vw/shared/authn/identity.ts';
import { createWorkspaceIndex } from '@kcp-vw/workspaces-vw/index/workspace-index.ts';
import { createIndexSource } from '@kcp-vw/workspaces-vw/sight/index-source.ts';
import { createFeed } from './feed.ts';
import { type Person, SCATTERED, World, type WorldSize } from './world.ts';

const SIZE: WorldSize = { workspaces: 1_000, parents: 8, users: 100, bindings: 200 };

const textOf = (world: World): string =>
  JSON.stringify([...world.objects('workspaces'), ...world.objects('clusterrolebindings'), ...world.objects('logicalclusters')]);

test('two worlds of the same size are the same', () => {
  expect(textOf(new World(SIZE))).toBe(textOf(new World(SIZE)));
});

test('a workspace is what a kcp has, of about 2 KB', () => {
  const lengths = [...new World(SIZE).objects('workspaces')].map(object => JSON.stringify(object).length);
  expect(Math.min(...lengths)).toBeGreaterThan(1_900);
  expect(Math.max(...lengths)).toBeLessThan(2_300);
});

test('every workspace of a larger world is asked for by its number', () => {
  const world = new World(SIZE);
  expect(world.child(17)).toMatchObject({ index: 17, parentPath: 'root:org-01' });
  expect(world.child(world.watched.ten.index)).toBe(world.watched.ten);
  expect(() => world.child(SIZE.workspaces + 500)).toThrow('there is no workspace 1500');
});

test('who sees more workspaces than a parent has sees none', () => {
  expect(new World(SIZE).seenBy(1_000)).toEqual([]);
  expect(new World({ ...SIZE, workspaces: 10_000 }).seenBy(1_000)).toHaveLength(1_000);
});

describe('in an index that holds the world', () => {
  const world = new World(SIZE);
  const index = createWorkspaceIndex();
  const feed = createFeed(world, index);
  const loaded = feed.load();

  async function seenBy({ groups, name }: Person, parent?: string): Promise<number> {
    const sight = await createIndexSource(index).sightOf(asCaller(identity(name, groups), 'certificate'), parent);
    return [...sight.list(parent)].length;
  }
  const first = world.orgs[0]?.cluster ?? '';

  test('there are all workspaces, the parents among them', () => {
    expect(index.stats().workspaces).toBe(SIZE.workspaces + SIZE.parents + 1 + 10 + 3);
    expect(loaded.kept.at(-1)).toHaveLength(index.stats().workspaces);
    expect(index.hasUnresolved()).toBe(false);
  });

  test('everybody who is measured sees what he is to see', async () => {
    expect(await seenBy(world.sees(10), first)).toBe(10);
    expect(await seenBy(world.sees(10))).toBe(10);
    expect(await seenBy(world.sees(100), first)).toBe(100);
    expect(await seenBy(world.scatteredPerson)).toBe(SCATTERED);
    expect(await seenBy(world.member, first)).toBe(world.inFirst + 3);
    expect(await seenBy(world.administrator)).toBe(index.stats().workspaces);
  });

  test('what somebody sees over all parents is in all of them', () => {
    expect(new Set(world.scattered.map(each => world.child(each).parent)).size).toBe(SIZE.parents);
  });

  test('watchers see the workspaces of watchers', async () => {
    const sights = await Promise.all(
      [0, 1, 10, 11].map(async at => {
        const { groups, name } = world.watcher(at);
        const sight = await createIndexSource(index).sightOf(asCaller(identity(name, groups), 'certificate'), first);
        return Object.entries(world.watched).flatMap(([which, child]) => (sight.get(first, child.name) ? [which] : []));
      }),
    );
    expect(sights).toEqual([['all'], ['one', 'ten', 'all'], ['ten', 'all'], ['all']]);
  });

  test('a change that is written is one event', () => {
    const before = index.version;
    feed.prepare({ renew: [world.watched.one.index], revision: 1 })();
    expect([...index.since(before)]).toMatchObject([{ after: { name: 'watched-by-one' } }]);
  });

  test('a binding that comes and goes leaves nothing', () => {
    const { edges } = index.stats();
    feed.bindEach('more', 'cluster-admin', child => [`u:more-${child}`]);
    expect(index.stats().edges).toBe(edges + SIZE.workspaces);
    feed.bindEach('more', 'cluster-admin', undefined);
    expect(index.stats().edges).toBe(edges);
  });

  test('a role is given access and loses it', async () => {
    const { cluster } = world.child(0);
    const guest: Person = { name: 'guest', groups: ['staff', 'system:authenticated'] };
    feed.prepare({ cluster, bind: { name: 'guest', role: 'flip', subjects: ['u:guest'] } })();
    const seen: number[] = [];
    for (const access of [true, false]) {
      feed.prepare({ cluster, role: 'flip', access })();
      seen.push(await seenBy(guest));
    }
    expect(seen).toEqual([1, 0]);
  });
});
