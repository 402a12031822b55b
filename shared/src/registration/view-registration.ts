import { isDeepStrictEqual } from 'node:util';
import { type Backoff, createBackoff } from '../informer/backoff.ts';
import { type Clock, sleep } from '../informer/clock.ts';
import type { Logger } from '../observe/log.ts';
import type { RegistryConnection } from './registry-connection.ts';
import { applyEntry, applyLease, deleteLease, type RecordsOf, RegistryRefusal, readEntry } from './view-records.ts';
import type { VirtualWorkspaceEndpoint } from './virtual-workspace.ts';

export interface ViewRegistrationOptions extends RecordsOf {
  readonly connection: RegistryConnection;
  readonly leaseSeconds: number;
  readonly entry: VirtualWorkspaceEndpoint;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly clock: Clock;
  /** Wall-clock time. */
  readonly date: () => Date;
  /** In [0, 1). */
  readonly random: () => number;
}

/** What one process says of one view. */
/** What one process says of one view. */
export interface ViewRegistration {
  /** What the entry is from now on. `atOnce`: also when it has changed often of late, or could not be told. */
  say(entry: VirtualWorkspaceEndpoint, atOnce?: boolean): void;
  /** Resolves when the registry has been told, or could not be. */
  told(): Promise<void>;
  /** Takes the entry and the lease back, as far as they can be, and ends. */
  withdraw(): Promise<void>;
}

const RETRY = { initial: 1_000, max: 10_000 };
/** The pause after a change grows while changes follow one another, and is short again after so long without. */
const FLAPPING = { initial: 500, max: 10_000, stableAfter: 20_000 };

/** Keeps entry and lease of one view: a loop that changes wake, and that does one thing at a time, so that no request overtakes another. */
export function registerView(options: ViewRegistrationOptions): ViewRegistration {
  const { view, connection, leaseSeconds, log, clock, date, random } = options;
  const lease = { durationSeconds: leaseSeconds, acquired: date() };
  const flapping = createBackoff(clock, { ...FLAPPING, random });
  const retrying = { ...RETRY, max: Math.min(RETRY.max, leaseSeconds * 1_000), random };
  let retry: Backoff | undefined;
  let wanted = options.entry;
  /** What the registry has, as far as is known. */
  let applied: VirtualWorkspaceEndpoint | undefined;
  let renewAt = clock.now();
  let applyAt = clock.now();
  const waiting: (() => void)[] = [];
  let ending = false;
  let state = '';
  let alarm = new AbortController();

  const isTold = (): boolean => isDeepStrictEqual(wanted, applied);
  const changeTo = (next: string): boolean => {
    const changed = state !== next;
    state = next;
    return changed;
  };

  /** Does what is due. Rejects when it cannot be done. */
  const work = async (): Promise<void> => {
    const registry = await connection.get();
    if (clock.now() >= renewAt) {
      // The object may have been deleted and made again, or somebody may have written into it.
      if (!isDeepStrictEqual(await readEntry(registry, options), applied)) applied = undefined;
      await applyLease(registry, options, { ...lease, renewed: date() });
      renewAt = clock.now() + ((leaseSeconds * 1_000) / 3) * (1 - 0.2 * random());
    }
    if (!isTold() && (applied === undefined || clock.now() >= applyAt)) {
      const entry = wanted;
      // Without an answer nobody knows which of the two it has.
      applied = undefined;
      await applyEntry(registry, options, entry);
      applied = entry;
      applyAt = clock.now() + flapping.next();
    }
    connection.answered();
    if (changeTo('registered')) log.info({ view, registry: registry.description, url: wanted.url }, 'registered');
  };

  const failed = (err: unknown): void => {
    if (!(err instanceof RegistryRefusal)) {
      connection.failed(err);
      return;
    }
    connection.answered();
    const reason = err.message;
    if (err.code === 404) {
      if (changeTo('missing')) log.warn({ view, reason }, `not registered: "${view}" is not installed there; waiting for it`);
    } else if (changeTo(`${err.code} ${err.right}`)) {
      const why = err.code === 403 ? 'the right is missing to' : 'it was refused to';
      log.warn({ view, reason }, `not registered: ${why} ${err.right}; trying again`);
    }
  };

  /** Returns the milliseconds until something is due. */
  const step = async (): Promise<number> => {
    try {
      await work();
      retry = undefined;
      return (isTold() ? renewAt : Math.min(renewAt, applyAt)) - clock.now();
    } catch (error) {
      failed(error);
      retry ??= createBackoff(clock, retrying);
      return retry.next();
    }
  };

  const run = async (): Promise<void> => {
    while (!ending) {
      alarm = new AbortController();
      const wait = await step();
      if (isTold() || retry !== undefined) for (const resolve of waiting.splice(0)) resolve();
      await sleep(clock, Math.max(0, wait), alarm.signal);
    }
  };
  const ended = run();

  const takeBack = async (): Promise<void> => {
    const registry = connection.current();
    if (registry === undefined) return;
    for (const act of [() => applyEntry(registry, options, undefined), () => deleteLease(registry, options)]) {
      await act().catch(err => {
        if (err instanceof RegistryRefusal && err.code === 404) return;
        log.warn({ err, view }, 'could not be withdrawn: front proxies will leave it alone when its lease has ended');
      });
    }
  };

  return {
    say(entry, atOnce = false) {
      wanted = entry;
      if (atOnce) applyAt = clock.now();
      if (atOnce || retry === undefined) alarm.abort();
    },
    told: () => (isTold() ? Promise.resolve() : new Promise(resolve => void waiting.push(resolve))),
    async withdraw() {
      ending = true;
      alarm.abort();
      await ended;
      await takeBack();
    },
  };
}
