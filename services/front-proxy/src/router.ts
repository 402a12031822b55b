import type { Drain } from '@kcp-vw/shared/answer/drain.ts';
import { forwardedRequestHeaders } from '@kcp-vw/shared/answer/forwarded-headers.ts';
import { relay } from '@kcp-vw/shared/answer/relay.ts';
import { sendStatus } from '@kcp-vw/shared/answer/send.ts';
import { contentLengthOf } from '@kcp-vw/shared/answer/upstream-request.ts';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { remoteHeaders } from '@kcp-vw/shared/authn/request-headers.ts';
import { serviceUnavailable, tooManyRequests, toStatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { HeaderNames, type RawHeaders, withoutNames } from '@kcp-vw/shared/listener/headers.ts';
import { isWatch } from '@kcp-vw/shared/target/request-info.ts';
import type { Target } from '@kcp-vw/shared/target/target.ts';
import { type Upstream, UpstreamError } from '@kcp-vw/shared/upstream/upstream.ts';
import { RECORD_HEADER, type RequestRecord, readRecordHeader } from '@kcp-vw/shared/view/record.ts';
import type { Backends } from './backends.ts';

/** Takes an authenticated request to whatever serves its view. `unknown`: nothing serves a view of that name. */
export type Router = (exchange: Exchange, caller: Caller, target: Target, record: RequestRecord) => Promise<'done' | 'unknown'>;

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
    failed: ReadonlySet<Upstream>,
    deadline: number,
    exchange: Exchange,
  ): Promise<Upstream | 'unknown'> {
    for (;;) {
      const backend = backends.pick(view, failed);
      if (backend !== 'down') return backend;
      const remaining = deadline - performance.now();
      if (remaining <= 0 || exchange.closed) throw serviceUnavailable(`the service behind ${view} is not up`);
      if (waiting >= MAX_WAITING) throw tooManyRequests(`too many requests wait for the service behind ${view}`);
      waiting++;
      await backends.changed(remaining).finally(() => waiting--);
    }
  }

  async function route(exchange: Exchange, caller: Caller, target: Target, record: RequestRecord): Promise<'done' | 'unknown'> {
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
      longRunning: isStream(target),
    };
    const head = (_status: number, headers: RawHeaders): RawHeaders => {
      Object.assign(record, readRecordHeader(headers));
      return withoutNames(headers, OWN_HEADERS);
    };

    const failed = new Set<Upstream>();
    for (;;) {
      const backend = await backendOf(view, failed, deadline, exchange);
      if (backend === 'unknown') return 'unknown';
      try {
        await relay(exchange, backend, request, { head, unsent: 'throw', ...(request.longRunning && { until: drain.until }) });
        return 'done';
      } catch (error) {
        // Nothing reached a service that has just died: the request may go to the next one, or a moment later to the same one.
        if (!(error instanceof UpstreamError) || performance.now() >= deadline) throw error;
        if (failed.has(backend)) await backends.changed(Math.min(100, deadline - performance.now()));
        failed.add(backend);
      }
    }
  }

  return async (exchange, caller, target, record) => {
    try {
      return await route(exchange, caller, target, record);
    } catch (error) {
      const status = error instanceof UpstreamError ? serviceUnavailable(error.message, 1, error) : toStatusError(error);
      record.because ??= status.message;
      sendStatus(exchange, status);
      return 'done';
    }
  };
}

/** The service decides what it is; here it only matters which connections it uses. A watch is one wherever the path says so. */
function isStream(target: Target): boolean {
  if (isWatch(target.query)) return true;
  return /^(1|t|true)$/i.test(target.query.get('follow') ?? '') || target.segments.includes('watch');
}
