import { loadKubeconfig } from '@kcp-vw/shared/config/cluster-access.ts';
import { type FollowAccessOptions, followAccess } from '@kcp-vw/shared/config/follow-access.ts';
import type { Options } from '@kcp-vw/shared/config/options.ts';
import { shardTls, withCertificate } from '@kcp-vw/shared/config/shard-access.ts';
import { createUpstream, type ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import { statsOfAll } from '@kcp-vw/shared/upstream/stats.ts';
import type { Upstream, UpstreamStats } from '@kcp-vw/shared/upstream/upstream.ts';
import { movableUpstream } from './movable-upstream.ts';

/** Our connections with one shard. */
export interface ShardConnection {
  /** For what the service itself asks. Callers cannot use up its connections and streams. */
  readonly control: Upstream;
  /** For what callers ask. */
  readonly callers: Upstream;
  /** The shard has another address now. */
  moveTo(address: URL): Promise<void>;
  close(): Promise<void>;
}

/** Connects with shards, each with the certificate that this service has for its own shard. */
export interface ShardConnections {
  connect(shard: string, address: URL): ShardConnection;
  /** Of all shards together. */
  stats(purpose: 'control' | 'callers'): UpstreamStats;
  /** No longer looks whether the certificate has changed. Connections are closed by who has made them. */
  stop(): void;
}

export type ConnectionOptions = Pick<Options, 'kubeconfig' | 'context' | 'limits'>;

const NEEDED = 'which the other shards could know: workspaces-vw reads all of them';

/** Rejects with one sentence when there is no certificate to connect with. */
export async function createShardConnections(
  { kubeconfig, context, limits }: ConnectionOptions,
  following: FollowAccessOptions,
): Promise<ShardConnections> {
  let access = withCertificate(await loadKubeconfig(kubeconfig, { context }), NEEDED);
  const open = new Set<Connected>();

  const stop = followAccess(
    access,
    next => {
      access = withCertificate(next, NEEDED);
      for (const { address, upstream } of open) upstream.setCredentials({ tls: shardTls(access, address) });
    },
    following,
  );

  const upstreamAt = (name: string, address: URL): ManagedUpstream => {
    const upstream = createUpstream({ name, origin: address, limits, tls: shardTls(access, address) });
    const connected = { address, upstream };
    open.add(connected);
    return {
      ...upstream,
      async close() {
        open.delete(connected);
        await upstream.close();
      },
    };
  };

  /** For metrics: what is in use by purpose, over all shards. */
  const inUse: Record<'control' | 'callers', Set<Upstream>> = { control: new Set(), callers: new Set() };

  return {
    connect(shard, address) {
      const control = movableUpstream(upstreamAt(`shard ${shard} control`, address));
      const callers = movableUpstream(upstreamAt(`shard ${shard}`, address));
      inUse.control.add(control);
      inUse.callers.add(callers);
      return {
        control,
        callers,
        async moveTo(next) {
          await Promise.all([control.moveTo(upstreamAt(control.name, next)), callers.moveTo(upstreamAt(callers.name, next))]);
        },
        async close() {
          inUse.control.delete(control);
          inUse.callers.delete(callers);
          await Promise.all([control.close(), callers.close()]);
        },
      };
    },
    stats: purpose => statsOfAll(inUse[purpose]),
    stop,
  };
}

interface Connected {
  readonly address: URL;
  readonly upstream: ManagedUpstream;
}
