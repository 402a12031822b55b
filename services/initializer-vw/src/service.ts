import { createReviewer } from '@kcp-vw/shared/authz/reviewer.ts';
import { createInformer, type Informer } from '@kcp-vw/shared/informer/informer.ts';
import { tenancyIdentity } from '@kcp-vw/shared/informer/tenancy-identity.ts';
import type { ServiceContext, ServiceDefinition } from '@kcp-vw/shared/view/service.ts';
import type { View } from '@kcp-vw/shared/view/view.ts';
import { INITIALIZING, type LogicalCluster, TERMINATING, type WorkspaceType } from './lifecycle.ts';
import { lifecycleView } from './lifecycle-view.ts';
import { followLogicalClusters, LOGICAL_CLUSTERS_PATH, slimLogicalCluster } from './logical-clusters.ts';
import { CACHED_WORKSPACE_TYPES_PATH, localWorkspaceTypesPath, slimWorkspaceType, workspaceTypesOf } from './workspace-types.ts';

const IDENTITY_RETRY_MS = 500;

/** The lifecycle views of one shard: `initializingworkspaces` and `terminatingworkspaces`. */
export const initializerService: ServiceDefinition = { name: 'initializer-vw', start };

async function start(context: ServiceContext): Promise<readonly View[]> {
  const { options, control } = context;
  const external = options.externalLogicalClusterAdminKubeconfig;
  const cacheFile = options.cacheKubeconfig;
  const reviews = external ? await context.connect(external, 'external-logical-cluster-admin') : control;
  const cache = cacheFile ? await context.connect(cacheFile, 'cache') : undefined;

  const logicalClusters = context.run(
    createInformer<LogicalCluster>({
      ...informerDefaults(context, 'logicalclusters'),
      path: `/clusters/*${LOGICAL_CLUSTERS_PATH}`,
      project: slimLogicalCluster,
    }),
  );
  const cachedTypes = context.run(
    createInformer<WorkspaceType>({
      ...informerDefaults(context, 'cached-workspacetypes'),
      // Without a cache server of its own the shard has one embedded.
      upstream: cache ?? control,
      path: (cache?.basePath ?? '') + CACHED_WORKSPACE_TYPES_PATH,
      project: slimWorkspaceType,
    }),
  );
  const localTypes = localWorkspaceTypes(context);

  const reviewer = createReviewer({
    upstream: reviews,
    // The path of that kubeconfig's server names one workspace; reviews go to any.
    basePath: '',
    allowTTL: options.authorizationAllowTTL,
    denyTTL: options.authorizationDenyTTL,
    onResult: result => context.metrics.accessReview(result),
  });
  const contentReady = (): string | undefined => {
    const synced = { logicalclusters: logicalClusters, workspacetypes: localTypes(), 'cached-workspacetypes': cachedTypes };
    const missing = Object.entries(synced).filter(([, informer]) => !informer?.synced());
    return missing.length === 0 ? undefined : `waiting for ${missing.map(([name]) => name).join(', ')}`;
  };
  const dependencies = {
    reviewer,
    logicalClusters: followLogicalClusters(control, logicalClusters, context.onStop),
    workspaceTypes: workspaceTypesOf(localTypes, cachedTypes),
  };
  return [INITIALIZING, TERMINATING].map(lifecycle =>
    lifecycleView(lifecycle, {
      ...dependencies,
      ready: {
        [`${lifecycle.view}-wildcard-logicalclusters`]: () => undefined,
        [`${lifecycle.view}-logicalclusters`]: () => undefined,
        [`${lifecycle.view}-workspace-content`]: contentReady,
      },
    }),
  );
}

function informerDefaults({ control, log }: ServiceContext, name: string) {
  return {
    name,
    upstream: control,
    onError: (err: unknown, attempt: number) => log.warn({ err, informer: name, attempt }, 'list or watch failed; trying again'),
  };
}

/**
 * Local WorkspaceTypes can only be listed with the identity of their export, which a young shard does not have yet. Returns how to get
 * the informer, once there is one.
 */
function localWorkspaceTypes(context: ServiceContext): () => Informer<WorkspaceType> | undefined {
  let informer: Informer<WorkspaceType> | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  context.onStop(() => {
    stopped = true;
    clearTimeout(timer);
  });

  const attempt = async (): Promise<void> => {
    const identity = await tenancyIdentity(context.control);
    if (stopped) return;
    if (identity === undefined) throw new Error('it has not published the identity of the APIExport tenancy.kcp.io yet');
    informer = context.run(
      createInformer<WorkspaceType>({
        ...informerDefaults(context, 'workspacetypes'),
        path: localWorkspaceTypesPath(identity),
        project: slimWorkspaceType,
      }),
    );
  };
  const run = (): void => {
    attempt().catch((error: Error) => {
      if (stopped) return;
      context.log.info({ reason: error.message }, 'waiting for the shard');
      timer = setTimeout(run, IDENTITY_RETRY_MS);
    });
  };
  run();
  return () => informer;
}
