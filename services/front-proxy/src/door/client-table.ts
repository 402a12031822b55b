/** A short request; or a watch, a followed log or an upgrade, which last. */
export type RequestKind = 'unary' | 'stream';

/** What each client of a table may have. 0 of anything but `burst` is no limit. */
export interface Quota extends Readonly<Record<RequestKind, number>> {
  /** Tokens that come back per second, up to `burst` of them. */
  readonly rate: number;
  readonly burst: number;
}

/** What a client has too much of. */
export type ThrottleReason = 'requests' | 'watches' | 'rate';

export interface Lack {
  readonly limit: ThrottleReason;
  /** Until it may have enough. */
  readonly seconds: number;
}

export interface Client {
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

/** Below that many nobody looks for idle ones. */
const FEW_CLIENTS = 1_000;
/** Milliseconds between two looks for idle clients when there are too many of them. */
const LOOK_AGAIN_MS = 1_000;

/** Clients of one kind by their names, of which outsiders choose as many as they like: those that are busy, and few of the others. */
export class ClientTable {
  readonly quota: Quota;
  readonly #held = { unary: new MeanHeld(), stream: new MeanHeld() };
  readonly #now: () => number;
  readonly #maxClients: number;
  readonly #clients = new Map<string, Client>();
  // When all places are taken by clients that are busy, those that come then share one; users and strangers apart, of whom there can be
  // any number.
  readonly #users: Client;
  readonly #strangers: Client;
  #lookAt: number;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(quota: Quota, now: () => number, maxClients: number) {
    this.quota = quota;
    this.#now = now;
    this.#maxClients = maxClients;
    this.#lookAt = Math.min(FEW_CLIENTS, maxClients);
    this.#users = this.#newClient();
    this.#strangers = this.#newClient();
  }

  get size(): number {
    return this.#clients.size;
  }

  clientOf(name: string, isStranger = false): Client {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    if (this.#clients.size >= this.#lookAt) this.#forgetIdle(this.#now());
    if (this.#clients.size >= this.#maxClients) return isStranger ? this.#strangers : this.#users;
    const client = this.#newClient();
    this.#clients.set(name, client);
    return client;
  }

  /** What the client has not that a request of this kind takes. */
  lackOf(client: Client, kind: RequestKind): Lack | undefined {
    const { rate, [kind]: most } = this.quota;
    if (most > 0 && client[kind].taken >= most) {
      return { limit: kind === 'unary' ? 'requests' : 'watches', seconds: this.#held[kind].seconds / most };
    }
    if (rate === 0) return undefined;
    const tokens = this.refill(client);
    return tokens < 1 ? { limit: 'rate', seconds: (1 - tokens) / rate } : undefined;
  }

  /** Takes what a request of this kind takes; the returned function gives the place back, and only its first call counts. */
  take(client: Client, kind: RequestKind): () => void {
    const { rate, [kind]: most } = this.quota;
    const places = client[kind];
    if (rate > 0) client.tokens--;
    places.taken++;
    // To ask for the time costs more than all the rest, and only who comes near a limit needs to know when it ends.
    const since = most > 0 && 2 * places.taken >= most ? this.#now() : undefined;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      places.taken--;
      if (since !== undefined) this.#held[kind].add((this.#now() - since) / 1000);
    };
  }

  /** The client's tokens, with those that have come back. */
  refill(client: Client, at = this.#now()): number {
    const { rate, burst } = this.quota;
    client.tokens = Math.min(burst, client.tokens + ((at - client.countedAt) * rate) / 1000);
    client.countedAt = at;
    return client.tokens;
  }

  #newClient(): Client {
    return { unary: { taken: 0 }, stream: { taken: 0 }, tokens: this.quota.burst, countedAt: this.#now() };
  }

  /** Each look makes place for as many as it has looked at, or is a second away from the next one. */
  #forgetIdle(at: number): void {
    if (this.#clients.size >= this.#maxClients && at - this.#lookedAt < LOOK_AGAIN_MS) return;
    this.#lookedAt = at;
    for (const [name, client] of this.#clients) if (this.#isIdle(client, at)) this.#clients.delete(name);
    this.#lookAt = Math.min(this.#maxClients, Math.max(FEW_CLIENTS, 2 * this.#clients.size));
  }

  /** Of these nothing is to be remembered. */
  #isIdle(client: Client, at: number): boolean {
    const { rate, burst } = this.quota;
    return client.unary.taken === 0 && client.stream.taken === 0 && (rate === 0 || this.refill(client, at) >= burst);
  }
}

/** How long a place was held on the average of late; divided by the places a client has, the time until one is free again. */
class MeanHeld {
  seconds = 0;

  add(seconds: number): void {
    this.seconds += (seconds - this.seconds) / 16;
  }
}
