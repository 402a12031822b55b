import type { Clock } from '../informer/clock.ts';

/** Somebody who watches a collection that is not served. */
export interface Waiting {
  /** Called once: the shard serves it now. */
  served(): void;
  /** Still not, at this version. */
  bookmark(version: string): void;
}

export interface VacancyOptions {
  readonly clock: Clock;
  /** Whether the shard serves the collection by now. */
  readonly isServed: () => Promise<boolean>;
  /** The shard's newest resourceVersion. */
  readonly currentVersion: () => Promise<string>;
}

/** Milliseconds that a vacancy is believed in without anybody looking: an informer watches as soon as it has listed. */
const KEPT_MS = 10_000;
/** Milliseconds between two looks, and between two when there is reason to hope; each is drawn from here to twice that. */
const PAUSE_MS = 1000;
const SHORT_PAUSE_MS = 100;
/**
 * Looks in a hurry, after each call of `look` and after it was served: kcp serves an API half a second after its first binding is bound,
 * and its watches later still.
 */
const SHORT_PAUSES = 20;
const BOOKMARK_MS = 60_000;

/**
 * A collection that a shard does not serve. A version is read before the shard is asked once more whether it serves the collection: up to
 * it there is no object, so that who has been told that the collection is empty at this version can watch from there and misses nothing.
 */
export class Vacancy {
  readonly clock: Clock;
  readonly #options: VacancyOptions;
  readonly #waiting = new Set<Waiting>();
  #since: string | undefined;
  #version = '';
  #keptUntil: number;
  #bookmarkAt: number;
  #cancelPause = (): void => {};
  #looking = false;
  #reading: Promise<boolean> | undefined;
  #hurry = 0;

  constructor(options: VacancyOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.#keptUntil = options.clock.now() + KEPT_MS;
    this.#bookmarkAt = options.clock.now() + BOOKMARK_MS;
  }

  /** From this version on the collection has not been served: who knows of objects at an older one may not hear that they are gone. */
  get since(): string {
    return this.#since ?? '';
  }

  /** At this version there is no object. */
  get version(): string {
    return this.#version;
  }

  get isKept(): boolean {
    return this.#waiting.size > 0 || this.clock.now() < this.#keptUntil;
  }

  /**
   * Asked by who was just told that the collection is not served. True: still so, and at `atLeast` if there is such a version. Rejects when
   * the shard does not say.
   */
  async confirm(atLeast: string): Promise<boolean> {
    this.#keptUntil = this.clock.now() + KEPT_MS;
    if (this.#since !== undefined && !isOlder(this.#version, atLeast)) return true;
    this.#reading ??= this.#readVersion().finally(() => {
      this.#reading = undefined;
    });
    if (!(await this.#reading)) return false;
    // What was begun by another may have been too early.
    return isOlder(this.#version, atLeast) ? this.#readVersion() : true;
  }

  /** Calls back until it is served, or until the returned function is called. */
  wait(waiting: Waiting): () => void {
    this.#waiting.add(waiting);
    if (this.#waiting.size === 1) this.#pause();
    return () => {
      this.#waiting.delete(waiting);
      if (this.#waiting.size === 0) this.#cancelPause();
    };
  }

  /** There is reason to hope. */
  look(): void {
    this.#hurry = SHORT_PAUSES;
    if (this.#waiting.size > 0) void this.#look();
  }

  /** The shard serves it. */
  fill(): void {
    this.#cancelPause();
    this.#since = undefined;
    this.#hurry = SHORT_PAUSES;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const one of waiting) one.served();
  }

  #pause(): void {
    this.#cancelPause();
    if (this.#waiting.size === 0) return;
    const pause = this.#hurry > 0 ? SHORT_PAUSE_MS : PAUSE_MS;
    this.#hurry = Math.max(0, this.#hurry - 1);
    this.#cancelPause = this.clock.after(pause * (1 + Math.random()), () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#cancelPause();
    this.#looking = true;
    const isBookmarkDue = this.clock.now() >= this.#bookmarkAt;
    try {
      const vacant = isBookmarkDue ? await this.#readVersion() : !(await this.#options.isServed());
      if (!vacant) return this.fill();
      if (isBookmarkDue) for (const one of this.#waiting) one.bookmark(this.#version);
    } catch {
      // A shard that does not say is asked again: until it does, nothing has changed for those who wait.
    } finally {
      this.#looking = false;
      this.#pause();
    }
  }

  async #readVersion(): Promise<boolean> {
    const version = await this.#options.currentVersion();
    if (await this.#options.isServed()) return false;
    this.#since ??= version;
    if (isOlder(this.#version, version)) this.#version = version;
    this.#bookmarkAt = this.clock.now() + BOOKMARK_MS;
    return true;
  }
}

/** Versions of one shard's store are decimal. What is none is older than those that are. */
export const isOlder = (version: string, than: string): boolean =>
  DECIMAL.test(than) && (!DECIMAL.test(version) || BigInt(version) < BigInt(than));
const DECIMAL = /^\d+$/;
