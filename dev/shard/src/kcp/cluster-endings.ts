import { gatewayTimeout } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { resourceKey } from '../store/definition.ts';
import type { Store } from '../store/store.ts';
import type { LogicalCluster } from './objects.ts';
import { LOGICAL_CLUSTERS } from './refs.ts';

type End = (reason: string) => void;

const ALL = '*';

/**
 * Ends what is open in a logical cluster when that is gone, or becomes inactive. Then also what spans all of them ends, which might show it,
 * and whatever is asked of all of them ends at once until any of them becomes active again, as with kcp: deleting the inactive one does not
 * help. One listener of the store for all of it: watches come in thousands.
 */
export class ClusterEndings {
  readonly #ends = new Map<string, Set<End>>();
  #isCut = false;

  constructor(store: Store) {
    const resource = resourceKey(LOGICAL_CLUSTERS);
    store.onChange(change => {
      if (change.resource !== resource) return;
      const { type, cluster } = change;
      const [phase, previous] = [phaseOf(change.object), phaseOf(change.previous)];
      if (type === 'DELETED') this.#end(cluster, `logical cluster ${cluster} deleted`);
      else if (phase === 'Inactive' && previous !== 'Inactive') {
        this.#isCut = true;
        for (const ending of [cluster, ALL]) this.#end(ending, `logical cluster ${cluster} inactive`);
      } else if (phase === 'Ready' && previous === 'Inactive') this.#isCut = false;
    });
  }

  /** Throws a StatusError 504 for a list of all logical clusters that would not come to its end. */
  refuseCut(cluster: string): void {
    if (cluster === ALL && this.#isCut) throw gatewayTimeout('request did not complete within the allotted timeout');
  }

  /** `*`: what spans all logical clusters. Returns how to take it back. */
  until(cluster: string, end: End): () => void {
    const ends = this.#ends.get(cluster) ?? new Set<End>();
    this.#ends.set(cluster, ends.add(end));
    return () => {
      ends.delete(end);
      if (ends.size === 0) this.#ends.delete(cluster);
    };
  }

  #end(cluster: string, reason: string): void {
    const ends = this.#ends.get(cluster) ?? [];
    this.#ends.delete(cluster);
    for (const end of ends) end(reason);
  }
}

const phaseOf = (object: KubeObject | undefined) => (object as LogicalCluster | undefined)?.status?.phase;
