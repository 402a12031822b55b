import { unsupportedMediaType } from '../kube/errors.ts';
import { acceptedType, CUSTOM_BODY_TYPES, CUSTOM_PATCH_TYPES } from '../kube/request-body.ts';
import { headerValue } from '../listener/headers.ts';
import type { Forward } from '../view/view.ts';
import type { Execution } from './execution.ts';

/**
 * Throws a StatusError 415 for a write to a custom resource in a form that none takes. It is said here, since a shard of kcp breaks the
 * connection over protobuf for a custom resource instead of answering.
 */
export function requireCustomBody(
  { exchange, call }: Pick<Execution, 'exchange' | 'call'>,
  plan: Pick<Forward, 'customKind'>,
): void {
  const { isResourceRequest, verb } = call.request;
  if (plan.customKind === undefined || !isResourceRequest) return;
  const contentType = headerValue(exchange.headers, 'content-type');
  if (verb === 'create' || verb === 'update') acceptedType(contentType, CUSTOM_BODY_TYPES);
  if (verb !== 'patch') return;
  // A patch has no type that it is of by default.
  if (!contentType) throw unsupportedMediaType(CUSTOM_PATCH_TYPES);
  acceptedType(contentType, CUSTOM_PATCH_TYPES);
}
