import { hash as digestOf, randomBytes } from 'node:crypto';

export interface ReviewCacheOptions {
  /** Answers kept, 4,096 by default; the least recently used one goes first. */
  readonly maxEntries?: number;
  /** Milliseconds of a clock that never goes back; default `performance.now()`. */
  readonly clock?: () => number;
  /** The keys hold nothing that must not be found in memory, and are kept as they are; what is long in them has been digested. */
  readonly plainKeys?: boolean;
  /** Told how each answer came about: kept, shared with an identical review under way, by asking, or not at all. */
  readonly onResult?: (result: 'hit' | 'joined' | 'miss' | 'error') => void;
}

/** An answer and how many seconds it is believed; 0: not kept. */
export interface Reviewed<T> {
  readonly answer: T;
  readonly ttl: number;
}

export interface ReviewCacheStats {
  /** Answered without a review of its own: kept answers, and those shared with an identical review under way. */
  readonly hits: number;
  readonly misses: number;
  readonly size: number;
}

export interface ReviewCache<T> {
  /** The kept answer for `key`, else that of `review`. Identical reviews under way are one. A rejected review is not kept. */
  get(key: string, review: () => Promise<Reviewed<T>>): Promise<T>;
  /** A text that stands for this one in keys of this cache, as short as a hash and as hard to guess. */
  digest(text: string): string;
  stats(): ReviewCacheStats;
}

/**
 * Answers of TokenReviews and SubjectAccessReviews, believed for a while. Keys are hashed behind random bytes of this process, so
 * that neither a heap dump nor a guess of the hash gives a token away; those without secrets need not be.
 */
export function createReviewCache<T>({
  maxEntries = 4096,
  clock = () => performance.now(),
  plainKeys = false,
  onResult = () => undefined,
}: ReviewCacheOptions): ReviewCache<T> {
  const secret = randomBytes(32).toString('base64');
  const digest = (text: string): string => digestOf('sha256', secret + text, 'base64');
  // In the order of use, once there are many: a Map keeps the order of insertion.
  const kept = new Map<string, { readonly answer: T; readonly until: number }>();
  const underWay = new Map<string, Promise<T>>();
  let hits = 0;
  let misses = 0;

  async function answerOf(hash: string, review: () => Promise<Reviewed<T>>): Promise<T> {
    try {
      // Not before `underWay` knows of it, even if `review` throws at once.
      const { answer, ttl } = await Promise.resolve().then(review);
      if (ttl > 0) keep(hash, answer, clock() + ttl * 1000);
      onResult('miss');
      return answer;
    } catch (error) {
      onResult('error');
      throw error;
    } finally {
      underWay.delete(hash);
    }
  }

  function keep(hash: string, answer: T, until: number): void {
    kept.set(hash, { answer, until });
    for (const oldest of kept.keys()) {
      if (kept.size <= maxEntries) break;
      kept.delete(oldest);
    }
  }

  return {
    get(key, review) {
      const hash = plainKeys ? key : digest(key);
      const entry = kept.get(hash);
      if (entry && clock() < entry.until) {
        if (kept.size > maxEntries / 2) {
          kept.delete(hash);
          kept.set(hash, entry);
        }
        hits++;
        onResult('hit');
        return Promise.resolve(entry.answer);
      }
      kept.delete(hash);
      const shared = underWay.get(hash);
      if (shared) {
        hits++;
        onResult('joined');
        return shared;
      }
      misses++;
      const answer = answerOf(hash, review);
      underWay.set(hash, answer);
      return answer;
    },
    digest,
    stats: () => ({ hits, misses, size: kept.size }),
  };
}
