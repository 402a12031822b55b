import { createHash } from 'node:crypto';
import type { Clock } from '@kcp-vw/shared/informer/clock.ts';
import { expired, serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import type { IndexEvent, Snapshot, WorkspaceIndex } from '../index/snapshot.ts';
import { changesOf, changesSince, tell } from './changes.ts';
import { type AwaitsCreated, awaitsCreated, type TimeOfDay } from './creator.ts';
import { from } from './index-sight.ts';
import { latest } from './may-enter.ts';
import type { Kept, ReviewRecords, Shown } from './review-records.ts';
import { type Target, targetOf } from './review-target.ts';
import type { Seen, SeenEvent } from './sight.ts';
import type { Turns } from './turns.ts';
import type { Viewer } from './viewer.ts';

export interface RecordSettings {
  readonly index: WorkspaceIndex;
  readonly turns: Turns;
  readonly clock: Clock;
  /** Milliseconds between two reviews of everything while somebody watches. */
  readonly interval: number;
  /** Milliseconds that an allowing answer counts while none can be had; then it is a no. */
  readonly staleAfter: number;
  /** Workspaces that are reviewed for one list. */
  readonly mostCandidates: number;
  readonly records: ReviewRecords<ReviewRecord>;
  readonly now: TimeOfDay;
  /** Told of reviews that fail while nobody waits for them. */
  readonly onError: (error: unknown) => void;
  /** Those that somebody watches. */
  readonly watched: Set<ReviewRecord>;
}

export interface RecordOf {
  /** Among those of others. */
  readonly key: string;
  readonly viewer: Viewer;
  /** Undefined: all. */
  readonly parent: string | undefined;
  readonly ask: (target: Target) => Promise<boolean>;
}

interface Answer {
  readonly target: Target;
  readonly allowed: boolean;
  /** The version since which it is so; 0: nobody knows. */
  readonly changed: bigint;
  /** Milliseconds of the clock. */
  readonly confirmed: number;
}

/**
 * What one caller may enter of one parent, or of all, according to reviews. An answer that differs from the one before is a change with a
 * version of its own; those before it can then no longer be watched from.
 */
export class ReviewRecord implements Kept {
  /** Whether the caller may enter the parent, as far as is known. */
  isGateOpen = false;

  readonly #settings: RecordSettings;
  readonly #of: RecordOf;
  readonly #answers = new Map<string, Answer>();
  readonly #listeners = new Set<(event: SeenEvent) => void>();
  /** To be reviewed at once. */
  readonly #urgent = new Map<string, Target>();
  readonly #isAwaited: AwaitsCreated;
  #reviewing: Promise<void> | undefined;
  /** Answers that are on their way. */
  #expected = 0;
  #isHurrying = false;
  /** From this version on nothing has changed but what the index tells; undefined: nothing has been reviewed yet. */
  #knownSince: bigint | undefined;
  #isForgotten = false;
  #stopWatching = (): void => {};

  constructor(settings: RecordSettings, of: RecordOf) {
    this.#settings = settings;
    this.#of = of;
    this.#isAwaited = awaitsCreated(of.viewer, parent => parent === of.parent && this.isGateOpen, settings.now);
  }

  get size(): number {
    return Math.max(this.#answers.size, this.#expected);
  }

  get isInUse(): boolean {
    return this.#listeners.size > 0 || this.#reviewing !== undefined;
  }

  /** Reviews everything. Rejects with a StatusError 503 when that cannot be done. */
  refresh(): Promise<void> {
    this.#reviewing ??= this.#reviewAll().finally(() => {
      this.#reviewing = undefined;
    });
    return this.#reviewing;
  }

  *list(isPast: (snapshot: Snapshot) => boolean): Iterable<Seen> {
    for (const snapshot of from(this.#candidates(), isPast)) {
      const seen = this.seen(snapshot);
      if (seen) yield seen;
    }
  }

  seen(snapshot: Snapshot | undefined): Seen | undefined {
    if (snapshot === undefined) return undefined;
    const { viewer } = this.#of;
    const { objectVersion, entrance } = snapshot;
    if (this.#isAwaited(snapshot)) return { snapshot, version: objectVersion };
    const target = targetOf(snapshot);
    if (target === undefined) return undefined;
    // A review in his own logical cluster asks for a binding, which his requests do not need.
    if (isAtHome(viewer, target)) return { snapshot, version: latest(objectVersion, entrance.version) };
    const answer = this.#answers.get(target.key);
    return answer?.allowed ? { snapshot, version: latest(objectVersion, entrance.version, answer.changed) } : undefined;
  }

  watch(version: bigint, listener: (event: SeenEvent) => void): () => void {
    const { index } = this.#settings;
    if (this.#isForgotten || this.#knownSince === undefined || version < this.#knownSince) {
      throw expired(`too old resource version: ${version} (${this.#knownSince ?? index.version})`);
    }
    changesSince(index, version, this.#of.parent, snapshot => this.seen(snapshot)).forEach(listener);
    const own = (event: SeenEvent): void => listener(event);
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.#startWatching();
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.stop();
    };
  }

  /** There may be another in its place, which knows nothing of what this one tells. */
  forget(): Shown {
    this.#isForgotten = true;
    return { since: this.#knownSince, digest: digestOf(this.#answers.values()) };
  }

  /** Nobody is told anything any more. */
  stop(): void {
    this.#listeners.clear();
    this.#urgent.clear();
    this.#stopWatching();
  }

  #startWatching(): void {
    const { index, clock, interval, onError, watched } = this.#settings;
    let isOver = false;
    let cancel = (): void => {};
    const again = (): void => {
      cancel = clock.after(interval, async () => {
        try {
          await this.refresh();
        } catch (error) {
          onError(error);
          this.#giveUpStale();
        }
        if (!isOver) again();
      });
    };
    const stopFollowing = index.follow(within(this.#of.parent), event => this.#hear(event));
    this.#stopWatching = () => {
      isOver = true;
      cancel();
      stopFollowing();
      watched.delete(this);
    };
    watched.add(this);
    again();
    // What has come since the last review of everything.
    for (const target of this.#targets()) if (!this.#answers.has(target.key)) this.#reviewSoon(target);
  }

  #hear(event: IndexEvent): void {
    // Before anything is forgotten.
    const changes = this.#changes(event);
    const { before, after } = event;
    const old = before && targetOf(before);
    const current = after && targetOf(after);
    if (old !== undefined && old.key !== current?.key) this.#forget(old.key, event.version);
    // Who is granted what is not all that the authorizer looks at, but when it changes its answer may.
    const isGrantedOtherwise =
      before?.entrance !== after?.entrance ||
      before?.mount?.edges !== after?.mount?.edges ||
      before?.mount?.shardWide !== after?.mount?.shardWide;
    if (current && isGrantedOtherwise && !isAtHome(this.#of.viewer, current)) this.#reviewSoon(current);
    tell(this.#listeners, changes);
  }

  #changes({ version, before, after }: IndexEvent): readonly SeenEvent[] {
    return changesOf(version, this.seen(before), this.seen(after));
  }

  async #reviewAll(): Promise<void> {
    const { index, mostCandidates, records } = this.#settings;
    const targets = this.#targets();
    if (targets.length > mostCandidates) {
      throw serviceUnavailable(`there are too many workspaces to review who may enter them: ${mostCandidates} at most`, 30);
    }
    if (!records.hasRoom(this, targets.length)) throw serviceUnavailable('too many reviews of access are kept', 30);
    this.#expected = targets.length;
    try {
      await this.#review(targets);
    } finally {
      this.#expected = 0;
    }
    const current = new Set(this.#targets().map(({ key }) => key));
    for (const key of [...this.#answers.keys()]) if (!current.has(key)) this.#forget(key, index.version);
    this.#knownSince ??= records.knownSince(this.#of.key, digestOf(this.#answers.values()));
  }

  #review(targets: readonly Target[]): Promise<void> {
    return this.#settings.turns.each(this.#of.viewer.name, targets, async target =>
      this.#settle(target, await this.#of.ask(target)),
    );
  }

  /** At once; if that fails the next review of everything makes up for it. */
  #reviewSoon(target: Target): void {
    if (this.#urgent.size >= this.#settings.mostCandidates) return;
    this.#urgent.set(target.key, target);
    if (!this.#isHurrying) void this.#hurry();
  }

  async #hurry(): Promise<void> {
    this.#isHurrying = true;
    try {
      while (this.#urgent.size > 0) {
        // Whatever comes while these are asked about is asked about again: their answers may be of before.
        const batch = [...this.#urgent.values()];
        this.#urgent.clear();
        await this.#review(batch);
      }
    } catch (error) {
      this.#settings.onError(error);
    } finally {
      this.#urgent.clear();
      this.#isHurrying = false;
    }
  }

  #settle(target: Target, allowed: boolean): void {
    const { index, clock, records } = this.#settings;
    const snapshot = index.find(target.parent, target.name);
    if (snapshot === undefined || targetOf(snapshot)?.key !== target.key) return;
    const known = this.#answers.get(target.key);
    // It stays hidden: the next review of everything fails, and says why.
    const isExpected = known !== undefined || this.#answers.size < this.#expected;
    if (!isExpected && !records.hasRoom(this, this.#answers.size + 1)) return;
    const isChanged = (known?.allowed ?? false) !== allowed;
    const isFirst = this.#knownSince === undefined;
    const before = this.seen(snapshot);
    const changed = isChanged && !isFirst ? index.advance() : (known?.changed ?? 0n);
    this.#answers.set(target.key, { target, allowed, changed, confirmed: clock.now() });
    if (!isChanged || isFirst) return;
    this.#knownSince = changed;
    tell(this.#listeners, changesOf(changed, before, this.seen(snapshot)));
  }

  /** Who may not be asked about for long is not believed to be allowed for ever. */
  #giveUpStale(): void {
    const { clock, staleAfter, onError } = this.#settings;
    for (const { target, allowed, confirmed } of [...this.#answers.values()]) {
      if (!allowed || clock.now() - confirmed < staleAfter) continue;
      try {
        this.#settle(target, false);
      } catch (error) {
        onError(error);
      }
    }
  }

  /** Of what is gone or closed. An answer that was yes is needed to replay what was before; so that cannot be asked for any more. */
  #forget(key: string, version: bigint): void {
    const known = this.#answers.get(key);
    this.#answers.delete(key);
    if (known?.allowed && this.#knownSince !== undefined) this.#knownSince = latest(this.#knownSince, version);
  }

  #targets(): readonly Target[] {
    const targets: Target[] = [];
    for (const snapshot of this.#candidates()) {
      const target = targetOf(snapshot);
      if (target && !isAtHome(this.#of.viewer, target)) targets.push(target);
    }
    return targets;
  }

  #candidates(): Iterable<Snapshot> {
    return this.#settings.index.candidates(within(this.#of.parent));
  }
}

function digestOf(answers: Iterable<Answer>): string {
  const keys = [...answers].filter(({ allowed }) => allowed).map(({ target }) => target.key);
  return createHash('sha256').update(JSON.stringify(keys.sort())).digest('base64');
}

const within = (parent: string | undefined): { readonly parent?: string } => (parent === undefined ? {} : { parent });

const isAtHome = (viewer: Viewer, { cluster, isMount }: Target): boolean => !isMount && viewer.in(cluster).isLocalServiceAccount;
