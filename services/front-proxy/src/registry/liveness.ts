import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { createInformer, type InformerEvent } from '@kcp-vw/shared/informer/informer.ts';
import type { Registry } from '@kcp-vw/shared/registration/registry-access.ts';
import { LEASES_PATH, namespaceOf } from '@kcp-vw/shared/registration/virtual-workspace.ts';
import { type Lease, leaseOf, readMark } from './lease-times.ts';

/** One process as a server of one view. */
export interface InstanceOfView {
  readonly view: string;
  readonly instance: string;
}

/** Which instances are alive, by their leases. */
export interface Liveness {
  /** The instances of a view that matter from now on; an empty list ends it. */
  expect(view: string, instances: readonly string[]): void;
  isAlive(of: InstanceOfView): boolean;
  /** Those that have been dead for so many milliseconds and longer. */
  deadFor(milliseconds: number): readonly InstanceOfView[];
  /** Told the view when one of its instances has died, or has come back. */
  onChange(listener: (view: string) => void): () => void;
  close(): void;
}

export interface LivenessOptions {
  readonly registry: Pick<Registry, 'upstream' | 'basePath'>;
  /** How long a lease counts that does not say it, and how long an instance may be without one. */
  readonly leaseSeconds: number;
  readonly clock?: Clock;
  readonly onError: (error: Error) => void;
}

const LOOK_MS = 1_000;
/** Leases that are asked about in one look. */
const ASKED_AT_ONCE = 8;

interface Tracked extends InstanceOfView {
  /** Of its lease, as it was seen last; undefined: there is none. */
  mark: string | undefined;
  milliseconds: number;
  /** When it was seen to be renewed, by our clock. */
  since: number;
  deadSince: number | undefined;
  isAsked: boolean;
}

const idOf = ({ view, instance }: InstanceOfView): string => `${namespaceOf(view)}/${instance}`;

/**
 * Judged by what is observed here, as client-go does when it elects leaders: clocks of other hosts differ. A lease has expired when it has not
 * changed for its duration **while the registry could be followed**, and when the registry, asked about just that lease, says so too: a watch
 * may be open and dead. With the registry away all are as they were, and each gets a whole duration when it is back.
 */
export function followLiveness({ registry, leaseSeconds, clock = systemClock, onError }: LivenessOptions): Liveness {
  const tracked = new Map<string, Tracked>();
  const listeners = new Set<(view: string) => void>();
  const defaultMs = leaseSeconds * 1_000;
  let isAway = true;
  let closed = false;

  const leases = createInformer<Lease>({
    upstream: registry.upstream,
    path: `${registry.basePath}${LEASES_PATH}`,
    name: 'leases of the registry',
    project: leaseOf,
    indexes: { id: ({ metadata }) => [`${metadata?.namespace}/${metadata?.name}`] },
    clock,
    onError(error) {
      isAway = true;
      onError(error);
    },
  });

  const tell = (view: string): void => {
    for (const listener of [...listeners]) listener(view);
  };
  const seen = (one: Tracked, mark: string | undefined, milliseconds = defaultMs): void => {
    const isNews = mark !== undefined && mark !== one.mark;
    // Without a lease, an instance that was alive has as long as a new one to get it.
    if (isNews || one.mark !== undefined) one.since = clock.now();
    Object.assign(one, { mark, milliseconds });
    if (!isNews || one.deadSince === undefined) return;
    one.deadSince = undefined;
    tell(one.view);
  };
  const onLease = ({ type, object }: InformerEvent<Lease>): void => {
    const one = tracked.get(`${object.metadata?.namespace}/${object.metadata?.name}`);
    if (one === undefined) return;
    if (type === 'DELETED') seen(one, undefined);
    else if (object.mark !== one.mark) seen(one, object.mark, object.milliseconds);
  };

  const dueAt = (one: Tracked): number => one.since + one.milliseconds;
  const isDue = (one: Tracked): boolean => one.deadSince === undefined && !one.isAsked && clock.now() >= dueAt(one);
  const ask = async (one: Tracked): Promise<void> => {
    const { mark } = one;
    one.isAsked = true;
    try {
      const found = await readMark(registry, one.view, one.instance);
      if (closed || one.mark !== mark || tracked.get(idOf(one)) !== one) return;
      if (typeof found === 'object' && found.mark !== mark) return seen(one, found.mark, one.milliseconds);
      one.deadSince = clock.now();
      tell(one.view);
    } catch (error) {
      if (closed) return;
      isAway = true;
      onError(error as Error);
    } finally {
      one.isAsked = false;
    }
  };
  const look = (): void => {
    cancel = clock.after(LOOK_MS, look);
    if (!leases.status.connected) {
      isAway = true;
    } else if (isAway) {
      isAway = false;
      for (const one of tracked.values()) one.since = clock.now();
    } else {
      // Who has waited longest comes first: many that are always due do not keep the others from being asked about.
      const due = [...tracked.values()].filter(isDue).sort((a, b) => dueAt(a) - dueAt(b));
      for (const one of due.slice(0, ASKED_AT_ONCE)) void ask(one);
    }
  };

  leases.onEvent(onLease);
  leases.start();
  let cancel = clock.after(LOOK_MS, look);

  return {
    expect(view, instances) {
      const expected = new Set(instances);
      for (const [id, one] of tracked) if (one.view === view && !expected.has(one.instance)) tracked.delete(id);
      for (const instance of instances) {
        const id = idOf({ view, instance });
        if (tracked.has(id)) continue;
        const { mark, milliseconds = defaultMs } = leases.byIndex('id', id)[0] ?? {};
        tracked.set(id, { view, instance, mark, milliseconds, since: clock.now(), deadSince: undefined, isAsked: false });
      }
    },
    isAlive: of => tracked.get(idOf(of))?.deadSince === undefined,
    deadFor: milliseconds =>
      [...tracked.values()].filter(({ deadSince }) => deadSince !== undefined && clock.now() - deadSince >= milliseconds),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      closed = true;
      cancel();
      leases.stop();
    },
  };
}
