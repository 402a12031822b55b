import { CLUSTER_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import type { ServiceContext, ServiceDefinition } from '@kcp-vw/shared/view/service.ts';
import type { View } from '@kcp-vw/shared/view/view.ts';
import { createConnections, type OwnConnections } from './knowledge/connections.ts';
import { followKnowledge, type Knowledge } from './knowledge/follow-knowledge.ts';
import { exportUrl } from './knowledge/knowledge.ts';
import { refusePrivileged } from './knowledge/own-identity.ts';
import { ACCOUNT } from './manifests/account.ts';
import { WORKLOAD_EXPORT } from './manifests/exports.ts';
import { startControllers } from './running/controllers.ts';
import { createErrorLog, createOnce } from './running/error-log.ts';
import { targetReviewers } from './view/reviewers.ts';
import { type SyncerViewDependencies, syncerView } from './view/syncer-view.ts';
import type { TargetViewDependencies } from './view/target-view.ts';
import { upsyncerView } from './view/upsyncer-view.ts';

/** The views `syncer` and `upsyncer` on one shard, and the controllers beside them, which run in one process of all. */
export const syncerService: ServiceDefinition = { name: 'syncer-vw', awaitsCredentials: true, start };

async function start(context: ServiceContext): Promise<readonly View[]> {
  const { options, log, metrics, onStop } = context;
  const connections = await connect(context);
  const workspace = workspaceOf(connections.server);
  const identity = await refusePrivileged(
    connections.access,
    connections.at(connections.server.origin, 'control'),
    workspace.path,
    { log },
  );
  log.info({ user: identity.user, workspace: workspace.name }, 'asking as');

  const { shard, shardServer } = options;
  const knowledge = followKnowledge({
    connections,
    own: { ...(shard !== undefined && { shard }), ...(shardServer !== undefined && { shardServer }) },
    computeWorkspace: workspace.name,
    log,
    observe: metrics.observeInformer,
  });
  onStop(() => knowledge.stop());
  context.run(knowledge.shards.informer);
  runControllers(context, connections, knowledge, workspace.path);

  const shared = dependenciesOf(context, connections, knowledge);
  return [
    syncerView({ ...shared, onBroken: brokenObjectLog(context), ready: { syncer: () => missingIn(knowledge) } }),
    upsyncerView({ ...shared, ready: { upsyncer: () => missingIn(knowledge) } }),
  ];
}

async function connect({ options, log, metrics, onStop }: ServiceContext): Promise<OwnConnections> {
  const { kubeconfig, context, limits } = options;
  const connections = await createConnections(
    { kubeconfig, context, limits },
    {
      onError: err =>
        log.warn({ err, file: kubeconfig }, 'a kubeconfig has changed and cannot be used; the last good one stays in force'),
    },
  );
  onStop(() => connections.close());
  for (const purpose of ['callers', 'control'] as const) {
    metrics.observeUpstream(`exports ${purpose}`, { stats: () => connections.stats(purpose) });
  }
  return connections;
}

/** The one that the credentials are for, and that has the exports. Throws an Error where the server's URL names none. */
export function workspaceOf(server: URL): { readonly path: string; readonly name: string } {
  const name = /^\/clusters\/([a-z0-9:-]+)\/?$/.exec(server.pathname)?.[1];
  if (name === undefined) {
    throw new Error(
      `syncer-vw needs the kubeconfig of its own account: ${server.href} is no workspace, which ends with /clusters/root:compute`,
    );
  }
  return { path: `/clusters/${name}`, name };
}

type Shared = Omit<TargetViewDependencies, 'ready'> & Omit<SyncerViewDependencies, 'ready' | 'onBroken'>;

function dependenciesOf({ options, metrics }: ServiceContext, connections: OwnConnections, knowledge: Knowledge): Shared {
  const { shards, syncTargets, exports, consumers } = knowledge;
  return {
    targets: syncTargets,
    exports,
    consumers,
    reviewerOf: targetReviewers({
      ...{ connections, shards, workload: () => exports.workload() },
      allowTTL: options.authorizationAllowTTL,
      denyTTL: options.authorizationDenyTTL,
      onResult: result => metrics.accessReview(result),
    }),
    upstreamOf(exported) {
      const own = shards.own();
      return own === undefined ? undefined : connections.at(exportUrl(own, exported), 'callers');
    },
  };
}

const missingIn = ({ shards, syncTargets, exports, consumers }: Knowledge): string | undefined =>
  shards.missing() ??
  (shards.own() === undefined ? 'which shard this process serves: name it with --shard' : undefined) ??
  exports.missing() ??
  syncTargets.missing() ??
  consumers.missing();

/** They are the same for all shards: whoever holds the Lease runs them. */
function runControllers(
  { log, onStop }: ServiceContext,
  connections: OwnConnections,
  knowledge: Knowledge,
  workspacePath: string,
): void {
  const { shards, syncTargets, exports } = knowledge;
  let running: ReturnType<typeof startControllers> | undefined;
  const begin = (): void => {
    const workload = exports.workload();
    if (running || workload === undefined) return;
    running = startControllers({
      ...{ shards, targets: syncTargets, exports, consumers: knowledge.consumersOfAll(), connections, log },
      workload: { cluster: workload.cluster, name: WORKLOAD_EXPORT },
      lease: {
        upstream: connections.at(connections.server.origin, 'control'),
        path: `${workspacePath}/apis/coordination.k8s.io/v1/namespaces/${ACCOUNT.namespace}/leases/${LEASE}`,
      },
    });
  };
  const stopListening = exports.onChange(begin);
  begin();
  onStop(async () => {
    stopListening();
    await running?.stop();
  });
}

const LEASE = 'syncer-vw';

/** Syncers list and watch again and again: an object is told of once, and again when it is broken otherwise. */
function brokenObjectLog({ log }: ServiceContext): SyncerViewDependencies['onBroken'] {
  const warn = createErrorLog(log);
  const isNew = createOnce();
  return ({ identity: { cluster, name } }, { kind, metadata }, reason) => {
    const object = `${kind} ${metadata?.namespace ?? ''}/${metadata?.name}`;
    const at = metadata?.annotations?.[CLUSTER_ANNOTATION];
    if (isNew([cluster, name, at, object, reason].join(' ')))
      warn({ syncTarget: `${cluster}/${name}`, cluster: at, object, reason }, 'an object cannot be shown');
  };
}
