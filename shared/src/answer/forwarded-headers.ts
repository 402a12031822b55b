import type { Exchange } from '../listener/exchange.ts';
import { HeaderNames, headerValue, type RawHeaders, withoutHeaders } from '../listener/headers.ts';
import { traceHeaders } from '../observe/trace.ts';
import { connectionNominated, isHopByHop } from '../upstream/hop-by-hop.ts';

/** Counts the proxies a request has passed, ours and kcp's (its virtual-resource proxy uses this name and this limit). */
export const HOPS_HEADER = 'x-kcp-virtual-resource-hops';
export const MAX_HOPS = 4;

const FORWARDED_FOR = 'x-forwarded-for';

/** Not subject to `Connection`: a client could have its request go by another ID in each log, and by none at the shard. */
const AUDIT_ID = 'audit-id';

/**
 * The request headers that travel upstream: content negotiation, preconditions, and what names the client and the request in logs and
 * traces. All others stay behind, above all the identity headers, also those that nobody has invented yet.
 */
const LISTS = new HeaderNames([
  'accept',
  'accept-encoding',
  'accept-language',
  'baggage',
  'cache-control',
  'if-match',
  'if-none-match',
]);

/** Of these the first counts, as it does for Go's servers; two of them would be refused by HTTP/2. */
const SINGLE = new HeaderNames([
  AUDIT_ID,
  'content-encoding',
  'content-type',
  'if-modified-since',
  'if-unmodified-since',
  'kubectl-command',
  'kubectl-session',
  // Unchanged: kcp indents JSON for curl, Wget and browsers by their User-Agent.
  'user-agent',
  'x-request-id',
]);

/**
 * The headers of a client's request for the next hop, names in lower case. What `Connection` nominates is gone before anything is
 * added, so that a client cannot have the headers removed that a later hop relies on.
 */
export function forwardedRequestHeaders(exchange: Exchange): string[] {
  const { headers, peer } = exchange;
  const nominated = connectionNominated(headers);
  const kept: string[] = [];
  const forwardedFor: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    if (nominated.has(name) && name !== AUDIT_ID) continue;
    if (name === FORWARDED_FOR) forwardedFor.push(value);
    // Among the few that are kept a second one is found sooner than in a set of their own.
    else if (LISTS.has(name) || (SINGLE.has(name) && headerValue(kept, name) === undefined)) kept.push(name, value);
  }
  if (peer.address !== 'unix') forwardedFor.push(peer.address.replace(/^::ffff:(?=\d+\.)/, ''));
  if (forwardedFor.length > 0) kept.push(FORWARDED_FOR, forwardedFor.join(', '));
  kept.push(...traceHeaders(headers), HOPS_HEADER, String(nextHop(headers)));
  return kept;
}

/** Not subject to `Connection`: a loop must not be able to hide. A value that is no number counts as the last hop. */
function nextHop(headers: RawHeaders): number {
  const passed = headerValue(headers, HOPS_HEADER) ?? '0';
  return /^\d{1,3}$/.test(passed) ? Number(passed) + 1 : MAX_HOPS;
}

/** Would speak for our host in the name of another: cookies, and other addresses to reach it at. */
const NOT_FOR_CLIENTS = new HeaderNames(['alt-svc', 'set-cookie']);

/** The headers of an upstream's response for the client, content-length included. */
export function forwardedResponseHeaders(headers: RawHeaders): string[] {
  return withoutHeaders(headers, name => isHopByHop(name) || NOT_FOR_CLIENTS.has(name));
}
