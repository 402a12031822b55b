import { StatusError } from '../kube/errors.ts';
import { BUILT_IN_BODY_TYPES, CUSTOM_BODY_TYPES, decodeObjectBody, type ObjectBody } from '../kube/request-body.ts';
import { withParameter } from '../target/target.ts';
import { type Asking, ask, type Checked, contentTypeOf, readBody } from './checked.ts';
import type { CollectedResponse } from './collect.ts';

/**
 * The object that a create or update sends. Of a body that is none the shard says why: it knows what the resource takes. Throws a
 * StatusError 400 or 415 where it does not.
 */
export async function objectBody(
  checked: Checked,
  method: 'POST' | 'PUT',
): Promise<{ readonly given: ObjectBody } | { readonly response: CollectedResponse }> {
  const { plan, call } = checked;
  const contentType = contentTypeOf(checked);
  const body = await readBody(checked);
  const accepted = plan.customKind === undefined ? BUILT_IN_BODY_TYPES : CUSTOM_BODY_TYPES;
  try {
    return { given: decodeObjectBody(contentType, body, { accepted, kind: plan.customKind ?? call.request.resource }) };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { response: await shardsWords(checked, { method, body, contentType }, error) };
  }
}

export interface GivenBody {
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly body: Buffer;
  readonly contentType: string | undefined;
}

/** What the shard says to a body that is refused here with `error`. Throws that where the shard would take it. */
export async function shardsWords(
  asking: Asking,
  { method, body, contentType }: GivenBody,
  error: StatusError,
): Promise<CollectedResponse> {
  const rawQuery = withParameter(asking.rest.rawQuery, 'dryRun', 'All');
  const response = await ask(asking, { method, rawQuery, body, ...(contentType !== undefined && { contentType }) });
  // Any other answer would be about an object that has not been checked.
  if (!ABOUT_BODIES.has(response.status)) throw error;
  return response;
}

const ABOUT_BODIES: ReadonlySet<number> = new Set([400, 415]);
