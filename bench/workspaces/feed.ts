/** A feed without a shard: the objects come from the world, and go the way of those that a list or a watch brings. */
import { type Kept, resourceFeeds } from '@kcp-vw/workspaces-vw/feed/resource-feeds.ts';
import type { IndexWriter } from '@kcp-vw/workspaces-vw/index/facts.ts';
import { clusterRole, clusterRoleBinding, workspace } from './objects.ts';
import type { Write } from './protocol.ts';
import type { Resource, World } from './world.ts';

export const SHARD = 'root';

/** In this order: the workspaces come last, since the identity of their export has to be found out first. */
const ORDER: readonly Resource[] = ['clusterroles', 'clusterrolebindings', 'logicalclusters', 'workspaces'];

export interface Loaded {
  /** That the index took, by resource. */
  readonly milliseconds: Readonly<Record<Resource, number>>;
  /** Characters of all workspaces as they came. */
  readonly text: number;
  /** What informers hold on to. */
  readonly kept: readonly (readonly Kept[])[];
}

export interface SyntheticFeed {
  /** One batch for each resource, as the first lists of a feed's informers are. */
  load(): Loaded;
  /** Makes what a shard would send; what is returned takes it in as it comes over the wire. */
  prepare(write: Write): () => void;
  /** A binding with these subjects in each workspace; none: it goes. One batch. */
  bindEach(name: string, role: string, subjectsOf: ((index: number) => readonly string[]) | undefined): void;
}

export function createFeed(world: World, index: IndexWriter): SyntheticFeed {
  const feeds = resourceFeeds(SHARD, index);

  function bind(cluster: string, grant: Parameters<typeof clusterRoleBinding>[1]): void {
    const { keep, write } = feeds.clusterrolebindings;
    const object = keep(clusterRoleBinding(cluster, grant));
    if (grant.subjects.length > 0) write({ type: 'ADDED', object });
    else write({ type: 'DELETED', object, previous: { ...object, facts: { role: grant.role, subjects: [] } } });
  }

  return {
    load() {
      const milliseconds: Partial<Record<Resource, number>> = {};
      const kept: Kept[][] = [];
      let text = 0;
      for (const resource of ORDER) {
        const { keep, write } = feeds[resource];
        const objects: Kept[] = [];
        for (const object of world.objects(resource)) {
          const came = JSON.stringify(object);
          if (resource === 'workspaces') text += came.length;
          // Parsed, as what comes over the wire: its strings are its own.
          objects.push(keep(JSON.parse(came)));
        }
        const began = performance.now();
        index.batch(() => {
          for (const object of objects) write({ type: 'ADDED', object });
        });
        milliseconds[resource] = performance.now() - began;
        kept.push(objects);
      }
      return { milliseconds: milliseconds as Loaded['milliseconds'], text, kept };
    },
    prepare(write) {
      if ('renew' in write) {
        const texts = write.renew.map(index => JSON.stringify(workspace(world.child(index), write.revision)));
        return () => {
          for (const text of texts) feeds.workspaces.write({ type: 'MODIFIED', object: feeds.workspaces.keep(JSON.parse(text)) });
        };
      }
      if ('bind' in write) return () => bind(write.cluster, write.bind);
      const rules = write.access ? [{ nonResourceURLs: ['/'], verbs: ['access'] }] : [];
      const object = feeds.clusterroles.keep(clusterRole(write.cluster, write.role, rules));
      const previous = { ...object, facts: { access: !write.access } };
      return () => feeds.clusterroles.write({ type: 'MODIFIED', object, previous });
    },
    bindEach(name, role, subjectsOf) {
      index.batch(() => {
        for (let child = 0; child < world.size.workspaces; child += 1) {
          bind(world.child(child).cluster, { name, role, subjects: subjectsOf?.(child) ?? [] });
        }
      });
    },
  };
}
