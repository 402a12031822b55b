import type { Drain } from '@kcp-vw/shared/answer/drain.ts';
import { forwardedRequestHeaders } from '@kcp-vw/shared/answer/forwarded-headers.ts';
import { contentLengthOf } from '@kcp-vw/shared/answer/upstream-request.ts';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { remoteHeaders } from '@kcp-vw/shared/authn/request-headers.ts';
import { badGateway, serviceUnavailable, tooManyRequests } from '@kcp-vw/shared/kube/errors.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { HeaderNames, type RawHeaders, withoutNames } from '@kcp-vw/shared/listener/headers.ts';
import { isWatch } from '@kcp-vw/shared/target/request-info.ts';
import type { Target } from '@kcp-vw/shared/target/target.ts';
import { carry } from '@kcp-vw/shared/tunnel/carry.ts';
import { RequestBodyError } from '@kcp-vw/shared/upstream/request-body.ts';
import { type Upstream, UpstreamError } from '@kcp-vw/shared/upstream/upstream.ts';
import { RECORD_HEADER, type RequestRecord, readRecordHeader } from '@kcp-vw/shared/view/record.ts';
import type { Backends } from './backends/backends.ts';
import { chosenShard, OF_ALL_SHARDS } from './door/shard-of.ts';

/**
 * Takes an authenticated request to whatever serves its view for the shard it was addressed to (as `ShardOf` has it). `unknown`: nothing
 * serves a view of that name. Rejects with a StatusError where there is no answer yet.
 */
export type Router = (
  exchange: Exchange,
  caller: Caller,
  target: Target,
  record: RequestRecord,
  shard?: string,
) => Promise<'done' | 'unknown'>;

/** How long a request waits for a service that is restarting, and how many may wait. */
const MAX_WAIT_MS = 5_000;
const MAX_WAITING = 1_000;

/** What services say to the front proxy, and nobody else gets to see. */
const OWN_HEADERS = new HeaderNames([RECORD_HEADER]);

/** Routes by view name to the service processes, wherever they are. */
export function createRouter(backends: Backends, drain: Drain): Router {
  let waiting = 0;

  /** A view's backend, waited for while its service restarts, so that a crash costs only what was in flight. */
  async function backendOf(
    view: string,
    asked: string | undefined,
    caller: string | undefined,
    failed: ReadonlySet<Upstream>,
    deadline: number,
    exchange: Exchange,
  ): Promise<Upstream | 'unknown'> {
    for (;;) {
      // Again each time: which shards there are changes with the addresses.
      const shard = chosenShard(view, asked, () => backends.shardsOf(view));
      const backend = backends.pick(view, failed, shard, caller);
      const what = shard === undefined ? view : `${view} of shard ${shard}`;
      if (backend === 'untrusted') throw badGateway(`the service behind ${what} has failed its self-test`);
      if (backend !== 'down') return backend;
      const remaining = deadline - performance.now();
      if (remaining <= 0 || exchange.closed) throw serviceUnavailable(`the service behind ${what} is not up`);
      if (waiting >= MAX_WAITING) throw tooManyRequests(`too many requests wait for the service behind ${what}`);
      waiting++;
      await backends.changed(remaining).finally(() => waiting--);
    }
  }

  const route: Router = async (exchange, caller, target, record, shard) => {
    const view = target.segments[1] ?? '';
    const deadline = performance.now() + MAX_WAIT_MS;
    const contentLength = contentLengthOf(exchange);
    const headers = forwardedRequestHeaders(exchange);
    headers.push(...remoteHeaders(caller));
    const request = {
      method: exchange.method,
      path: exchange.url,
      headers,
      body: exchange.body,
      ...(contentLength !== undefined && { contentLength }),
      longRunning: isStream(exchange, target),
    };
    const head = (_status: number, headers: RawHeaders): RawHeaders => {
      // Which view it is has been decided here.
      Object.assign(record, readRecordHeader(headers), { view });
      return withoutNames(headers, OWN_HEADERS);
    };

    const failed = new Set<Upstream>();
    for (;;) {
      const backend = await backendOf(view, shard, OF_ALL_SHARDS.has(view) ? caller.name : undefined, failed, deadline, exchange);
      if (backend === 'unknown') return 'unknown';
      try {
        const options = { head, unsent: 'throw', ...(request.longRunning && { until: drain.until }) } as const;
        const { error, upstreamStatus } = await carry(exchange, backend, request, options);
        if (upstreamStatus === 0 && isOfConnection(error)) backends.failed(backend);
        return 'done';
      } catch (error) {
        if (isOfConnection(error)) backends.failed(backend);
        // Nothing reached a service that has just died: the request may go to the next one, or a moment later to the same one.
        if (!(error instanceof UpstreamError) || performance.now() >= deadline) throw error;
        if (failed.has(backend)) await backends.changed(Math.min(100, deadline - performance.now()));
        failed.add(backend);
      }
    }
  };

  return async (...request) => {
    try {
      return await route(...request);
    } catch (error) {
      throw error instanceof UpstreamError ? serviceUnavailable(error.message, 1, error) : error;
    }
  };
}

/**
 * Says something of the backend, and not of this request only: a client who breaks off his body, or sends what cannot be sent on, resets a
 * connection, too, and must not have others kept from the backend.
 */
const isOfConnection = (error: unknown): boolean => {
  if (!(error instanceof UpstreamError) || error.cause instanceof RequestBodyError) return false;
  if (error.failure === 'reset') return !error.nothingSent;
  return error.failure === 'unreachable' || error.failure === 'untrusted';
};

/**
 * Whether a request lasts. The service decides what it is; here it only matters which connections it uses, and against which limit it
 * counts. A watch is one wherever the path says so.
 */
export function isStream({ upgrade }: Pick<Exchange, 'upgrade'>, target: Target): boolean {
  if (upgrade !== undefined || isWatch(target.query)) return true;
  return /^(1|t|true)$/i.test(target.query.get('follow') ?? '') || target.segments.includes('watch');
}
