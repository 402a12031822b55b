import { badRequest, methodNotAllowed } from '../kube/errors.ts';
import { matchesLabels, parseLabelSelector } from '../kube/selectors.ts';
import { hasEncodedSlash } from '../target/target.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import type { Forward, Guard } from '../view/view.ts';
import { admitted, type Checked, findVisible, refOf } from './checked.ts';
import { createChecked } from './checked-create.ts';
import { deleteChecked } from './checked-delete.ts';
import { getVisible } from './checked-get.ts';
import { patchChecked } from './checked-patch.ts';
import { updateChecked } from './checked-update.ts';
import { sendCollected } from './collect.ts';
import type { Execution } from './execution.ts';
import { statusOf } from './relay.ts';

/** Verbs of collections: of these the selector decides, which the shard applies. */
const OF_COLLECTIONS: ReadonlySet<string> = new Set(['list', 'watch', 'deletecollection']);

/**
 * Executes a request for one object under what the plan says of single objects. `stream` sends the caller's own bytes, which is what
 * happens wherever nothing has to be checked.
 */
export async function executeGuarded(execution: Execution, plan: Forward, stream: () => Promise<void>): Promise<void> {
  const { call, rest, shard } = execution;
  const guard = guardOf(plan);
  if (guard === undefined || !call.request.isResourceRequest || OF_COLLECTIONS.has(call.request.verb)) return stream();
  // Where an encoded slash separates name and subresource, the shard may read another path than is checked.
  if (rest.segments.some(hasEncodedSlash)) throw badRequest('the request target is not accepted: it has an encoded slash');
  try {
    return await executeChecked({ ...execution, plan, guard }, stream);
  } catch (error) {
    throw error instanceof UpstreamError ? statusOf(error, shard) : error;
  }
}

/** A selector holds of single objects, too: a shard ignores it there. */
function guardOf({ guard, select }: Forward): Guard | undefined {
  if (select === undefined || select === '' || guard?.visible) return guard;
  const requirements = parseLabelSelector(select);
  return { ...guard, visible: ({ metadata }) => matchesLabels(requirements, metadata?.labels) };
}

/** Throws a StatusError, or an UpstreamError where the shard gave no answer. */
export async function executeChecked(checked: Checked, stream: () => Promise<void>): Promise<void> {
  const { guard, plan, call } = checked;
  const { verb, subresource } = call.request;
  const decidesOnStored = guard.visible !== undefined || guard.admit !== undefined;
  if (!['', 'status'].includes(subresource)) return decidesOnStored ? throughObject(checked, stream) : stream();
  switch (verb) {
    case 'get':
      return guard.visible ? getVisible(checked) : stream();
    case 'create':
      return guard.admit ? createChecked(checked) : stream();
    case 'update':
      // Some built-in resources are made by a PUT, custom ones never.
      return decidesOnStored || (guard.mayCreate && plan.customKind === undefined) ? updateChecked(checked) : stream();
    case 'patch':
      return patchChecked(checked, stream);
    case 'delete':
      return decidesOnStored ? deleteChecked(checked) : stream();
    default:
      throw methodNotAllowed(refOf(checked), verb);
  }
}

/** Other subresources (`scale`, `token`) are no objects of the resource: the object they belong to decides, and has the same labels after. */
async function throughObject(checked: Checked, stream: () => Promise<void>): Promise<void> {
  const found = await findVisible(checked);
  if ('response' in found) return sendCollected(checked.exchange, found.response);
  const { object } = found;
  if (checked.call.request.verb !== 'get') admitted(checked, { operation: 'update', stored: object, proposed: object });
  return stream();
}
