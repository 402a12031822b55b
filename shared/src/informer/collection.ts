import type { KubeList, KubeObject } from '../kube/objects.ts';
import type { Collection, CollectionDefinition } from '../view/collection.ts';
import { EventWindow, type EventWindowOptions } from './event-window.ts';
import { position, sortKey } from './sort-key.ts';

export type { CollectionDefinition } from '../view/collection.ts';

/**
 * A collection that its owner fills. It has versions of its own: an object carries that of its last change here, whatever it carried
 * before, so that a client may resume from the version of any object, event or list that it saw.
 */
export interface MutableCollection<T extends KubeObject = KubeObject> extends Collection<T> {
  readonly size: number;
  readonly resourceVersion: string;
  /** Adds `object`, or puts it in the place of the one with its logical cluster, namespace and name. */
  set(object: T): void;
  /** Takes the object with the identity of `object` out; nothing happens when there is none. */
  delete(object: KubeObject): void;
  list(): KubeList<T> & { metadata: { resourceVersion: string } };
}

export function createCollection<T extends KubeObject>(
  definition: CollectionDefinition,
  options: EventWindowOptions = {},
): MutableCollection<T> {
  const { apiVersion, kind, group, resource, columns, fields } = definition;
  const window = new EventWindow<T>(options);
  const byKey = new Map<string, T>();
  /** Namespace and name → sort keys: more than one only over several logical clusters. */
  const byName = new Map<string, string[]>();
  const keys: string[] = [];
  let items: T[] = [];
  /** The arrays have been given away: they must be copied before they change. Snapshots thus cost nothing while nothing changes. */
  let shared = false;

  const own = (): void => {
    if (!shared) return;
    items = [...items];
    shared = false;
  };
  const stamped = (object: T, resourceVersion: string): T => ({ ...object, metadata: { ...object.metadata, resourceVersion } });
  const nameKey = (name: string, namespace: string): string => `${namespace}/${name}`;
  const nameKeyOf = ({ metadata }: KubeObject): string => nameKey(metadata?.name ?? '', metadata?.namespace ?? '');

  return {
    apiVersion,
    kind,
    group,
    resource,
    columns,
    ...(fields && { fields }),
    get size() {
      return items.length;
    },
    get resourceVersion() {
      return window.resourceVersion;
    },
    list() {
      shared = true;
      return { apiVersion, kind: `${kind}List`, metadata: { resourceVersion: window.resourceVersion }, items };
    },
    get(name, namespace) {
      const [key] = byName.get(nameKey(name, namespace)) ?? [];
      return key === undefined ? undefined : byKey.get(key);
    },
    watch: (resourceVersion, listener) => window.watch(resourceVersion, listener),
    set(object) {
      const key = sortKey(object);
      const previous = byKey.get(key);
      window.append(resourceVersion => {
        const current = stamped(object, resourceVersion);
        own();
        const { index } = position(keys, key);
        if (previous) items[index] = current;
        else {
          keys.splice(index, 0, key);
          items.splice(index, 0, current);
          byName.set(nameKeyOf(object), [...(byName.get(nameKeyOf(object)) ?? []), key].sort());
        }
        byKey.set(key, current);
        return previous ? { type: 'MODIFIED', object: current, previous } : { type: 'ADDED', object: current };
      });
    },
    delete(object) {
      const key = sortKey(object);
      const previous = byKey.get(key);
      if (!previous) return;
      window.append(resourceVersion => {
        own();
        const { index } = position(keys, key);
        keys.splice(index, 1);
        items.splice(index, 1);
        byKey.delete(key);
        const others = (byName.get(nameKeyOf(object)) ?? []).filter(other => other !== key);
        if (others.length > 0) byName.set(nameKeyOf(object), others);
        else byName.delete(nameKeyOf(object));
        return { type: 'DELETED', object: stamped(previous, resourceVersion), previous };
      });
    },
  };
}
