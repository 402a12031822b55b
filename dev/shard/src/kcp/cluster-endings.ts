import { resourceKey } from '../store/definition.ts';
import type { Store } from '../store/store.ts';
import { LOGICAL_CLUSTERS } from './refs.ts';

type End = (reason: string) => void;

/** Ends what is open in a logical cluster when that is gone. One listener of the store for all of it: watches come in thousands. */
export class ClusterEndings {
  readonly #ends = new Map<string, Set<End>>();

  constructor(store: Store) {
    const resource = resourceKey(LOGICAL_CLUSTERS);
    store.onChange(change => {
      if (change.type === 'DELETED' && change.resource === resource) this.#end(change.cluster);
    });
  }

  /** Returns how to take it back. What spans all logical clusters ends with none of them. */
  until(cluster: string, end: End): () => void {
    if (cluster === '*') return () => undefined;
    const ends = this.#ends.get(cluster) ?? new Set<End>();
    this.#ends.set(cluster, ends.add(end));
    return () => {
      ends.delete(end);
      if (ends.size === 0) this.#ends.delete(cluster);
    };
  }

  #end(cluster: string): void {
    const ends = this.#ends.get(cluster) ?? [];
    this.#ends.delete(cluster);
    for (const end of ends) end(`logical cluster ${cluster} deleted`);
  }
}
