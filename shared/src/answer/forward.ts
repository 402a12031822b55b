import { impersonationHeaders } from '../authn/impersonation.ts';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue } from '../listener/headers.ts';
import type { RequestInfo } from '../target/request-info.ts';
import { andLabelSelector, type Target } from '../target/target.ts';
import type { Call, Forward } from '../view/view.ts';
import { eitherUntil } from './drain.ts';
import type { Execution } from './engine.ts';
import { forwardedRequestHeaders } from './forwarded-headers.ts';
import { relay } from './relay.ts';

/** Streams the request to the shard and its answer back, byte for byte. */
export async function executeForward({ exchange, shard, drain, call, rest }: Execution, plan: Forward): Promise<void> {
  const longRunning = isLongRunning(call.request, call.query);
  const contentLength = contentLengthOf(exchange);
  await relay(
    exchange,
    shard,
    {
      method: exchange.method,
      path: upstreamPath(call, rest, plan),
      headers: upstreamHeaders(exchange, plan),
      body: exchange.body,
      ...(contentLength !== undefined && { contentLength }),
      longRunning,
    },
    longRunning ? { until: eitherUntil(plan.until, drain.until) } : {},
  );
}

/** `/clusters/<cluster>` plus the caller's path and query, in the caller's bytes but for the label selector. */
export function upstreamPath(call: Call, rest: Target, plan: Pick<Forward, 'cluster' | 'select'>): string {
  const query = plan.select === undefined ? rest.rawQuery : andLabelSelector(rest.rawQuery, plan.select);
  const cluster = encodeClusterSegment(plan.cluster ?? call.scope.cluster ?? '');
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
