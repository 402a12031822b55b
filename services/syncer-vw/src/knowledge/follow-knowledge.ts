import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Metrics } from '@kcp-vw/shared/observe/metrics.ts';
import type { OwnConnections } from './connections.ts';
import { createConsumers, type FollowedConsumers } from './consumers.ts';
import { createExports, type FollowedExports } from './exports.ts';
import type { FollowingTiming } from './followed-collection.ts';
import { type FollowedShards, followShards, type OwnShard } from './shards.ts';
import { createSyncTargets, type FollowedSyncTargets } from './sync-targets.ts';

/** All that the views and the controllers know. */
export interface Knowledge {
  /** Its informer has to be started. */
  readonly shards: FollowedShards;
  readonly syncTargets: FollowedSyncTargets;
  readonly exports: FollowedExports;
  /** On the own shard, for views. */
  readonly consumers: FollowedConsumers;
  /** On all shards, for controllers. They cost a watch for each export and shard: they are followed from when they are first asked for. */
  consumersOfAll(): FollowedConsumers;
  stop(): void;
}

export interface KnowledgeOptions extends FollowingTiming {
  readonly connections: Pick<OwnConnections, 'at' | 'prune' | 'server'>;
  readonly own: OwnShard;
  /** Path of the workspace that has both exports. */
  readonly computeWorkspace: string;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  readonly observe?: Metrics['observeInformer'];
}

export function followKnowledge(options: KnowledgeOptions): Knowledge {
  const { connections, own, computeWorkspace, log, observe, ...timing } = options;
  const { server } = connections;
  const common = { ...timing, connections, log, ...(observe && { observe }) };
  const shards = followShards({ ...timing, own, log, upstream: connections.at(server.origin, 'control') });
  // The export of SyncTargets is known by the workspace that it is in, and the other exports by the SyncTargets.
  let exports: FollowedExports | undefined;
  const syncTargets = createSyncTargets({ ...common, shards, workload: () => exports?.workload() });
  const made = createExports({ ...common, server, syncTargets, compute: { workspace: computeWorkspace } });
  exports = made;
  const consumersAt = (bases: () => Iterable<string>): FollowedConsumers =>
    createConsumers({ ...common, exports: made, shards, bases });
  const consumers = consumersAt(() => {
    const base = shards.own();
    return base === undefined ? [] : [base];
  });

  const stops = [
    made.onChange(() => syncTargets.refresh()),
    shards.onChange(async () => {
      // When all have been told: nobody follows anything there any more.
      await Promise.resolve();
      connections.prune(shards.bases().values()).catch((err: unknown) => log.warn({ err }, 'connections cannot be closed'));
    }),
  ];
  let consumersOfAll: FollowedConsumers | undefined;
  return {
    ...{ shards, syncTargets, exports: made, consumers },
    consumersOfAll() {
      consumersOfAll ??= consumersAt(() => shards.bases().values());
      return consumersOfAll;
    },
    stop() {
      for (const stop of stops) stop();
      for (const one of [consumersOfAll, consumers, made, syncTargets, shards]) one?.stop();
    },
  };
}
