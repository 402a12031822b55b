import { unsupportedMediaType } from '../kube/errors.ts';
import { alreadyExists, ask, type Checked, contentTypeOf, find, hidden, readBody, refOf } from './checked.ts';
import { sendCollected } from './collect.ts';
import { conditionalApply } from './conditional-apply.ts';
import { patchInspected } from './inspected-patch.ts';

export const APPLY_PATCH = 'application/apply-patch+yaml';
/** As an API server takes patches. `apply-patch+cbor` is not among them: what it would make could not be decided here. */
const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  APPLY_PATCH,
];

/** Without its parameters. Throws a StatusError 415: a patch has no type that it is of by default. */
export function patchTypeOf(contentType: string | undefined): string {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!PATCH_TYPES.includes(type)) throw unsupportedMediaType(PATCH_TYPES);
  return type;
}

/** Patches an object as the guard allows it. `stream` sends the caller's own bytes, which are untouched until then. */
export async function patchChecked(checked: Checked, stream: () => Promise<void>): Promise<void> {
  const { exchange, guard, call, rest } = checked;
  const contentType = patchTypeOf(contentTypeOf(checked));
  const isApply = contentType === APPLY_PATCH;
  // No apply makes the status of what is missing.
  const mayMake = isApply && call.request.subresource === '';
  if (guard.admit) return patchInspected(checked, { contentType, isApply, mayMake });

  const refusal = mayMake ? await guard.mayCreate?.() : undefined;
  if (!guard.visible && !refusal) return stream();
  const found = await find(checked);
  if (found.is === 'hidden') throw mayMake ? alreadyExists(checked) : hidden(checked);
  if (found.is === 'refused' || (found.is === 'missing' && !mayMake)) return sendCollected(exchange, found.response);
  if (!refusal) return stream();
  if (found.is === 'missing') throw refusal;
  // With its uid the apply makes none where the object has gone by now.
  const { uid = '' } = found.object.metadata ?? {};
  const body = conditionalApply(await readBody(checked), refOf(checked).resource, { uid });
  sendCollected(exchange, await ask(checked, { method: 'PATCH', rawQuery: rest.rawQuery, body, contentType }));
}
