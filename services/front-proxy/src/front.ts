import { HOPS_HEADER, MAX_HOPS } from '@kcp-vw/shared/answer/forwarded-headers.ts';
import { sendStatus, sendText } from '@kcp-vw/shared/answer/send.ts';
import type { Authenticate } from '@kcp-vw/shared/authn/authenticate.ts';
import { type Caller, isMasters } from '@kcp-vw/shared/authn/identity.ts';
import { SERVICES as SHIPPED } from '@kcp-vw/shared/config/options.ts';
import { badGateway, badRequest, toStatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { Exchange, Handler } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue } from '@kcp-vw/shared/listener/headers.ts';
import type { AuditLog } from '@kcp-vw/shared/observe/audit.ts';
import { type Health, mayAskForHealth } from '@kcp-vw/shared/observe/health.ts';
import { createMetrics, type Metrics } from '@kcp-vw/shared/observe/metrics.ts';
import { continueTrace, stage } from '@kcp-vw/shared/observe/trace.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import { unresolved } from '@kcp-vw/shared/view/host.ts';
import { SERVICES } from '@kcp-vw/shared/view/path-pattern.ts';
import type { RequestRecord } from '@kcp-vw/shared/view/record.ts';
import { withAuditID } from './audit-id.ts';
import type { Router } from './router.ts';

export interface FrontOptions {
  readonly authenticate: Authenticate;
  readonly router: Router;
  readonly health: Health;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
}

/** Metrics with the names of all views that can be routed to. */
export const frontMetrics = (): Metrics => createMetrics({ views: Object.values(SHIPPED).flatMap(({ views }) => views) });

/**
 * The public port's handler: health for anyone, all else routed by the name after `/services/`.
 * It decides who the caller is, and nothing about what the caller may.
 */
export function createFront({ authenticate, router, health, audit, metrics }: FrontOptions): Handler {
  return async received => {
    if (await answerHealth(received)) return;
    const exchange = withAuditID(received);
    await continueTrace(exchange.headers, () => serve(exchange));
  };

  async function serve(exchange: Exchange): Promise<void> {
    const record: RequestRecord = {};
    let caller: Caller | undefined;
    follow(exchange, () => caller, record);
    try {
      const target = parseTarget(exchange.url);
      refuseLoops(exchange);
      caller = await stage('authenticate', () => authenticated(exchange));
      const routed = target.segments[0] === SERVICES && (await router(exchange, caller, target, record)) === 'done';
      if (!routed) throw unresolved(caller, exchange.method, target);
    } catch (error) {
      const status = toStatusError(error);
      metrics.rejected(status.status.reason ?? '');
      record.because ??= status.message;
      sendStatus(exchange, status);
    }
  }

  /**
   * Probes are not audited, and need no credentials; bad ones are refused all the same. A single check is for masters, as in kcp. A path
   * that is no plain one is none of these.
   */
  async function answerHealth(exchange: Exchange): Promise<boolean> {
    if (!mayAskForHealth(exchange.url)) return false;
    const [path = '', query] = exchange.url.split('?', 2);
    const answer = health.respond(path, new URLSearchParams(query));
    if (answer === undefined) return false;
    try {
      const caller = await authenticate(exchange.headers, exchange.peer);
      if (isSingleCheck(path) && !isMasters(caller)) return false;
      sendText(exchange, answer.code, answer.body);
    } catch (error) {
      sendStatus(exchange, toStatusError(error));
    }
    return true;
  }

  async function authenticated(exchange: Exchange): Promise<Caller> {
    try {
      const caller = await authenticate(exchange.headers, exchange.peer);
      metrics.authentication(caller.method === 'anonymous' ? 'anonymous' : 'success');
      return caller;
    } catch (error) {
      metrics.authentication(toStatusError(error).code < 500 ? 'failure' : 'error');
      throw error;
    }
  }

  /** Counts and audits the request when it ends. */
  function follow(exchange: Exchange, caller: () => Caller | undefined, record: RequestRecord): void {
    const finished = metrics.requestStarted();
    exchange.onClose(complete => {
      finished({ method: exchange.method, code: exchange.status, view: record.view, startedAt: exchange.startedAt });
      audit.write({ exchange, caller: caller(), record, complete });
    });
  }
}

const isSingleCheck = (path: string): boolean => path.lastIndexOf('/') > 0;

/** A shard, another proxy and we could send a request round in circles; each of our hops counts. */
function refuseLoops(exchange: Exchange): void {
  const value = headerValue(exchange.headers, HOPS_HEADER);
  if (value === undefined) return;
  if (!/^\d{1,3}$/.test(value)) throw badRequest(`malformed ${HOPS_HEADER} header`);
  if (Number(value) >= MAX_HOPS) throw badGateway(`the request has passed ${value} virtual workspace proxies: it runs in a loop`);
}
