import { GROUP_MASTERS } from '@kcp-vw/shared/authn/identity.ts';
import type { Reviewer } from '@kcp-vw/shared/authz/reviewer.ts';
import { type ApiResource, storageVersionHash } from '@kcp-vw/shared/kube/discovery.ts';
import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import { isClusterName } from '@kcp-vw/shared/target/cluster-name.ts';
import {
  type Answer,
  allow,
  type Call,
  type Decision,
  defineView,
  deny,
  forward,
  refuse,
  serve,
  type View,
} from '@kcp-vw/shared/view/view.ts';
import { followResourceSchemas, type ResourceSchemas } from './resource-schemas.ts';
import type { SchemaSources } from './resource-schemas-bound.ts';
import { SCHEMA_COLLECTION } from './resource-schemas-collection.ts';

export interface ResourceSchemasDependencies extends SchemaSources {
  /** Reaches the logical clusters of the local shard. */
  readonly reviewer: Pick<Reviewer, 'review'>;
  readonly ready: Readonly<Record<string, () => string | undefined>>;
}

/** `cluster` is what the path has after `/clusters/`: absent, `*`, or the consumer again. */
type ConsumerScope = { readonly consumer: string; readonly cluster?: string };

const READS: readonly string[] = ['get', 'list', 'watch'];

/** What is served of every consumer, also of one that has bound nothing: a list of nothing is an answer. */
const APIS: readonly ApiResource[] = Object.freeze([
  {
    group: SCHEMA_COLLECTION.group,
    version: 'v1alpha1',
    name: SCHEMA_COLLECTION.resource,
    singularName: 'apiresourceschema',
    kind: SCHEMA_COLLECTION.kind,
    namespaced: false,
    verbs: READS,
    categories: ['kcp'],
    storageVersionHash: storageVersionHash(SCHEMA_COLLECTION.group, 'v1alpha1', SCHEMA_COLLECTION.kind),
    columns: SCHEMA_COLLECTION.columns,
  },
]);

/** `/services/apiresourceschema/<consumer>`: the schemas of all APIs that a logical cluster has bound, wherever they are from. */
export function resourceSchemasView(dependencies: ResourceSchemasDependencies): View<ConsumerScope> {
  const resourceSchemas = followResourceSchemas(dependencies);
  return defineView<ConsumerScope>({
    name: 'apiresourceschema',
    path: ['/:consumer', '/:consumer/clusters/:cluster'],
    resolve: ({ consumer, cluster = '*' }) =>
      isClusterName(consumer) && (cluster === '*' || cluster === consumer) ? { consumer, cluster: consumer } : undefined,
    apis: () => APIS,
    authorize: call => authorize(call, dependencies.reviewer),
    answer: async call => answer(call, dependencies, resourceSchemas),
    ready: dependencies.ready,
  });
}

/** Whoever may read a consumer's bindings may see what they bind. */
async function authorize({ caller, scope, request }: Call<ConsumerScope>, reviewer: Pick<Reviewer, 'review'>): Promise<Decision> {
  if (caller.groups.includes(GROUP_MASTERS)) return allow(GROUP_MASTERS);
  if (!READS.includes(request.verb)) return deny('access denied');
  const resource = { group: 'apis.kcp.io', version: 'v1alpha2', resource: 'apibindings', verb: 'get' };
  const { allowed } = await reviewer.review(scope.consumer, { user: caller, resource });
  // The review's own reason may speak of roles and workspaces that the caller cannot see.
  return allowed ? allow(`may get apibindings in ${scope.consumer}`) : deny('access denied');
}

function answer({ scope, request }: Call<ConsumerScope>, sources: SchemaSources, resourceSchemas: ResourceSchemas): Answer {
  if (!request.isResourceRequest) return SHARD_VERSION;
  const { bindings, exports, schemas } = sources;
  // A list that misses what has not been read yet would look complete.
  if (![bindings, exports, schemas].every(informer => informer.synced())) {
    return refuse(serviceUnavailable('the APIBindings, APIExports and APIResourceSchemas have not all been read yet'));
  }
  return serve(resourceSchemas.of(scope.consumer), `schemas of what ${scope.consumer} has bound`);
}

/** `/version` is the shard's, whatever logical cluster it is asked of. This one is on every shard. */
const SHARD_VERSION = forward({ cluster: 'system:admin', because: 'version of the shard' });
