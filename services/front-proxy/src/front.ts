import { HOPS_HEADER, MAX_HOPS } from '@kcp-vw/shared/answer/forwarded-headers.ts';
import { sendStatus, sendText } from '@kcp-vw/shared/answer/send.ts';
import type { Authenticate } from '@kcp-vw/shared/authn/authenticate.ts';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { SERVICES as SHIPPED } from '@kcp-vw/shared/config/options.ts';
import { badGateway, badRequest, toStatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { Exchange, Handler } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue } from '@kcp-vw/shared/listener/headers.ts';
import type { AuditLog } from '@kcp-vw/shared/observe/audit.ts';
import type { Health } from '@kcp-vw/shared/observe/health.ts';
import { createMetrics, type Metrics } from '@kcp-vw/shared/observe/metrics.ts';
import { stage } from '@kcp-vw/shared/observe/trace.ts';
import { parseTarget, type Target } from '@kcp-vw/shared/target/target.ts';
import { unresolved } from '@kcp-vw/shared/view/host.ts';
import { SERVICES } from '@kcp-vw/shared/view/path-pattern.ts';
import type { RequestRecord } from '@kcp-vw/shared/view/record.ts';
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
 * The public port's handler: health for anyone, everything else authenticated and routed by the name after `/services/`.
 * It decides who the caller is, and nothing about what the caller may.
 */
export function createFront({ authenticate, router, health, audit, metrics }: FrontOptions): Handler {
  return async exchange => {
    const record: RequestRecord = {};
    let caller: Caller | undefined;
    const finished = metrics.requestStarted();
    exchange.onClose(complete => {
      finished({ method: exchange.method, code: exchange.status, view: record.view, startedAt: exchange.startedAt });
      audit.write({ exchange, caller, record, complete });
    });
    try {
      const target = parseTarget(exchange.url);
      if (answerHealth(exchange, target, health)) return;
      caller = await stage('authenticate', () => authenticate(exchange.headers, exchange.peer));
      refuseLoops(exchange);
      const routed = target.segments[0] === SERVICES && (await router(exchange, caller, target, record)) === 'done';
      if (!routed) throw unresolved(caller, exchange.method, target);
    } catch (error) {
      const status = toStatusError(error);
      record.because ??= status.message;
      sendStatus(exchange, status);
    }
  };
}

function answerHealth(exchange: Exchange, target: Target, health: Health): boolean {
  const answer = health.respond(target.rawPath, target.query);
  if (answer === undefined) return false;
  sendText(exchange, answer.code, answer.body);
  return true;
}

/** A shard, another proxy and we could send a request round in circles; each of our hops counts. */
function refuseLoops(exchange: Exchange): void {
  const value = headerValue(exchange.headers, HOPS_HEADER);
  if (value === undefined) return;
  if (!/^\d{1,3}$/.test(value)) throw badRequest(`malformed ${HOPS_HEADER} header`);
  if (Number(value) >= MAX_HOPS) throw badGateway(`the request has passed ${value} virtual workspace proxies: it runs in a loop`);
}
