import { JSON_MEDIA_TYPE, negotiate, OBJECT_OFFERS } from '../kube/media-type.ts';
import { wantsPretty } from '../kube/pretty.ts';
import { headerValue, headerValues } from '../listener/headers.ts';
import type { Transform } from '../view/view.ts';
import type { Execution } from './execution.ts';
import { type Representation, represent } from './serve-representation.ts';

/**
 * How the caller is shown what the shard answers in JSON: in another form, which is made here. Undefined: as it comes, or in a form that
 * the shard makes. Throws a StatusError 406 for forms that nobody makes.
 */
export function formMadeHere(
  { exchange, call }: Pick<Execution, 'exchange' | 'call'>,
  plan: Pick<Transform, 'of' | 'reads'>,
  verb: 'get' | 'list' | 'watch',
): Representation | undefined {
  if (plan.of === undefined || plan.reads !== 'object') return undefined;
  const representation = represent(exchange, verb, call.query, plan.of);
  const accept = headerValues(exchange.headers, 'accept').join(',');
  const { mediaType, as, pretty } = negotiate(accept || undefined, OBJECT_OFFERS);
  const isIndented = pretty || wantsPretty(headerValue(exchange.headers, 'user-agent'), call.query);
  return mediaType === JSON_MEDIA_TYPE && as === undefined && !isIndented ? undefined : representation;
}
