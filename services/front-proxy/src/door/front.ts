import { HOPS_HEADER, MAX_HOPS } from '@kcp-vw/shared/answer/forwarded-headers.ts';
import { sendStatus, sendText } from '@kcp-vw/shared/answer/send.ts';
import type { Authenticate } from '@kcp-vw/shared/authn/authenticate.ts';
import { type Caller, isMasters } from '@kcp-vw/shared/authn/identity.ts';
import { SERVICES as SHIPPED } from '@kcp-vw/shared/config/options.ts';
import { badGateway, badRequest, type StatusError, toStatusError } from '@kcp-vw/shared/kube/errors.ts';
import { RequestBody } from '@kcp-vw/shared/listener/body.ts';
import { decorated } from '@kcp-vw/shared/listener/decorated-exchange.ts';
import type { Exchange, Handler, Peer } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue, type RawHeaders } from '@kcp-vw/shared/listener/headers.ts';
import type { AuditEntry, AuditLog } from '@kcp-vw/shared/observe/audit.ts';
import { type Health, mayAskForHealth } from '@kcp-vw/shared/observe/health.ts';
import { createMetrics, type Metrics } from '@kcp-vw/shared/observe/metrics.ts';
import { continueTrace, stage } from '@kcp-vw/shared/observe/trace.ts';
import { parseTarget, type Target } from '@kcp-vw/shared/target/target.ts';
import { unresolved } from '@kcp-vw/shared/view/host.ts';
import { SERVICES } from '@kcp-vw/shared/view/path-pattern.ts';
import { isStream, type Router } from '../router.ts';
import { withAuditID } from './audit-id.ts';
import { type ClientLimiter, Throttled } from './client-limits.ts';
import type { IsForged } from './header-forgery.ts';
import { type ShardOf, UNKNOWN_SHARD } from './shard-of.ts';
import { explainImpersonation, transparentViewOf, urlInView } from './transparent-paths.ts';

export interface FrontOptions {
  readonly authenticate: Authenticate;
  readonly router: Router;
  readonly health: Health;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
  readonly shardOf: ShardOf;
  readonly limits: ClientLimiter;
  /** Forged headers are counted; they are never believed. */
  readonly isForged: IsForged;
}

/** Metrics with the names of all views that can be routed to, and of the shards that are configured. */
export const frontMetrics = (shards: readonly string[] = []): Metrics =>
  createMetrics({ views: Object.values(SHIPPED).flatMap(({ views }) => views), shards });

/** What becomes known of a request on its way. */
interface Course extends Pick<AuditEntry, 'record'> {
  caller?: Caller;
  /** The view that answers for it, where its path is one of a logical cluster. */
  transparentView?: string | undefined;
  shard?: string;
  throttled?: Throttled;
  hops: number;
  /** A service has it: the bytes that go to and fro are its. */
  isRouted: boolean;
}

/**
 * The public port's handler: health for anyone, all else routed by the name after `/services/`.
 * It decides who the caller is, and nothing about what the caller may.
 */
