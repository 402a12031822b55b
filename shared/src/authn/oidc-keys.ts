import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { serviceUnavailable } from '../kube/errors.ts';

/** Keys this old are asked for again; those in use stay when there is no answer. */
const REFRESH_AFTER_MS = 10 * 60_000;
/** And this old they count no more: a key that was withdrawn must not live on because its issuer is out of reach. */
const FORGET_AFTER_MS = 60 * 60_000;
/** Between two questions when one has succeeded: tokens with made-up key ids come as often as somebody likes. */
const COOLDOWN_MS = 30_000;
/** After a failure; twice as long after each further one, until the cooldown. */
const FIRST_PAUSE_MS = 1_000;

export interface IssuerKeysOptions {
  /** Named in messages. */
  readonly issuer: string;
  /** The keys as the issuer publishes them now. */
  readonly fetchKeys: () => Promise<unknown>;
  /** Told of every failure; the keys in use stay. */
  readonly onError: (error: Error) => void;
  /** Milliseconds of a clock that never goes back; default `performance.now()`. */
  readonly clock?: () => number;
}

interface KeySet {
  readonly keyOf: JWTVerifyGetKey<CryptoKey>;
  readonly fetchedAt: number;
}

/**
 * The keys of an issuer, fetched when the first token needs them: an issuer that is down keeps nothing from starting. Not jose's own
 * `createRemoteJWKSet`, whose cooldown begins with a success: an issuer in trouble would be asked for each token.
 *
 * Throws a StatusError 503 when there are no keys to tell by. Kubernetes answers 401, which clients take for their token's fault: they
 * log in again, at the issuer that is down.
 */
export function createIssuerKeys({
  issuer,
  fetchKeys,
  onError,
  clock = () => performance.now(),
}: IssuerKeysOptions): JWTVerifyGetKey<CryptoKey> {
  let known: KeySet | undefined;
  let underWay: Promise<void> | undefined;
  let mayFetchAt = Number.NEGATIVE_INFINITY;
  let pause = FIRST_PAUSE_MS;

  async function fetchNow(): Promise<void> {
    try {
      const keyOf = createLocalJWKSet((await fetchKeys()) as JSONWebKeySet);
      known = { keyOf, fetchedAt: clock() };
      pause = FIRST_PAUSE_MS;
      mayFetchAt = clock() + COOLDOWN_MS;
    } catch (cause) {
      mayFetchAt = clock() + pause;
      pause = Math.min(2 * pause, COOLDOWN_MS);
      onError(new Error(`the keys of ${issuer} cannot be had: ${cause instanceof Error ? cause.message : cause}`, { cause }));
    }
  }

  /** Waits for a question that is under way; asks one when it is time. Never rejects. */
  function refresh(): Promise<void> {
    if (underWay === undefined && clock() < mayFetchAt) return Promise.resolve();
    underWay ??= fetchNow().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  const ageOf = (set: KeySet): number => clock() - set.fetchedAt;

  async function current(): Promise<KeySet> {
    if (known === undefined || ageOf(known) >= FORGET_AFTER_MS) await refresh();
    else if (ageOf(known) >= REFRESH_AFTER_MS) void refresh();
    if (known !== undefined && ageOf(known) < FORGET_AFTER_MS) return known;
    const seconds = Math.max(1, Math.ceil((mayFetchAt - clock()) / 1000));
    throw serviceUnavailable(`tokens of ${issuer} cannot be validated now`, seconds);
  }

  return async (header, token) => {
    const set = await current();
    try {
      return await set.keyOf(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // A key that is new, or none at all.
      await refresh();
      const next = await current();
      if (next === set) throw error;
      return next.keyOf(header, token);
    }
  };
}
