import { followUrls } from '@kcp-vw/shared/informer/follow-urls.ts';
import { createWorkQueue, type WorkOutcome } from '@kcp-vw/shared/informer/work-queue.ts';
import type { ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { SyncTarget } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import { createApply } from './apply.ts';
import { type Client, JSON_PATCH } from './client.ts';
import { discover } from './discover.ts';
import type { Downstream } from './downstream.ts';
import { startHeartbeat } from './heartbeat.ts';
import { messageOf } from './loops.ts';
import { cleanNamespace } from './namespace-cleaner.ts';
import { namespaceFor, type Syncer } from './namespaces.ts';
import { ALWAYS_SYNCED, reportPatch, syncedResources } from './report-resources.ts';
import { RETRY } from './retry.ts';
import { type Shard, type SyncedResources, startShard } from './shard.ts';
import { endingOf, isNews, SYNC_TARGETS_PATH, syncTargetPath } from './sync-target.ts';
import type { SyncerOptions } from './syncer.ts';

export interface ControllersOptions extends Pick<SyncerOptions, 'access' | 'name' | 'wanted' | 'heartbeat' | 'say'> {
  /** Of the SyncTarget. */
  readonly workspace: Client;
  readonly syncer: Syncer;
  readonly downstream: Downstream;
  /** Servers that believe the credentials of `access`. */
  readonly connect: (url: URL) => ManagedUpstream;
}

export interface Controllers {
  end(): void;
  /** When all has ended. Rejects if that is because of the SyncTarget, with the reason. */
  readonly ended: Promise<void>;
}

/** How often the physical cluster is asked what it serves, besides whenever the SyncTarget changes. */
const DISCOVERY_MS = 60_000;
const RESOURCES = 'resources';

/** Everything that a syncer does for its SyncTarget: one set of controllers for each shard in its status, and what is said in its status. */
export function startControllers(options: ControllersOptions): Controllers {
  const { access, name, wanted, heartbeat, say, workspace, syncer, downstream, connect } = options;
  const { uid } = syncer.target;
  const { promise: over, resolve, reject } = Promise.withResolvers<void>();
  const apply = createApply(downstream.client);
  const shards = new Set<Shard>();
  let resources: SyncedResources = { synced: [], upsynced: [] };
  let latest: SyncTarget | undefined;
  let stopHeartbeat: (() => void) | undefined;

  const cleaner = createWorkQueue({
    async work(key) {
      await cleanNamespace(key, { syncer, downstream, shards: () => shards });
      return undefined;
    },
    onError: (key, error) => say(`namespace ${key} downstream: ${messageOf(error)}; trying again`),
    backoff: RETRY,
  });
  const reports = createWorkQueue({
    work: report,
    onError: (_key, error) => say(`resources: ${messageOf(error)}; trying again`),
    backoff: RETRY,
  });

  /** True if it is the one whose syncer this is; everything ends otherwise. */
  function isOwn(target: SyncTarget | undefined): target is SyncTarget {
    const ending = endingOf(target, name, uid);
    if (ending !== undefined) reject(new Error(ending));
    return ending === undefined;
  }

  async function report(): Promise<WorkOutcome | undefined> {
    const present = await workspace.find<SyncTarget>(syncTargetPath(name));
    if (!isOwn(present)) return undefined;
    const served = await discover(downstream.client, [...ALWAYS_SYNCED, ...(present.status?.syncedResources ?? [])]);
    const patch = reportPatch(present, served, wanted, Date.now());
    const path = `${syncTargetPath(name)}/status`;
    const told = patch ? await workspace.send<SyncTarget>('PATCH', path, patch, JSON_PATCH) : present;
    resources = syncedResources(told, served);
    for (const shard of shards) shard.setResources(resources);
    downstream.retain(resources.synced, resources.upsynced);
    return { recheckAfterMs: DISCOVERY_MS };
  }

  function begin(syncerURL: URL, syncerServer: Upstream): { stop(): void } {
    const upsyncerURL = upsyncerOf(latest, syncerURL);
    const other = upsyncerURL.origin === syncerURL.origin ? undefined : connect(upsyncerURL);
    const shard = startShard({
      ...{ syncerURL, upsyncerURL, syncerServer, upsyncerServer: other ?? syncerServer },
      ...{ syncer, downstream, apply, kcp: access.server, say },
      onVacated: (cluster, namespace) => cleaner.add(namespaceFor(syncer, { cluster, namespace })),
    });
    shards.add(shard);
    shard.setResources(resources);
    // A shard that is stopped before has nothing to say.
    shard.views.whenSynced().then(cleanAll, () => undefined);
    return {
      stop() {
        shards.delete(shard);
        shard.stop();
        other?.close().catch((error: Error) => say(error.message));
      },
    };
  }

  /** What went upstream while nobody looked. */
  function cleanAll(): void {
    for (const { metadata } of downstream.namespaces.list()) cleaner.add(metadata?.name ?? '');
  }

  const stopListening = downstream.namespaces.onEvent(({ object }) => cleaner.add(object.metadata?.name ?? ''));
  const following = followUrls<SyncTarget>({
    ...{ access, path: SYNC_TARGETS_PATH, name, say, connect, serve: begin },
    urlsOf: ({ status }) => (status?.virtualWorkspaces ?? []).map(({ syncerURL }) => syncerURL),
    onObject(target) {
      if (!isOwn(target)) return;
      if (isNews(latest, target)) reports.add(RESOURCES);
      latest = target;
      // Before, there is no status to write it into.
      if (!target.status?.virtualWorkspaces?.length) return;
      stopHeartbeat ??= startHeartbeat({ workspace, path: syncTargetPath(name), uid, interval: heartbeat, say });
    },
  });
  // The SyncTarget may have gone before it was followed.
  reports.add(RESOURCES);

  async function stop(): Promise<void> {
    stopListening();
    stopHeartbeat?.();
    void reports.stop();
    void cleaner.stop();
    await following.stop();
  }

  return { end: resolve, ended: over.finally(stop) };
}

/** As the status says. */
function upsyncerOf(target: SyncTarget | undefined, syncerURL: URL): URL {
  const entry = target?.status?.virtualWorkspaces?.find(one => new URL(one.syncerURL).href === syncerURL.href);
  return entry ? new URL(entry.upsyncerURL) : new URL(syncerURL.href.replace('/services/syncer/', '/services/upsyncer/'));
}
