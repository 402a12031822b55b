import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import type { WorkQueueStats } from '@kcp-vw/shared/informer/work-queue.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Connections, Consumers, Exports, KnownExport, Shards, SyncTargets } from '../knowledge/knowledge.ts';
import { startBrokenObjects } from './broken-objects.ts';
import { startCoordinator } from './coordinator.ts';
import { createErrorLog } from './error-log.ts';
import { type LeaderTiming, leaderIdentity, runLeading } from './leader.ts';
import { createObjectFeeds } from './object-feeds.ts';
import { type Controller, startScheduler } from './scheduler.ts';
import { startSyncTargetController } from './sync-target-controller.ts';

export interface ControllersDependencies {
  readonly shards: Shards;
  readonly targets: SyncTargets;
  readonly exports: Exports;
  readonly consumers: Consumers;
  readonly connections: Pick<Connections, 'at'>;
  /** The export of SyncTargets. */
  readonly workload: Pick<KnownExport, 'cluster' | 'name'>;
  /** By which the processes of all shards agree on one that runs the controllers. */
  readonly lease: {
    readonly upstream: Upstream;
    /** At the upstream, with the logical cluster where the upstream is no workspace's. */
    readonly path: string;
    /** Default: a name of this process. */
    readonly identity?: string;
    readonly timing?: Partial<LeaderTiming>;
  };
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly clock?: Clock;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export type ControllerName = 'syncTargets' | 'scheduler' | 'coordinator' | 'brokenObjects';

export interface Controllers {
  isLeading(): boolean;
  /** Of the queues, while this process leads. */
  stats(): Readonly<Partial<Record<ControllerName, WorkQueueStats>>>;
  /** Leading, all has been read, and nothing is to be done now. */
  isAtRest(): boolean;
  stop(): Promise<void>;
}

type Running = Readonly<Record<ControllerName, Controller>> & { readonly missing: () => string | undefined };

/** Runs all controllers, over all shards, whenever this process leads. */
export function startControllers(dependencies: ControllersDependencies): Controllers {
  const { lease, log, clock = systemClock, now = () => Date.now() } = dependencies;
  let running: Running | undefined;

  const lead = async (signal: AbortSignal): Promise<void> => {
    const { controllers, stop } = begin(dependencies, clock, now);
    running = controllers;
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    running = undefined;
    await stop();
  };
  const leading = runLeading({ identity: leaderIdentity(), ...lease, log, clock, now }, lead);

  return {
    isLeading: () => leading.isLeading(),
    stats: () => Object.fromEntries(controllersOf(running).map(([name, controller]) => [name, controller.stats()])),
    isAtRest: () =>
      running !== undefined &&
      running.missing() === undefined &&
      controllersOf(running).every(([, controller]) => controller.isIdle()),
    stop: () => leading.stop(),
  };
}

const controllersOf = (running: Running | undefined): readonly (readonly [ControllerName, Controller])[] => {
  if (running === undefined) return [];
  const { missing: _, ...controllers } = running;
  return Object.entries(controllers) as [ControllerName, Controller][];
};

function begin(dependencies: ControllersDependencies, clock: Clock, now: () => number) {
  const { log } = dependencies;
  const errors = createErrorLog(log, clock);
  const shared = { ...dependencies, errors, clock, now };
  const feeds = createObjectFeeds(shared);
  const brokenObjects = startBrokenObjects({ ...shared, feeds });
  const controllers = {
    missing: () => feeds.missing(),
    brokenObjects,
    syncTargets: startSyncTargetController({ ...shared, broken: brokenObjects }),
    scheduler: startScheduler({ ...shared, feeds }),
    coordinator: startCoordinator({ ...shared, feeds }),
  };
  // Now all are listening.
  feeds.start();
  return {
    controllers,
    async stop() {
      feeds.stop();
      await Promise.all(controllersOf(controllers).map(([, controller]) => controller.stop()));
    },
  };
}
