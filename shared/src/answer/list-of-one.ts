import { notAcceptable } from '../kube/errors.ts';
import { OBJECT_OFFERS, wantedTransform } from '../kube/media-type.ts';
import { headerValue } from '../listener/headers.ts';
import type { Execution } from './execution.ts';

/** Throws a StatusError 406 where one object is asked for as the metadata of a list: a shard answers that with 500. */
export function refuseListOfOne({ exchange, call }: Pick<Execution, 'exchange' | 'call'>): void {
  if (!call.request.isResourceRequest || call.request.verb !== 'get') return;
  const accept = headerValue(exchange.headers, 'accept');
  // Few ask for a list of metadata at all: only they are read.
  if (!accept?.includes('PartialObjectMetadataList')) return;
  if (wantedTransform(accept)?.kind === 'PartialObjectMetadataList') {
    throw notAcceptable(OBJECT_OFFERS.map(({ mediaType }) => mediaType));
  }
}
