import { StatusError } from '../kube/errors.ts';
import { type Checked, refOf } from './checked.ts';
import type { CollectedResponse } from './collect.ts';

/**
 * The refusal of a patch whose result is no object of its kind, such as one with a text for a list: kcp's admission converts the object
 * before the shard validates it, and answers 500. Undefined for any other answer.
 */
export function unconvertible(checked: Checked, { body, status }: CollectedResponse): StatusError | undefined {
  if (status !== 500) return undefined;
  const [, message, kind] = /"message":"(failed to convert unstructured to (\w+): [^"\\]*)"/.exec(body.toString()) ?? [];
  if (message === undefined || kind === undefined) return undefined;
  const { group } = refOf(checked);
  const { name } = checked.call.request;
  return new StatusError('Invalid', `${group ? `${kind}.${group}` : kind} "${name}" is invalid: ${message}`, {
    name,
    ...(group && { group }),
    kind,
  });
}
