import type { ClusterAccess } from '@kcp-vw/shared/config/cluster-access.ts';
import { connectWith } from '@kcp-vw/shared/informer/follow-urls.ts';
import { identityOf } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import { syncTargetKey } from '@kcp-vw/syncer-vw/transform/sync-target-key.ts';
import { createClient } from './client.ts';
import { startControllers } from './controllers.ts';
import { followDownstream } from './downstream.ts';
import type { Wanted } from './report-resources.ts';
import { findSyncTarget } from './sync-target.ts';

export interface SyncerOptions {
  /** The workspace of the SyncTarget. */
  readonly access: ClusterAccess;
  readonly name: string;
  /** The one that the SyncTarget has to have; absent: the one that it has. */
  readonly uid?: string | undefined;
  /** The physical cluster. */
  readonly downstreamAccess: ClusterAccess;
  readonly wanted: Wanted;
  /** Milliseconds between two heartbeats. */
  readonly heartbeat: number;
  /** Told in a sentence what begins, ends and fails. */
  readonly say: (text: string) => void;
  /** Default: with the certificate or the token of each. */
  readonly connect?: typeof connectWith;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Runs until `signal` is aborted. Rejects, with a sentence, when the SyncTarget is not there, or no more, or another one. */
export async function runSyncer(options: SyncerOptions): Promise<void> {
  const { access, name, downstreamAccess, say, signal, connect = connectWith } = options;
  const workspaceServer = connect(access)(access.server);
  const downstreamServer = connect(downstreamAccess)(downstreamAccess.server);
  try {
    const workspace = createClient(workspaceServer, access.server.pathname);
    const target = identityOf(await findSyncTarget(workspace, options));
    const syncer = { target, key: syncTargetKey(target) };
    say(`is the syncer of ${target.cluster}:${name}, uid ${target.uid}, key ${syncer.key}`);
    const base = downstreamAccess.server.pathname;
    const downstream = followDownstream({ upstream: downstreamServer, base, key: syncer.key, say });
    try {
      const controllers = startControllers({ ...options, workspace, syncer, downstream, connect: connect(access) });
      signal.addEventListener('abort', controllers.end, { once: true });
      if (signal.aborted) controllers.end();
      await controllers.ended;
    } finally {
      downstream.stop();
    }
  } finally {
    await Promise.all([workspaceServer.close(), downstreamServer.close()]);
  }
}
