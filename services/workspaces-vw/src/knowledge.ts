import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import type { Freshness } from './feed/freshness.ts';
import type { WorkspaceIndex } from './index/snapshot.ts';

/** Seconds after which somebody may ask again who gets no answer now. */
const RETRY_SECONDS = 2;
const NOT_NOW = 'workspaces cannot be shown now: not every shard that has to do with them is heard from';

/** Whether an answer can be made from what is known. A list that misses what has not been heard of would look complete. */
export interface Knowledge {
  /** Throws a StatusError 503 when not all is known that an answer about the parent needs; without one, about anything. */
  require(parent?: string): void;
  /** Calls `end`, once, when that is no longer so; returns how to stop listening. */
  until(parent: string | undefined, end: (reason: string) => void): () => void;
}

export function createKnowledge(
  index: Pick<WorkspaceIndex, 'shardsOf' | 'hasUnresolved'>,
  freshness: Pick<Freshness, 'whyNot' | 'onStale'>,
): Knowledge {
  function whyNot(parent: string | undefined): string | undefined {
    if (parent === undefined) return freshness.whyNot('all');
    const reason = freshness.whyNot(index.shardsOf(parent));
    if (reason !== undefined) return reason;
    // A logical cluster that is on no shard we know may be on one that we do not hear from.
    return index.hasUnresolved(parent) ? freshness.whyNot('all') : undefined;
  }
  return {
    require(parent) {
      // Which shard it is stands in the log: it is nobody's business who only asks for workspaces.
      if (whyNot(parent) !== undefined) throw serviceUnavailable(NOT_NOW, RETRY_SECONDS);
    },
    until: (parent, end) =>
      freshness.onStale(() => {
        if (whyNot(parent) !== undefined) end(NOT_NOW);
      }),
  };
}
