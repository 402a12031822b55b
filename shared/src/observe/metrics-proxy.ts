import { Counter, Gauge, type Registry } from 'prom-client';
import { tlsErrorType } from './tls-error-type.ts';

/** What a front proxy counts beside requests. Nothing of it costs a request more than to look into a map and to add. */
export interface ProxyMetrics {
  /** Counts a tunnel as open, until the returned function is called; only its first call counts. */
  upgradeStarted(protocol: string): () => void;
  /** A request that named an identity, or asked to act as another, and may not: nobody believed it. */
  headerForgery(): void;
  /** Bytes of bodies to and from the services of a shard. A shard that is not configured is `other`, none at all is `none`. */
  backendBytes(shard: string | undefined, request: number, response: number): void;
  /** A connection that failed, of a client or to a backend. Not counted if that had nothing to do with TLS. */
  connectionFailed(error: unknown): void;
  /** Shows at each scrape of how many clients is kept count. */
  observeClients(count: () => number): void;
  /** A request that was refused since its client has too much; the client as it is called in the audit log. */
  clientThrottled(client: string): void;
}

/** Clients that are counted each by itself, at a time. */
const MAX_CLIENTS = 20;
/** Milliseconds until one that was left alone makes place for another: each is a time series. */
const CLIENT_STAYS_MS = 600_000;
const OTHER = 'other';

export function proxyMetrics(
  registers: Registry[],
  shards: readonly string[],
  now = (): number => performance.now(),
): ProxyMetrics {
  const upgrades = { websocket: 0, spdy: 0, other: 0 };
  new Gauge({
    name: 'proxy_upgrades_active',
    help: 'Open tunnels of upgraded connections.',
    labelNames: ['protocol'],
    registers,
    collect() {
      for (const [protocol, count] of Object.entries(upgrades)) this.set({ protocol }, count);
    },
  });
  const forgeries = new Counter({
    name: 'proxy_header_forgery_total',
    help: 'Requests with identity headers, or asking to impersonate, of clients that may not send them.',
    registers,
  });
  const connectionErrors = new Counter({
    name: 'kcp_listener_tls_connection_error',
    help: 'TLS connections that failed, by type of error.',
    labelNames: ['error_type'],
    registers,
  });
  let clients = (): number => 0;
  new Gauge({
    name: 'proxy_clients_counted',
    help: 'Clients of whose requests count is kept, each by itself.',
    registers,
    collect() {
      this.set(clients());
    },
  });
  const throttled = throttledCounter(registers, now);
  const { request, response, seriesOf } = backendBytes(registers, shards);

  return {
    upgradeStarted(protocol) {
      const label = protocolLabel(protocol);
      upgrades[label]++;
      let isOpen = true;
      return () => {
        if (isOpen) upgrades[label]--;
        isOpen = false;
      };
    },
    headerForgery: () => forgeries.inc(),
    backendBytes(shard, sent, received) {
      const series = seriesOf(shard);
      if (sent > 0) request.set(series, (request.get(series) ?? 0) + sent);
      if (received > 0) response.set(series, (response.get(series) ?? 0) + received);
    },
    connectionFailed(error) {
      const type = tlsErrorType(error);
      if (type !== undefined) connectionErrors.inc({ error_type: type });
    },
    observeClients(count) {
      clients = count;
    },
    clientThrottled: throttled,
  };
}

/** The value of an Upgrade header is the client's choice. */
function protocolLabel(protocol: string): 'websocket' | 'spdy' | 'other' {
  const name = protocol.toLowerCase();
  if (name === 'websocket') return name;
  return name.startsWith('spdy/') ? 'spdy' : 'other';
}

/** Sums that are told to prom-client at a scrape. */
function backendBytes(registers: Registry[], shards: readonly string[]) {
  const sums = (name: string, help: string): Map<string, number> => {
    const bytes = new Map<string, number>();
    new Counter({
      name,
      help,
      labelNames: ['shard'],
      registers,
      collect() {
        this.reset();
        for (const [shard, sum] of bytes) this.inc({ shard }, sum);
      },
    });
    return bytes;
  };
  const known = new Set(shards);
  return {
    request: sums('kcp_backend_rq_body_bytes', 'Bytes of request bodies from clients to the services of a shard.'),
    response: sums('kcp_backend_rs_body_bytes', 'Bytes of response bodies from the services of a shard to clients.'),
    seriesOf: (shard: string | undefined): string => (shard === undefined ? 'none' : known.has(shard) ? shard : OTHER),
  };
}

function throttledCounter(registers: Registry[], now: () => number): ProxyMetrics['clientThrottled'] {
  const clients = new Map<string, { count: number; lastAt: number }>();
  let others = 0;
  new Counter({
    name: 'client_throttled_total',
    help: 'Requests refused with 429 since their client has too much, by client as the audit log calls it.',
    labelNames: ['client'],
    registers,
    collect() {
      this.reset();
      for (const [client, { count }] of clients) this.inc({ client }, count);
      this.inc({ client: OTHER }, others);
    },
  });
  /** Makes place; false if none has been left alone for long enough. */
  const forgetOne = (at: number): boolean => {
    for (const [client, { lastAt }] of clients) if (at - lastAt >= CLIENT_STAYS_MS) return clients.delete(client);
    return false;
  };
  return client => {
    const at = now();
    const known = clients.get(client);
    if (known !== undefined) {
      known.count++;
      known.lastAt = at;
    } else if (clients.size < MAX_CLIENTS || forgetOne(at)) {
      clients.set(client, { count: 1, lastAt: at });
    } else {
      others++;
    }
  };
}
