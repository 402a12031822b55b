import { withParameter } from '../target/target.ts';
import { type Attempt, admitted, ask, type Checked, conclude, findVisible, modified } from './checked.ts';
import { objectBody } from './checked-body.ts';
import { sendCollected } from './collect.ts';

/**
 * Replaces an object that the caller sees, if the guard admits it. The PUT carries the uid and the resourceVersion of the object that was
 * inspected, so that it can replace no other, and makes none.
 */
export async function updateChecked(checked: Checked): Promise<void> {
  const sent = await objectBody(checked, 'PUT');
  if ('response' in sent) return sendCollected(checked.exchange, sent.response);
  const { given } = sent;
  const { uid, resourceVersion = '' } = given.object.metadata ?? {};
  const unconditional = UNCONDITIONAL.includes(resourceVersion);

  await conclude(checked, async (): Promise<Attempt> => {
    const found = await findVisible(checked);
    if ('response' in found) return found;
    const stored = found.object;
    if (unconditional) {
      // Custom resources know no update without a version, others do: the shard says so before we give it one.
      const rawQuery = withParameter(checked.rest.rawQuery, 'dryRun', 'All');
      const response = await ask(checked, { method: 'PUT', rawQuery, body: given.encode(), contentType: given.contentType });
      if (response.status >= 300) return { response, retry: false };
    } else if (resourceVersion !== stored.metadata?.resourceVersion) {
      // One that is valid by the time it is sent would replace an object that was never inspected.
      throw modified(checked);
    }
    const labels = admitted(checked, { operation: 'update', stored, proposed: given.object });
    const body = given.encode({ labels, ...inspected(stored.metadata, uid) });
    const { rawQuery } = checked.rest;
    const response = await ask(checked, { method: 'PUT', rawQuery, body, contentType: given.contentType });
    return { response, retry: unconditional && response.status === 409 };
  });
}

/** `resourceVersion`s of an update that replaces whatever is there (`etcd3.APIObjectVersioner`). */
const UNCONDITIONAL: readonly string[] = ['', '0'];

/** The caller's own uid stays: if it is another's, the shard refuses. */
function inspected(
  stored: { readonly uid?: string; readonly resourceVersion?: string } = {},
  given: string | undefined,
): { uid?: string; resourceVersion?: string } {
  const uid = given || stored.uid;
  return {
    ...(uid !== undefined && { uid }),
    ...(stored.resourceVersion !== undefined && { resourceVersion: stored.resourceVersion }),
  };
}
