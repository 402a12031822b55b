import { createHmac, randomBytes } from 'node:crypto';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { ClientLimits } from '@kcp-vw/shared/config/options.ts';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { clientName } from './client-name.ts';

/** A short request; or a watch, a followed log or an upgrade, which last. */
export type RequestKind = 'unary' | 'stream';

/** What a client has too much of. */
export type ThrottleReason = 'requests' | 'watches' | 'rate';

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

export interface ClientLimiter {
  /**
   * Takes a place for a request of this caller; the returned function gives it back, and only its first call counts. `address` is the
   * remote one. Throws a `Throttled` when the client has none left.
   */
  admit(caller: Caller, address: string, kind: RequestKind): () => void;
  /** Clients that are kept count of. */
  readonly clients: number;
}

export interface ClientLimiterDependencies {
  /** Milliseconds, of a clock that only goes forward. */
  readonly now?: () => number;
  /** Clients that are kept count of each by itself. */
  readonly maxClients?: number;
}

interface Client {
  readonly unary: Places;
  readonly stream: Places;
  /** Requests that may come at once. */
  tokens: number;
  /** When `tokens` was right. */
  countedAt: number;
}

interface Places {
  taken: number;
}

/** A few hundred bytes each. */
const MAX_CLIENTS = 20_000;
/** Nobody looks for idle clients below that many. */
const FEW_CLIENTS = 1_000;
/** Milliseconds between two looks for idle clients when there are too many of them. */
const LOOK_AGAIN_MS = 1_000;

/** Seconds. */
const MAX_RETRY_AFTER = 60;

const NOTHING = (): void => undefined;

/** Requests in flight, watches, and a token bucket for each client. A limit of 0 is none. */
export function createClientLimiter(limits: ClientLimits, dependencies: ClientLimiterDependencies = {}): ClientLimiter {
  const { now = () => performance.now(), maxClients = MAX_CLIENTS } = dependencies;
  const { requestsInFlight, watches, requestsPerSecond: rate } = limits;
  if (requestsInFlight === 0 && watches === 0 && rate === 0) return { admit: () => NOTHING, clients: 0 };

  const burst = Math.max(1, limits.burst);
  const most = { unary: requestsInFlight, stream: watches };
  const held = { unary: new MeanHeld(), stream: new MeanHeld() };
  const nameless = randomBytes(32);
  const clients = new Map<string, Client>();
  const newClient = (): Client => ({ unary: { taken: 0 }, stream: { taken: 0 }, tokens: burst, countedAt: now() });
  // When all places are taken by clients that are busy, those that come then share one; users and strangers apart, of whom there can be
  // any number.
  const shared = { users: newClient(), strangers: newClient() };

  const refill = (client: Client, at: number): number => {
    client.tokens = Math.min(burst, client.tokens + ((at - client.countedAt) * rate) / 1000);
    client.countedAt = at;
    return client.tokens;
  };
  /** Of these nothing is to be remembered. */
  const isIdle = (client: Client, at: number): boolean =>
    client.unary.taken === 0 && client.stream.taken === 0 && (rate === 0 || refill(client, at) >= burst);

  let lookAt = Math.min(FEW_CLIENTS, maxClients);
  let lookedAt = Number.NEGATIVE_INFINITY;
  /** Each look makes place for as many as it has looked at, or is a second away from the next one. */
  function forgetIdle(at: number): void {
    if (clients.size >= maxClients && at - lookedAt < LOOK_AGAIN_MS) return;
    lookedAt = at;
    for (const [name, client] of clients) if (isIdle(client, at)) clients.delete(name);
    lookAt = Math.min(maxClients, Math.max(FEW_CLIENTS, 2 * clients.size));
  }

  function clientOf(name: string, caller: Caller): Client {
    const known = clients.get(name);
    if (known !== undefined) return known;
    if (clients.size >= lookAt) forgetIdle(now());
    if (clients.size >= maxClients) return caller.method === 'anonymous' ? shared.strangers : shared.users;
    const client = newClient();
    clients.set(name, client);
    return client;
  }

  const refused = (limit: ThrottleReason, name: string, seconds: number): Throttled => {
    const hash = createHmac('sha256', nameless).update(name).digest('hex').slice(0, 8);
    return new Throttled(limit, hash, MESSAGES[limit], Math.min(MAX_RETRY_AFTER, Math.max(1, Math.ceil(seconds))));
  };

  return {
    admit(caller, address, kind) {
      const name = clientName(caller, address);
      if (name === undefined) return NOTHING;
      const client = clientOf(name, caller);
      const places = client[kind];
      if (most[kind] > 0 && places.taken >= most[kind]) {
        throw refused(kind === 'unary' ? 'requests' : 'watches', name, held[kind].seconds / most[kind]);
      }
      if (rate > 0) {
        const tokens = refill(client, now());
        if (tokens < 1) throw refused('rate', name, (1 - tokens) / rate);
        client.tokens--;
      }
      places.taken++;
      // To ask for the time costs more than all the rest, and only who comes near a limit needs to know when it ends.
      const since = most[kind] > 0 && 2 * places.taken >= most[kind] ? now() : undefined;
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        places.taken--;
        if (since !== undefined) held[kind].add((now() - since) / 1000);
      };
    },
    get clients() {
      return clients.size;
    },
  };
}

const MESSAGES: Readonly<Record<ThrottleReason, string>> = {
  requests: 'too many requests of this client are being answered: wait for some of them',
  watches: 'this client has too many open watches and upgraded connections: close some of them',
  rate: 'this client sends requests faster than it may',
};

/** How long a place was held on the average of late; divided by the places a client has, the time until one is free again. */
class MeanHeld {
  seconds = 0;

  add(seconds: number): void {
    this.seconds += (seconds - this.seconds) / 16;
  }
}
