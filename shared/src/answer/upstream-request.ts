import { impersonationHeaders } from '../authn/impersonation.ts';
import { internalError } from '../kube/errors.ts';
import { jsonOnlyAccept } from '../kube/media-type.ts';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue, withoutHeaders } from '../listener/headers.ts';
import type { RequestInfo } from '../target/request-info.ts';
import { andLabelSelector, type Target } from '../target/target.ts';
import type { Call, Forward, Transform } from '../view/view.ts';
import { forwardedRequestHeaders } from './forwarded-headers.ts';

/** `/clusters/<cluster>` plus the caller's path and query, in the caller's bytes but for the label selector. */
export function upstreamPath(call: Call, rest: Target, plan: Pick<Forward, 'cluster' | 'select'>): string {
  const query = plan.select === undefined ? rest.rawQuery : andLabelSelector(rest.rawQuery, plan.select);
  const name = plan.cluster ?? call.scope.cluster ?? '';
  if (name === '') throw internalError('the plan names no logical cluster');
  const cluster = encodeClusterSegment(name);
  return `/clusters/${cluster}${rest.rawPath}${query && `?${query}`}`;
}

/** Cluster names and `*` stand as they are; nothing else may change the path's shape. */
function encodeClusterSegment(cluster: string): string {
  return encodeURIComponent(cluster).replaceAll('%3A', ':').replaceAll('%2A', '*');
}

export function upstreamHeaders(exchange: Exchange, plan: Pick<Forward, 'as'>): string[] {
  const headers = forwardedRequestHeaders(exchange);
  return plan.as ? [...headers, ...impersonationHeaders(plan.as)] : headers;
}

export function contentLengthOf(exchange: Exchange): number | undefined {
  const value = headerValue(exchange.headers, 'content-length');
  return value === undefined ? undefined : Number(value);
}

/** What Kubernetes' API server exempts from its request timeout: watches, followed logs and connections. */
export function isLongRunning(request: RequestInfo, query: URLSearchParams): boolean {
  if (request.verb === 'watch') return true;
  if (request.subresource === 'log') return /^(1|t|true)$/i.test(query.get('follow') ?? '');
  return ['attach', 'exec', 'proxy', 'portforward'].includes(request.subresource);
}

/** What can be parsed here: JSON (with its `as=Table` forms), plain or gzip. */
export function readableHeaders(exchange: Exchange, plan: Transform, encoding = 'gzip'): string[] {
  const headers = withoutHeaders(upstreamHeaders(exchange, plan), name => name === 'accept' || name === 'accept-encoding');
  const accept = jsonOnlyAccept(headerValue(exchange.headers, 'accept'));
  return [...headers, 'accept', plan.reads === 'object' ? 'application/json' : accept, 'accept-encoding', encoding];
}
