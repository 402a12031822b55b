import { type RelayOptions, type RelayOutcome, relay } from '../answer/relay.ts';
import type { Exchange } from '../listener/exchange.ts';
import type { Upstream, UpstreamRequest } from '../upstream/upstream.ts';
import { tunnel } from './tunnel.ts';

/** What a request to upgrade and any other have in common on their way to an upstream. */
export type CarryOptions = Pick<RelayOptions, 'head' | 'until' | 'unsent'>;

/** Takes a request to an upstream as it asks to be: through a tunnel where it is to upgrade, else as request and response. */
export const carry = (
  exchange: Exchange,
  upstream: Upstream,
  request: UpstreamRequest,
  options: CarryOptions,
): Promise<RelayOutcome> => (exchange.upgrade ? tunnel : relay)(exchange, upstream, request, options);