export function createFront(options: FrontOptions): Handler {
  const { authenticate, router, health, audit, metrics, shardOf, limits, isForged } = options;
  metrics.observeClients(() => limits.clients);

  return async received => {
    if (await answerHealth(received)) return;
    const exchange = withAuditID(received);
    await continueTrace(exchange.headers, () => serve(exchange));
  };

  async function serve(exchange: Exchange): Promise<void> {
    const course: Course = { record: {}, hops: 1, isRouted: false };
    follow(exchange, course);
    try {
      const target = parseTarget(exchange.url);
      course.transparentView = transparentViewOf(target);
      course.hops = hopsOf(exchange);
      const shard = shardOf(exchange);
      if (shard !== undefined && shard !== UNKNOWN_SHARD) course.shard = shard;
      const caller = await stage('authenticate', () => authenticated(exchange));
      course.caller = caller;
      // Whatever becomes of the request, its place is free when the exchange closes; at once if it has already.
      exchange.onClose(limits.admit(caller, exchange.peer.address, isStream(exchange, target) ? 'stream' : 'unary'));
      const isDone = await route(exchange, caller, target, course, shard);
      if (!isDone) throw unresolved(caller, exchange.method, target);
    } catch (error) {
      refuse(exchange, course, error);
    }
  }

  /**
   * False: nobody serves it. What was sent to a path that does not name its view goes on by one that does; whoever looks at the exchange
   * here, the audit among them, sees the path that the client knows.
   */
  async function route(exchange: Exchange, caller: Caller, target: Target, course: Course, shard?: string): Promise<boolean> {
    const { record, transparentView: view } = course;
    course.isRouted = view !== undefined || target.segments[0] === SERVICES;
    if (!course.isRouted) return false;
    if (view === undefined) return (await router(exchange, caller, target, record, shard)) === 'done';
    record.view = view;
    const url = urlInView(view, exchange.url);
    const isDone = (await router(decorated(exchange, { url }), caller, parseTarget(url), record, shard)) === 'done';
    if (!isDone) delete record.view;
    return isDone;
  }

  function refuse(exchange: Exchange, course: Course, error: unknown): void {
    const status = statusOf(error, exchange, course);
    course.isRouted = false;
    course.record.because ??= status.message;
    if (status instanceof Throttled) {
      course.throttled = status;
      metrics.clientThrottled(status.client);
      metrics.rejected(THROTTLED[status.limit]);
    } else {
      metrics.rejected(status.status.reason ?? '');
    }
    sendStatus(exchange, status);
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
      const caller = await lookedAt(exchange);
      if (isSingleCheck(path) && !isMasters(caller)) return false;
      sendText(exchange, answer.code, answer.body);
    } catch (error) {
      sendStatus(exchange, toStatusError(error));
    }
    return true;
  }

  async function authenticated(exchange: Exchange): Promise<Caller> {
    try {
      const caller = await lookedAt(exchange);
      metrics.authentication(caller.method === 'anonymous' ? 'anonymous' : 'success');
      if (isForged(exchange.headers, caller)) metrics.headerForgery();
      return caller;
    } catch (error) {
      // Nobody has looked at its credentials.
      if (error instanceof Throttled) throw error;
      const { code } = toStatusError(error);
      metrics.authentication(code < 500 ? 'failure' : 'error');
      // A malformed request, or one that could not be judged, says nothing of who may send what.
      if ((code === 401 || code === 403) && isForged(exchange.headers, undefined)) metrics.headerForgery();
      throw error;
    }
  }

  /** Who it is, where not too many tokens are looked at already. The place is taken until that is known, even if the client has left. */
  async function lookedAt({ headers, peer }: Exchange): Promise<Caller> {
    const end = isAttempt(headers, peer) ? limits.attempt(peer.address) : undefined;
    try {
      const caller = await authenticate(headers, peer);
      end?.('done');
      return caller;
    } catch (error) {
      end?.(toStatusError(error).code === 401 ? 'failed' : 'done');
      throw error;
    }
  }

  /** Counts and audits the request when it ends. */
  function follow(exchange: Exchange, course: Course): void {
    const finished = metrics.requestStarted();
    exchange.onClose(complete => {
      const { record, caller, shard, throttled, hops, isRouted } = course;
      finished({ method: exchange.method, code: exchange.status, view: record.view, startedAt: exchange.startedAt });
      if (isRouted) metrics.backendBytes(shard, received(exchange), exchange.bytesWritten);
      audit.write({ exchange, caller, record, shard, throttled, hops, complete });
    });
  }
}

/** What it is answered with: where its caller is not known, he has been refused. */
function statusOf(error: unknown, { headers }: Exchange, { caller, transparentView: view }: Course): StatusError {
  const status = toStatusError(error);
  return view !== undefined && caller === undefined ? explainImpersonation(status, view, headers) : status;
}

const THROTTLED = { requests: 'clientRequests', watches: 'clientWatches', rate: 'clientRate' } as const;

/** Bytes of the request's body that were taken. */
const received = ({ body }: Exchange): number => (body instanceof RequestBody ? body.received : 0);

/**
 * Whoever shows a certificate that we trust makes no attempt: users' certificates are looked at before tokens, and a proxy or shard sends
 * those of many users from one address.
 */
const isAttempt = (headers: RawHeaders, { clientCertificate, requestHeaderCertificate }: Peer): boolean =>
  clientCertificate === undefined &&
  requestHeaderCertificate === undefined &&
  headerValue(headers, 'authorization') !== undefined;

const isSingleCheck = (path: string): boolean => path.lastIndexOf('/') > 0;

/**
 * Proxies that the request has passed, this one included. A shard, another proxy and we could send a request round in circles: throws
 * where there are too many.
 */
function hopsOf(exchange: Exchange): number {
  const value = headerValue(exchange.headers, HOPS_HEADER);
  if (value === undefined) return 1;
  if (!/^\d{1,3}$/.test(value)) throw badRequest(`malformed ${HOPS_HEADER} header`);
  const passed = Number(value);
  if (passed >= MAX_HOPS) throw badGateway(`the request has passed ${value} virtual workspace proxies: it runs in a loop`);
  return passed + 1;
}
