import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Upstream } from '../upstream/upstream.ts';
import { Durations } from './durations.ts';
import { type ProxyMetrics, proxyMetrics } from './metrics-proxy.ts';

export interface MetricsOptions {
  /** Views that are counted by name; any other is `other`. */
  readonly views: readonly string[];
  /** Shards that are counted by name; any other is `other`. */
  readonly shards?: readonly string[];
  /** False leaves out what prom-client knows of the process (memory, event loop, garbage collection). */
  readonly processMetrics?: boolean;
}

export interface FinishedRequest {
  readonly method: string;
  /** The status sent; 0 when none was. */
  readonly code: number;
  /** Absent when the request did not get as far as a view. */
  readonly view: string | undefined;
  /** `performance.now()` when its headers were complete. */
  readonly startedAt: number;
}

/** An informer as the metrics see it. */
export interface ObservedInformer {
  readonly synced: boolean;
  readonly relists: number;
}

/**
 * The metrics of one process. Every label value comes from a list known beforehand: none is a cluster, user, object or path, which
 * anybody could make more of.
 */
export interface Metrics extends ProxyMetrics {
  readonly registry: Registry;
  /** From now on these are counted by name as well: what a process serves is known when it has started. */
  addViews(names: readonly string[]): void;
  /** Counts a request as in flight, until the returned function is called (once) with what became of it. */
  requestStarted(): (request: FinishedRequest) => void;
  /** Shows what `upstream` uses at each scrape. `role` is what the process needs it for: `shard`, `cache`. */
  observeUpstream(role: string, upstream: Pick<Upstream, 'stats'>): void;
  /** Shows an informer at each scrape, by the resource it holds; those of one resource (of several shards) together. */
  observeInformer(resource: string, informer: () => ObservedInformer): void;
  authentication(result: (typeof AUTHENTICATION_RESULTS)[number]): void;
  /** How an access review was decided: from the cache, together with one that was under way, or by asking. */
  accessReview(result: (typeof REVIEW_RESULTS)[number]): void;
  /** A request that was refused before it reached a view. `reason` is a reason of Status or one of `REJECTIONS`; any other is `other`. */
  rejected(reason: string): void;
  /** Audit lines that could not be kept. */
  auditDropped(lines: number): void;
  /** Stops what prom-client observes of the process. */
  close(): void;
}

export const AUTHENTICATION_RESULTS = ['success', 'anonymous', 'failure', 'error'] as const;
/** Why a front proxy refuses a request, where a reason of Status does not tell. */
export const REJECTIONS = ['loop', 'headerForgery', 'clientRequests', 'clientWatches', 'clientRate'] as const;
export const REVIEW_RESULTS = ['hit', 'joined', 'miss', 'error'] as const;

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** `metav1.StatusReason`s. Codes alone would not tell Expired from Gone. */
const REASONS = new Set(
  [
    'BadRequest',
    'Unauthorized',
    'Forbidden',
    'NotFound',
    'MethodNotAllowed',
    'NotAcceptable',
    'Conflict',
    'Gone',
    'Expired',
  ].concat(
    ['LengthRequired', 'RequestEntityTooLarge', 'UnsupportedMediaType', 'Invalid', 'TooManyRequests', 'InternalError'],
    ['RequestHeaderFieldsTooLarge', 'BadGateway', 'ServiceUnavailable', 'Timeout', 'AlreadyExists', ...REJECTIONS],
  ),
);
const OTHER = 'other';

const known = (values: ReadonlySet<string>, value: string): string => (values.has(value) ? value : OTHER);
const codeLabel = (code: number): string =>
  (Number.isInteger(code) && code >= 100 && code <= 599 ? CODES[code - 100] : undefined) ?? 'none';
const CODES: readonly string[] = Array.from({ length: 500 }, (_, i) => String(100 + i));

/** Seconds; a watch ends in the last. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/**
 * How often the lag of the event loop is looked at; the shortest that is shown is as long. At prom-client's 10 the looks are most of what
 * an idle process costs.
 */
const LAG_PRECISION_MS = 100;

