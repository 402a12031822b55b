import { createInformer, type Informer } from '@kcp-vw/shared/informer/informer.ts';
import type { ApiResource } from '@kcp-vw/shared/kube/discovery.ts';
import { CLUSTER_ANNOTATION, clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import { servedVersions } from '@kcp-vw/shared/view/schema-resources.ts';
import type { ServiceContext } from '@kcp-vw/shared/view/service.ts';
import type { CacheServer } from './feed/feed.ts';

/** The API of workspaces, as this kcp's own export describes it: columns, schema and short names follow from that. */
export interface TenancyApi {
  /** `workspaces` and its subresources; undefined: not known yet. The same value as long as nothing changes. */
  resources(): readonly ApiResource[] | undefined;
}

interface TenancyExport extends KubeObject {
  readonly spec?: { readonly resources?: readonly { readonly group: string; readonly name: string; readonly schema: string }[] };
}

const GROUP = 'tenancy.kcp.io';
const RESOURCE = 'workspaces';
/** The logical cluster that exports it. */
const PROVIDER = 'root';

/** Follows the export `tenancy.kcp.io` of `root` and its schema in the cache, where every shard's service finds it. */
export function followTenancyApi(context: ServiceContext, cache: CacheServer): TenancyApi {
  const follow = <T extends KubeObject>(name: string, path: string, project: (object: KubeObject) => T): Informer<T> =>
    context.run(
      createInformer<T>({
        name,
        upstream: cache.upstream,
        path: cache.path(path),
        project,
        onError: (err, attempt) => context.log.warn({ err, informer: name, attempt }, 'list or watch failed; trying again'),
      }),
    );
  const exports = follow<TenancyExport>('tenancy-apiexports', '/apis/apis.kcp.io/v1alpha2/apiexports', keepIf(isTenancyExport));
  const schemas = follow<ApiResourceSchema>(
    'tenancy-apiresourceschemas',
    '/apis/apis.kcp.io/v1alpha1/apiresourceschemas',
    keepIf(isWorkspaceSchema),
  );
  return {
    resources() {
      const bound = exports
        .get(PROVIDER, GROUP)
        ?.spec?.resources?.find(({ group, name }) => group === GROUP && name === RESOURCE);
      const schema = bound && schemas.get(PROVIDER, bound.schema);
      return schema && servedVersions(schema).find(({ version }) => version === 'v1alpha1')?.resources;
    },
  };
}

const isTenancyExport = (object: KubeObject): boolean => object.metadata?.name === GROUP;

function isWorkspaceSchema(object: KubeObject): boolean {
  const { group, names } = (object as ApiResourceSchema).spec ?? {};
  return group === GROUP && names?.plural === RESOURCE;
}

/** Whole, and frozen: what follows from it is worked out once. Of all others, of which a kcp has thousands, only who they are. */
const keepIf =
  (isWanted: (object: KubeObject) => boolean) =>
  <T extends KubeObject>(object: KubeObject): T => {
    if (clusterOf(object) === PROVIDER && isWanted(object)) return Object.freeze(object) as T;
    const { name = '', uid = '', resourceVersion = '' } = object.metadata ?? {};
    return {
      metadata: { name, uid, resourceVersion, annotations: { [CLUSTER_ANNOTATION]: clusterOf(object) } },
    } as KubeObject as T;
  };
