import { createReviewer, type ReviewerOptions } from '@kcp-vw/shared/authz/reviewer.ts';
import { createInformer, type Informer } from '@kcp-vw/shared/informer/informer.ts';
import { CLUSTER_ANNOTATION, clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ServiceContext, ServiceDefinition } from '@kcp-vw/shared/view/service.ts';
import type { View } from '@kcp-vw/shared/view/view.ts';
import { createApiDomains, EXPORT_INDEXES } from './api-domains.ts';
import { apiExportView } from './apiexport-view.ts';
import type { ApiBinding, ApiExport, ApiResourceSchema } from './apis-kcp-io.ts';
import { BINDING_INDEXES, slimBinding } from './bindings.ts';
import { resourceSchemasView } from './resource-schemas-view.ts';
import { readShardOpenapi } from './shard-openapi.ts';
import { readShardResources, type ShardResources } from './shard-resources.ts';

/** The views of APIExports on one shard: `apiexport`, and `apiresourceschema` for those who bind them. */
export const apiExportService: ServiceDefinition = { name: 'apiexport-vw', start };

const CACHED = '/services/cache/shards/*/clusters/*';

async function start(context: ServiceContext): Promise<readonly View[]> {
  const { options, control, log } = context;
  const cacheFile = options.cacheKubeconfig;
  const cache = cacheFile ? await context.connect(cacheFile, 'cache') : undefined;
  const onError = (name: string) => (err: unknown, attempt: number) =>
    log.warn({ err, informer: name, attempt }, 'list or watch failed; trying again');
  // Without a cache server of its own the shard has one embedded.
  const cached = (path: string) => ({ upstream: cache ?? control, path: `${cache?.basePath ?? ''}${CACHED}${path}` });

  const exports = context.run(
    createInformer<ApiExport>({
      ...{ name: 'apiexports', onError: onError('apiexports'), indexes: EXPORT_INDEXES },
      ...cached('/apis/apis.kcp.io/v1alpha2/apiexports'),
      project: freezeExport,
    }),
  );
  const schemas = context.run(
    createInformer<ApiResourceSchema>({
      ...{ name: 'apiresourceschemas', onError: onError('apiresourceschemas') },
      ...cached('/apis/apis.kcp.io/v1alpha1/apiresourceschemas'),
      // Frozen: what follows from a schema is worked out once.
      project: schema => Object.freeze(schema) as ApiResourceSchema,
    }),
  );
  const bindings = context.run(
    createInformer<ApiBinding>({
      ...{ name: 'apibindings', onError: onError('apibindings'), upstream: control, indexes: BINDING_INDEXES },
      path: '/clusters/*/apis/apis.kcp.io/v1alpha2/apibindings',
      project: slimBinding,
    }),
  );
  const logicalClusters = context.run(
    createInformer({
      ...{ name: 'logicalclusters', onError: onError('logicalclusters'), upstream: control },
      path: '/clusters/*/apis/core.kcp.io/v1alpha1/logicalclusters',
      project: slimLogicalCluster,
    }),
  );

  const openapi = readShardOpenapi({
    shard: control,
    onChange: () => domains.refresh(),
    onError: (err, groupVersion) => log.warn({ err, groupVersion }, "the shard's OpenAPI cannot be read; trying again"),
  });
  const shardResources = readShardResources({
    shard: control,
    onChange: () => domains.refresh(),
    onError: err => log.warn({ err }, "the shard's discovery cannot be read; trying again"),
  });
  const domains = createApiDomains({ exports, schemas, shardResources, openapi: openapi.of });
  context.onStop(() => domains.stop());
  context.onStop(() => openapi.stop());
  context.onStop(() => shardResources.stop());

  const reviews: Omit<ReviewerOptions, 'deep'> = {
    upstream: control,
    basePath: '',
    allowTTL: options.authorizationAllowTTL,
    denyTTL: options.authorizationDenyTTL,
    onResult: result => context.metrics.accessReview(result),
  };
  const reviewer = createReviewer(reviews);
  const ready = waitingFor({ apiexports: exports, apiresourceschemas: schemas, apibindings: bindings }, shardResources);
  return [
    apiExportView({
      ...{ domains, bindings, logicalClusters, reviewer, impersonateReads: options.impersonateReads },
      deepReviewer: createReviewer({ ...reviews, deep: true }),
      ready: { apiexport: ready },
    }),
    resourceSchemasView({ exports, schemas, bindings, reviewer, ready: { apiresourceschema: ready } }),
  ];
}

const waitingFor =
  (informers: Readonly<Record<string, Pick<Informer<KubeObject>, 'synced'>>>, shardResources: ShardResources) =>
  (): string | undefined => {
    const unsynced = Object.entries(informers).filter(([, informer]) => !informer.synced());
    const missing = [...unsynced.map(([name]) => name), ...(shardResources.known() ? [] : ["the shard's discovery"])];
    return missing.length === 0 ? undefined : `waiting for ${missing.join(', ')}`;
  };

/** Without what nothing here reads: managed fields are most of an export. */
function freezeExport(object: KubeObject): ApiExport {
  const { metadata, spec, status } = object as ApiExport;
  const { managedFields: _, ...kept } = metadata ?? {};
  return Object.freeze({ metadata: kept, ...(spec && { spec }), ...(status && { status }) });
}

/** Only the phase is read. */
function slimLogicalCluster(object: KubeObject): KubeObject {
  const { name, uid, resourceVersion } = object.metadata ?? {};
  return {
    metadata: {
      ...(name !== undefined && { name }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      annotations: { [CLUSTER_ANNOTATION]: clusterOf(object) },
    },
    status: { phase: (object.status as { phase?: string } | undefined)?.phase ?? '' },
  };
}
