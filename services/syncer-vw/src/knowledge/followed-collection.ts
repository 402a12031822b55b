import { systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { createInformer, type Informer, type InformerEvent, type InformerOptions } from '@kcp-vw/shared/informer/informer.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import { answeredUpstream } from './answered-upstream.ts';

/**
 * `waiting`: it was never read, and nobody has said that it is not to be had. `current`: it is being followed. `behind`: it was, and is not
 * now, for want of an answer. `absent` and `forbidden`: the last answer was 404 or 403, whatever was read before.
 */
export type Standing = 'waiting' | 'current' | 'behind' | 'absent' | 'forbidden';

/** For tests, and how often what is not there yet is asked for. */
export type FollowingTiming = Pick<InformerOptions<KubeObject>, 'clock' | 'backoff' | 'timing'>;

export interface FollowedCollection<T extends KubeObject> {
  readonly standing: Standing;
  /** Whether it was tried at all, with whatever outcome. */
  readonly isTried: boolean;
  /** It has been refused for so long that what was read before counts no more. */
  readonly isGivenUp: boolean;
  readonly relists: number;
  get(cluster: string, name: string): T | undefined;
  list(): readonly T[];
  /** Tells nobody anything any more. */
  stop(): void;
}

export interface CollectionOptions<T extends KubeObject>
  extends FollowingTiming,
    Pick<InformerOptions<T>, 'upstream' | 'path' | 'name'> {
  readonly project: (object: KubeObject) => T;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  /** 404 is nothing to warn of. */
  readonly mayBeAbsent?: boolean;
  readonly onEvent?: (event: InformerEvent<T>) => void;
  /** Called after every change: once for all that a list has brought, and when its standing is another. */
  readonly onChange: () => void;
}

/** Whoever has nothing to be read yet is asked again so soon. */
const BACKOFF = { max: 10_000 };
const LOG_PAUSE_MS = 60_000;
/**
 * What was read before it was refused counts so long. Servers refuse for a moment while they start, and whoever deletes what is not there any more
 * would delete all. Longer, and a provider could keep a consumer by taking away the right to see that it has left.
 */
export const KEPT_WHEN_REFUSED_MS = 300_000;

/** Follows a collection that may not be there, or not for us. */
export function followCollection<T extends KubeObject>(options: CollectionOptions<T>): FollowedCollection<T> {
  const { name, log, onChange, onEvent, mayBeAbsent = false, clock = systemClock } = options;
  let refusal: 'absent' | 'forbidden' | undefined;
  /** There was no answer to the last request. */
  let isAway = false;
  let hasAnswered = false;
  let isTried = false;
  let isGivenUp = false;
  let isStopped = false;
  let relistsBefore = 0;
  let told: Standing = 'waiting';
  let logged: { readonly standing: Standing; readonly at: number } | undefined;
  let cancelForgetting: (() => void) | undefined;
  let informer: Informer<T>;

  const standing = (): Standing => {
    if (refusal !== undefined) return isAway ? 'behind' : refusal;
    if (!informer.synced()) return 'waiting';
    const { connected, lastError } = informer.status;
    return connected || lastError === undefined ? 'current' : 'behind';
  };

  const look = (): void => {
    if (isStopped || standing() === told) return;
    told = standing();
    onChange();
  };

  function answered(status: number): void {
    if (isStopped) return;
    const before = refusal;
    refusal = status === 404 ? 'absent' : status === 403 ? 'forbidden' : undefined;
    hasAnswered = true;
    isAway = false;
    if (refusal === undefined) stopForgetting();
    else if (before === undefined) cancelForgetting = clock.after(KEPT_WHEN_REFUSED_MS, forget);
  }

  function stopForgetting(): void {
    isGivenUp = false;
    cancelForgetting?.();
    cancelForgetting = undefined;
  }

  function failed(err: Error, attempt: number): void {
    isTried = true;
    // Without attempts it was a listener.
    if (attempt > 0) {
      isAway = !hasAnswered;
      hasAnswered = false;
    }
    const now = clock.now();
    if (logged?.standing !== standing() || now - logged.at >= LOG_PAUSE_MS) {
      logged = { standing: standing(), at: now };
      const fields = { err, informer: name, attempt };
      if (mayBeAbsent && refusal === 'absent') log.debug(fields, 'there is no such collection; trying again');
      else log.warn(fields, 'list or watch failed; trying again');
    }
    look();
  }

  /** What was there is gone for all that we may know. */
  function forget(): void {
    cancelForgetting = undefined;
    isGivenUp = true;
    if (informer.synced()) {
      const gone = informer.list();
      informer.stop();
      relistsBefore += informer.status.relists;
      begin();
      for (const object of gone) onEvent?.({ type: 'DELETED', object, previous: object });
      log.warn({ informer: name, objects: gone.length }, 'it has been refused for long: what was known of it is forgotten');
    }
    onChange();
  }

  function begin(): void {
    const { upstream, path, project, backoff = BACKOFF, timing } = options;
    const made = createInformer<T>({
      ...{ name, path, project, backoff, clock, onError: failed },
      ...(timing && { timing }),
      upstream: answeredUpstream(upstream, answered),
      batch(emit) {
        emit();
        told = standing();
        if (!isStopped) onChange();
      },
    });
    informer = made;
    if (onEvent) made.onEvent(onEvent);
    made.start();
    // An empty list is no change of objects. It rejects when it is stopped before, and then nobody is to be told.
    void made.whenSynced().then(
      () => {
        isTried = true;
        if (made === informer) look();
      },
      () => undefined,
    );
  }

  begin();
  return {
    get standing() {
      return standing();
    },
    get isTried() {
      return isTried || informer.synced();
    },
    get isGivenUp() {
      return isGivenUp;
    },
    get relists() {
      return relistsBefore + informer.status.relists;
    },
    get: (cluster, object) => informer.get(cluster, object),
    list: () => informer.list(),
    stop() {
      isStopped = true;
      stopForgetting();
      informer.stop();
    },
  };
}

/** Whether all is known that may be known. */
export const isSettled = ({ standing }: Pick<FollowedCollection<KubeObject>, 'standing'>): boolean => standing !== 'waiting';

/**
 * Whether what is not in it is certainly not there for us. What is not to be had is as good as empty, but not at once: a server that starts says
 * so as well.
 */
export const isCertain = ({ standing, list, isGivenUp }: FollowedCollection<KubeObject>): boolean =>
  standing === 'current' ||
  (standing === 'absent' && list().length === 0) ||
  (isGivenUp && (standing === 'absent' || standing === 'forbidden'));

/** Of several as one, for metrics. */
export const observed = (
  collections: Iterable<Pick<FollowedCollection<KubeObject>, 'standing' | 'relists'>>,
): { readonly synced: boolean; readonly relists: number } => {
  const all = [...collections];
  return { synced: all.every(isSettled), relists: all.reduce((sum, { relists }) => sum + relists, 0) };
};
