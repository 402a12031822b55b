import { decodeDeleteOptions, unmetPrecondition } from '../kube/delete-options.ts';
import { conflict } from '../kube/errors.ts';
import { type Attempt, admitted, ask, type Checked, conclude, contentTypeOf, findVisible, readBody, refOf } from './checked.ts';

/** Deletes an object that the caller sees, if the guard admits it: exactly the one that was inspected. */
export async function deleteChecked(checked: Checked): Promise<void> {
  const { call, rest } = checked;
  const options = decodeDeleteOptions(contentTypeOf(checked), await readBody(checked), rest.query);

  await conclude(checked, async (): Promise<Attempt> => {
    const found = await findVisible(checked);
    if ('response' in found) return found;
    const { kind, metadata = {} } = found.object;
    const unmet = unmetPrecondition(options.preconditions, metadata);
    if (unmet !== undefined) {
      const { group, resource } = refOf(checked);
      throw conflict({ group, resource: kind ?? resource }, call.request.name, unmet);
    }
    admitted(checked, { operation: 'delete', stored: found.object });
    const { uid, resourceVersion } = metadata;
    const preconditions = { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) };
    const body = options.withPreconditions(preconditions);
    const { rawQuery } = rest;
    const response = await ask(checked, { method: 'DELETE', rawQuery, body, contentType: options.contentType });
    return { response, retry: response.status === 409 && options.preconditions.resourceVersion === undefined };
  });
}