export function createMetrics({ views, shards = [], processMetrics = true }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (processMetrics) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_PRECISION_MS });

  const viewNames = new Set(views);
  const duration = new Durations({
    name: 'proxy_request_duration_seconds',
    help: 'Time from the headers of a request to the end of its response.',
    buckets: BUCKETS,
    registers,
  });
  // Counted here, and told to prom-client at a scrape: each of its calls looks through labels.
  let inFlight = 0;
  new Gauge({
    name: 'proxy_requests_in_flight',
    help: 'Requests being answered, watches included.',
    registers,
    collect() {
      this.set(inFlight);
    },
  });
  const authentication = resultCounter(
    { name: 'authentication_attempts', help: 'Requests by how their authentication ended.', registers },
    AUTHENTICATION_RESULTS,
  );
  const reviews = resultCounter(
    { name: 'authorization_reviews_total', help: 'Access reviews by how they were decided.', registers },
    REVIEW_RESULTS,
  );
  const rejected = new Counter({
    name: 'proxy_rejected_total',
    help: 'Requests refused before they reached a view.',
    labelNames: ['reason'],
    registers,
  });
  const auditDropped = new Counter({ name: 'audit_dropped_total', help: 'Audit lines that could not be kept.', registers });

  const observeUpstream = upstreamGauges(registers);
  const observeInformer = informerGauges(registers);

  return {
    ...proxyMetrics(registers, shards),
    registry,
    addViews(names) {
      for (const name of names) viewNames.add(name);
    },
    requestStarted() {
      inFlight++;
      return ({ method, code, view, startedAt }) => {
        inFlight--;
        const labels = { method: known(METHODS, method), code: codeLabel(code), view: view ? known(viewNames, view) : 'none' };
        duration.add(labels, (performance.now() - startedAt) / 1000);
      };
    },
    observeUpstream,
    observeInformer,
    authentication,
    accessReview: reviews,
    rejected: reason => rejected.inc({ reason: known(REASONS, reason) }),
    auditDropped: lines => auditDropped.inc(lines),
    close: () => registry.clear(),
  };
}

/** A counter by result, of which there are few. One that has not moved is shown as 0: a rate over an absent series has no alarm. */
function resultCounter<R extends string>(
  options: { readonly name: string; readonly help: string; readonly registers: Registry[] },
  results: readonly R[],
): (result: R) => void {
  const counts = new Map<R, number>(results.map(result => [result, 0]));
  new Counter({
    ...options,
    labelNames: ['result'],
    collect() {
      this.reset();
      for (const [result, count] of counts) this.inc({ result }, count);
    },
  });
  return result => void counts.set(result, (counts.get(result) ?? 0) + 1);
}

/** name → help and the number of `UpstreamStats` it shows. */
const UPSTREAM_GAUGES = {
  upstream_unary_connections: { help: 'Connections for short requests.', stat: 'unaryConnections' },
  upstream_requests_in_flight: { help: 'Short requests that wait for their response.', stat: 'unaryInFlight' },
  upstream_watch_sessions: { help: 'HTTP/2 sessions for watches.', stat: 'watchSessions' },
  upstream_watch_streams: { help: 'Open watches.', stat: 'watchStreams' },
} as const;

function upstreamGauges(registers: Registry[]): Metrics['observeUpstream'] {
  const upstreams = new Map<string, Pick<Upstream, 'stats'>[]>();
  for (const [name, { help, stat }] of Object.entries(UPSTREAM_GAUGES)) {
    new Gauge({
      name,
      help,
      labelNames: ['upstream'],
      registers,
      collect() {
        for (const [upstream, all] of upstreams)
          this.set(
            { upstream },
            all.reduce((sum, one) => sum + one.stats()[stat], 0),
          );
      },
    });
  }
  return (role, upstream) => void upstreams.set(role, [...(upstreams.get(role) ?? []), upstream]);
}

function informerGauges(registers: Registry[]): Metrics['observeInformer'] {
  const informers = new Map<string, (() => ObservedInformer)[]>();
  const gauge = (name: string, help: string, value: (informers: readonly ObservedInformer[]) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['resource'],
      registers,
      collect() {
        for (const [resource, all] of informers) this.set({ resource }, value(all.map(informer => informer())));
      },
    });
  };
  gauge('informer_synced', '1 when the informer holds a complete list.', all => Number(all.every(({ synced }) => synced)));
  gauge('informer_relists', 'Complete lists since the start, the first included.', all =>
    all.reduce((sum, { relists }) => sum + relists, 0),
  );
  return (resource, informer) => void informers.set(resource, [...(informers.get(resource) ?? []), informer]);
}
