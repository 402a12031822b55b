import { createHmac, randomBytes } from 'node:crypto';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { ClientLimits } from '@kcp-vw/shared/config/options.ts';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { accountsName, clientName, networkOf } from './client-name.ts';
import { ClientTable, type Lack, type Quota, type RequestKind, type ThrottleReason } from './client-table.ts';

/** 429, before anything went to a backend. */
export class Throttled extends StatusError {
  readonly limit: ThrottleReason;
  /** Eight hex digits that stand for the client in metrics and audit lines, as long as this process runs. */
  readonly client: string;

  constructor(limit: ThrottleReason, client: string, message: string, retryAfterSeconds: number) {
    super('TooManyRequests', message, { retryAfterSeconds });
    this.limit = limit;
    this.client = client;
  }
}

/** Ends an attempt to authenticate; only the first call counts. */
export type AttemptEnds = (outcome: 'failed' | 'done') => void;

export interface ClientLimiter {
  /**
   * Takes a place for a request of this caller; the returned function gives it back, and only its first call counts. `address` is the
   * remote one. Throws a `Throttled` when the client has none left.
   */
  admit(caller: Caller, address: string, kind: RequestKind): () => void;
  /**
   * Takes a place for finding out whose token has come from this remote address, before that costs anything. Throws a `Throttled` when too
   * many of its network are looked at, or were of nobody. There is no configuration without this limit.
   */
  attempt(address: string): AttemptEnds;
  /** Clients that are kept count of: callers, all service accounts of a logical cluster, networks that sent tokens. */
  readonly clients: number;
}

export interface ClientLimiterDependencies {
  /** Milliseconds, of a clock that only goes forward. */
  readonly now?: () => number;
  /** Clients of each of these kinds that are kept count of each by itself. */
  readonly maxClients?: number;
}

/** A few hundred bytes each. */
const MAX_CLIENTS = 20_000;

/**
 * What all service accounts of a logical cluster have together, in times of what each has: a workspace's owner makes as many of them as
 * wanted.
 */
const ACCOUNTS_TOGETHER = 4;

/**
 * Tokens of one network that are looked at at a time. Each unknown one holds a connection to its reviewer until there is an answer; a token
 * that is remembered holds its place for no time.
 */
const ATTEMPTS_AT_A_TIME = 1_000;
/**
 * Tokens of nobody that one network may send per second. Clients with an expired token stay below it, and many of them can be behind one
 * address: hence the burst.
 */
const FAILED_ATTEMPTS_PER_SECOND = 20;
const FAILED_ATTEMPTS_AT_ONCE = 1_000;
const ATTEMPTS: Quota = {
  unary: ATTEMPTS_AT_A_TIME,
  stream: 0,
  rate: FAILED_ATTEMPTS_PER_SECOND,
  burst: FAILED_ATTEMPTS_AT_ONCE,
};

/** As a listener calls the peer of a Unix socket: a process on this machine, and not one client. */
const LOCAL = 'unix';

/** Seconds. */
const MAX_RETRY_AFTER = 60;

const NOTHING = (): void => undefined;

/** Requests in flight, watches, and a token bucket for each client. A limit of 0 is none. */
export function createClientLimiter(limits: ClientLimits, dependencies: ClientLimiterDependencies = {}): ClientLimiter {
  const { now = () => performance.now(), maxClients = MAX_CLIENTS } = dependencies;
  const { requestsInFlight, watches, requestsPerSecond } = limits;
  const isLimited = requestsInFlight > 0 || watches > 0 || requestsPerSecond > 0;
  const burst = Math.max(1, limits.burst);
  const table = (quota: Quota) => new ClientTable(quota, now, maxClients);
  const times = (factor: number): Quota => ({
    unary: factor * requestsInFlight,
    stream: factor * watches,
    rate: factor * requestsPerSecond,
    burst: factor * burst,
  });
  // Tables of their own: no crowd of one kind takes the places of another.
  const callers = table(times(1));
  const clusters = table(times(ACCOUNTS_TOGETHER));
  const networks = table(ATTEMPTS);
  const nameless = randomBytes(32);

  const refused = ({ limit, seconds }: Lack, name: string, messages: Messages): Throttled => {
    const hash = createHmac('sha256', nameless).update(name).digest('hex').slice(0, 8);
    return new Throttled(limit, hash, messages[limit], Math.min(MAX_RETRY_AFTER, Math.max(1, Math.ceil(seconds))));
  };

  return {
    admit(caller, address, kind) {
      const name = isLimited ? clientName(caller, address) : undefined;
      if (name === undefined) return NOTHING;
      const client = callers.clientOf(name, caller.method === 'anonymous');
      const lack = callers.lackOf(client, kind);
      if (lack) throw refused(lack, name, OF_CLIENT);
      const together = accountsName(caller);
      if (together === undefined) return callers.take(client, kind);

      const cluster = clusters.clientOf(together);
      const shared = clusters.lackOf(cluster, kind);
      if (shared) throw refused(shared, together, OF_ACCOUNTS);
      const release = callers.take(client, kind);
      const releaseTogether = clusters.take(cluster, kind);
      return () => {
        release();
        releaseTogether();
      };
    },

    attempt(address) {
      if (address === LOCAL) return NOTHING;
      const name = networkOf(address);
      const network = networks.clientOf(name);
      const places = network.unary;
      // Each that is looked at may turn out to be nobody's: together they never fail more often than they may.
      const hasTokens = () => network.tokens - places.taken >= 1;
      if (places.taken >= ATTEMPTS_AT_A_TIME) throw refused({ limit: 'requests', seconds: 1 }, name, OF_NETWORK);
      // What has come back counts only where it is missing: to ask for the time costs more than all the rest.
      if (!hasTokens()) {
        networks.refill(network);
        if (!hasTokens()) throw refused({ limit: 'rate', seconds: 1 / FAILED_ATTEMPTS_PER_SECOND }, name, OF_NETWORK);
      }
      places.taken++;
      let isHeld = true;
      return outcome => {
        if (!isHeld) return;
        isHeld = false;
        places.taken--;
        if (outcome === 'done') return;
        networks.refill(network);
        network.tokens--;
      };
    },

    get clients() {
      return callers.size + clusters.size + networks.size;
    },
  };
}

type Messages = Readonly<Record<ThrottleReason, string>>;

const OF_CLIENT: Messages = {
  requests: 'too many requests of this client are being answered: wait for some of them',
  watches: 'this client has too many open watches and upgraded connections: close some of them',
  rate: 'this client sends requests faster than it may',
};

const OF_ACCOUNTS: Messages = {
  requests: 'too many requests of the service accounts of this logical cluster are being answered: wait for some of them',
  watches: 'the service accounts of this logical cluster have too many open watches and upgraded connections: close some of them',
  rate: 'the service accounts of this logical cluster send requests faster than they may',
};

const OF_NETWORK: Messages = {
  ...OF_CLIENT,
  requests: 'too many tokens of this network are being looked at: wait for some of them',
  rate: 'too many tokens of this network were not valid',
};
