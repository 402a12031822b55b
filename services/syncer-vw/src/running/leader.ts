import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { type Clock, sleep, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { type Lease, type LeaseSpec, microTime, readLease, writeLease } from './lease.ts';

export interface LeaderOptions {
  readonly upstream: Upstream;
  /** Of the Lease, which is made if it is not there: `/apis/coordination.k8s.io/v1/namespaces/<namespace>/leases/<name>`. */
  readonly path: string;
  /** Of no other process, and of none that was here before. */
  readonly identity: string;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly clock?: Clock;
  /** Wall-clock time, milliseconds since the epoch: only for what is written. */
  readonly now?: () => number;
  readonly timing?: Partial<LeaderTiming>;
}

/** Milliseconds; the defaults are those of Kubernetes' controllers. */
export interface LeaderTiming {
  /** How long after the last change that was seen of it a lease is somebody's. */
  readonly leaseDuration: number;
  /** How long after the last renewal, at the latest, leading ends. */
  readonly renewDeadline: number;
  /** Between two attempts. */
  readonly retryPeriod: number;
}

const TIMING: LeaderTiming = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 };
const RELEASE_TIMEOUT_MS = 2_000;

export interface Leading {
  isLeading(): boolean;
  /** Ends leading, and then gives the lease back for others to take at once. */
  stop(): Promise<void>;
}

/** A name for this process, which no other one has. */
export const leaderIdentity = (): string => `${hostname()}_${randomUUID()}`;

/**
 * Leads whenever this process has the lease, as client-go's leader election has it. `lead` begins with it; its signal is aborted when
 * the lease could not be renewed in time, well before another process may take it, and it resolves when all that it did has ended.
 * Nothing that fails here is fatal: it is said, and tried again.
 */
export function runLeading(options: LeaderOptions, lead: (signal: AbortSignal) => Promise<void>): Leading {
  const { path, identity, log, clock = systemClock } = options;
  const timing = { ...TIMING, ...options.timing };
  const ending = new AbortController();
  const claim = leaseClaim(options, timing);
  let isLeading = false;
  let said = '';

  /** True: the lease is ours, until `renewDeadline` after the attempt began. */
  const attempt = async (signal: AbortSignal): Promise<boolean> => {
    try {
      const taken = await claim.take(signal);
      said = '';
      return taken;
    } catch (err) {
      const { message } = err as Error;
      // Every two seconds the same would be said.
      if (!signal.aborted && said !== message) log.warn({ err, path }, 'the lease could not be read or written; trying again');
      said = message;
      return false;
    }
  };

  const renewUntilLost = async (began: number, over: AbortController): Promise<void> => {
    let renewed = began;
    const left = (): number => renewed + timing.renewDeadline - clock.now();
    while (!over.signal.aborted && left() > 0) {
      await sleep(clock, Math.min(timing.retryPeriod, left()), over.signal);
      if (over.signal.aborted || left() <= 0) break;
      const at = clock.now();
      // A request must not keep us beyond the deadline.
      const inTime = new AbortController();
      const end = (): void => inTime.abort();
      const cancel = clock.after(left(), end);
      over.signal.addEventListener('abort', end);
      const isRenewed = await attempt(inTime.signal);
      cancel();
      over.signal.removeEventListener('abort', end);
      if (isRenewed) renewed = at;
      else if (claim.isOthers()) break;
    }
    if (!over.signal.aborted) log.warn({ path, identity }, 'the lease is lost: this process does not lead any more');
  };

  const leadOnce = async (began: number): Promise<void> => {
    const over = new AbortController();
    const end = (): void => over.abort();
    ending.signal.addEventListener('abort', end);
    if (ending.signal.aborted) end();
    isLeading = true;
    log.info({ path, identity }, 'this process leads');
    const led = lead(over.signal).catch(err => log.warn({ err }, 'leading has failed; beginning anew'));
    await Promise.race([renewUntilLost(began, over), led]);
    end();
    ending.signal.removeEventListener('abort', end);
    isLeading = false;
    await led;
  };

  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const began = clock.now();
      if (await attempt(ending.signal)) await leadOnce(began);
      await sleep(clock, timing.retryPeriod, ending.signal);
    }
    await claim
      .release()
      .catch(err => log.warn({ err, path }, 'the lease could not be given back: others take it when its time is over'));
  };
  const ended = run();

  return {
    isLeading: () => isLeading,
    stop() {
      ending.abort();
      return ended;
    },
  };
}

/** The lease as it was seen last, and what can be done with it. */
function leaseClaim(options: LeaderOptions, { leaseDuration, renewDeadline }: LeaderTiming) {
  const { upstream, path, identity, clock = systemClock, now = () => Date.now() } = options;
  const request = { upstream, path, timeout: renewDeadline / 2 };
  let observed: Lease | undefined;
  /** When it was seen to change, by our own clock: those of other processes may be wrong. */
  let changedAt = Number.NEGATIVE_INFINITY;

  const observe = (lease: Lease | undefined): void => {
    if (!isDeepStrictEqual(observed?.spec, lease?.spec)) changedAt = clock.now();
    observed = lease;
  };
  const holder = (): string => observed?.spec?.holderIdentity ?? '';
  const isHeldByOther = (): boolean => {
    const { leaseDurationSeconds } = observed?.spec ?? {};
    const duration = leaseDurationSeconds === undefined ? leaseDuration : leaseDurationSeconds * 1000;
    return holder() !== '' && holder() !== identity && clock.now() - changedAt < duration;
  };

  const ownSpec = (): LeaseSpec => {
    const { spec } = observed ?? {};
    const isOurs = holder() === identity;
    const time = microTime(now());
    const transitions = spec?.leaseTransitions ?? 0;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDuration / 1000),
      acquireTime: isOurs ? (spec?.acquireTime ?? time) : time,
      renewTime: time,
      leaseTransitions: isOurs || observed === undefined ? transitions : transitions + 1,
    };
  };

  return {
    /** Takes or renews the lease; false: it is another's, or another was faster. */
    async take(signal: AbortSignal): Promise<boolean> {
      if (holder() === identity) {
        const renewed = await writeLease({ ...request, signal }, observed, ownSpec());
        if (renewed) {
          observe(renewed);
          return true;
        }
      }
      observe(await readLease({ ...request, signal }));
      if (isHeldByOther()) return false;
      const taken = await writeLease({ ...request, signal }, observed, ownSpec());
      if (taken) observe(taken);
      return taken !== undefined;
    },
    isOthers: () => holder() !== '' && holder() !== identity,
    async release(): Promise<void> {
      if (holder() !== identity) return;
      const time = microTime(now());
      const { leaseTransitions = 0 } = observed?.spec ?? {};
      // As client-go leaves it: nobody's, and over in a second.
      const spec = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time, leaseTransitions };
      const brief = { ...request, timeout: RELEASE_TIMEOUT_MS };
      if (await writeLease(brief, observed, spec)) return;
      // A renewal that was given up may have been stored nevertheless.
      observe(await readLease(brief));
      if (holder() === identity) await writeLease(brief, observed, spec);
    },
  };
}
