import { internalError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ViewWrite, ViewWritePlan } from '@kcp-vw/shared/view/view-write.ts';
import { asShown, type Seen } from '../transform/as-seen.ts';
import { type SyncerWrite, writePlan } from '../transform/write-plan.ts';

/** What a syncer writes to, whatever it is that it writes. */
export type SyncerWritten = Pick<SyncerWrite, 'of' | 'name' | 'key'>;

/** A syncer's write through the view as what the shard is asked for. */
export function syncerWritePlan({ subresource, stored, submitted }: ViewWrite, written: SyncerWritten): ViewWritePlan {
  const plan = writePlan({ ...written, subresource: subresource === 'status' ? 'status' : '', stored, submitted });
  if ('refusal' in plan) return plan;
  return {
    steps: plan.puts.map(({ put, object }) => ({ subresource: put === 'status' ? 'status' : '', object })),
    answer: final => answered(plan.answer(final), final, written),
  };
}

/**
 * The shard has stored it. If it did so together with the end of the assignment, which an admission plugin may do, this is still the
 * syncer's own write, of what it has seen.
 */
function answered(seen: Seen, final: KubeObject, { of, name, key }: SyncerWritten): KubeObject {
  const shown = 'hidden' in seen ? asShown(final, key) : seen;
  if ('seen' in shown) return shown.seen;
  const reason = 'broken' in shown ? shown.broken : 'it is not assigned to this SyncTarget any more';
  throw internalError(`${of.resource} "${name}" is written, and cannot be shown: ${reason}`);
}
