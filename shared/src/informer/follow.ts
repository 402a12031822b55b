import type { KubeObject } from '../kube/objects.ts';
import { type CollectionDefinition, createCollection, type MutableCollection } from './collection.ts';
import type { EventWindowOptions } from './event-window.ts';
import type { Informer } from './informer.ts';

export interface Following<U extends KubeObject> {
  readonly collection: MutableCollection<U>;
  stop(): void;
}

/**
 * A collection made of an informer's objects, and kept so. `view` is pure: the object as the collection shows it, with the same name,
 * namespace and logical cluster, or undefined to leave it out.
 */
export function followInformer<T extends KubeObject, U extends KubeObject>(
  informer: Pick<Informer<T>, 'list' | 'onEvent'>,
  definition: CollectionDefinition,
  view: (object: T) => U | undefined,
  options: EventWindowOptions = {},
): Following<U> {
  const collection = createCollection<U>(definition, options);
  for (const object of informer.list()) {
    const shown = view(object);
    if (shown) collection.set(shown);
  }
  const stop = informer.onEvent(({ type, object }) => {
    const shown = type === 'DELETED' ? undefined : view(object);
    if (shown) collection.set(shown);
    else collection.delete(object);
  });
  return { collection, stop };
}
