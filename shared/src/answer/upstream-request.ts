import { impersonationHeaders } from '../authn/impersonation.ts';
import { internalError, resourceNotServed } from '../kube/errors.ts';
import { jsonOnlyAccept } from '../kube/media-type.ts';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue, withoutHeaders } from '../listener/headers.ts';
import type { RequestInfo } from '../target/request-info.ts';
import { andLabelSelector, type Target } from '../target/target.ts';
import type { Call, Forward, Transform } from '../view/view.ts';
import { forwardedRequestHeaders } from './forwarded-headers.ts';

/** Of a plan, what decides where a request goes. */
export type Destination = Pick<Forward, 'cluster' | 'select' | 'identity'>;

/** `/clusters/<cluster>` plus the caller's path and query, in the caller's bytes but for the identity and the label selector. */
export function upstreamPath(call: Call, rest: Target, plan: Destination): string {
  const query = plan.select === undefined ? rest.rawQuery : andLabelSelector(rest.rawQuery, plan.select);
  const name = plan.cluster ?? call.scope.cluster ?? '';
  if (name === '') throw internalError('the plan names no logical cluster');
  const cluster = encodeClusterSegment(name);
  const path = plan.identity === undefined ? rest.rawPath : pathWithIdentity(call.request, rest, plan.identity);
  return `/clusters/${cluster}${path}${query && `?${query}`}`;
}

/** `…/cowboys/x` as `…/cowboys:<identity>/x`. Throws a StatusError 404 where the caller names an identity: it is the plan's to say. */
function pathWithIdentity(
  { resource, parts }: RequestInfo,
  { rawPath, rawSegments, segments }: Target,
  identity: string,
): string {
  if (parts.length === 0) return rawPath;
  let depth = segments.length - parts.length;
  for (const segment of segments) if (segment.includes('/')) depth += segment.split('/').length - 1;
  // A slash encoded before the resource would shift it; the view host has refused such a path already.
  if (segments[depth] !== resource || resource.includes(':')) throw resourceNotServed();
  // Nothing is empty between two slashes, so what stands before is as long as its segments with a slash before each.
  let end = 0;
  for (let i = 0; i <= depth; i++) end += 1 + (rawSegments[i] as string).length;
  return `${rawPath.slice(0, end)}:${encodeURIComponent(identity)}${rawPath.slice(end)}`;
}

const PLAIN_CLUSTER = /^[a-z0-9:-]+$/;

/** Cluster names and `*` stand as they are; nothing else may change the path's shape. */
function encodeClusterSegment(cluster: string): string {
  if (PLAIN_CLUSTER.test(cluster)) return cluster;
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
export function readableHeaders(
  exchange: Exchange,
  plan: Pick<Transform, 'as' | 'reads'>,
  encoding = 'gzip',
  accept = jsonOnlyAccept(headerValue(exchange.headers, 'accept')),
): string[] {
  const headers = withoutHeaders(upstreamHeaders(exchange, plan), name => name === 'accept' || name === 'accept-encoding');
  return [...headers, 'accept', plan.reads === 'object' ? 'application/json' : accept, 'accept-encoding', encoding];
}
