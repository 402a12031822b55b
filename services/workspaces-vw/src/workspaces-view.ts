import { ANONYMOUS, type Identity } from '@kcp-vw/shared/authn/identity.ts';
import { perObject } from '@kcp-vw/shared/authn/per-object.ts';
import type { ApiResource } from '@kcp-vw/shared/kube/discovery.ts';
import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import { PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import type { TableColumn } from '@kcp-vw/shared/kube/table.ts';
import {
  type Answer,
  allow,
  type Call,
  type Decision,
  defineView,
  deny,
  forward,
  serve,
  type View,
} from '@kcp-vw/shared/view/view.ts';
import type { WorkspaceObject } from './index/facts.ts';
import type { WorkspaceIndex } from './index/snapshot.ts';
import type { Knowledge } from './knowledge.ts';
import { clusterAt } from './parents.ts';
import type { AccessSource } from './sight/sight.ts';
import { collectionOf } from './sight/visible-workspaces.ts';
import type { TenancyApi } from './tenancy-api.ts';
import { isHome, type PassOnDependencies, passOn } from './writes/pass-on.ts';

export interface WorkspacesDependencies extends PassOnDependencies {
  readonly index: WorkspaceIndex;
  readonly access: AccessSource;
  readonly knowledge: Knowledge;
  readonly api: TenancyApi;
  readonly ready: Readonly<Record<string, () => string | undefined>>;
}

/** `parent` as the path has it; `cluster` is the logical cluster that it leads to, `*`, or empty where it leads nowhere. */
export type ParentScope = { readonly parent: string; readonly cluster: string };

const ALL = '*';

/** All that is told to whoever may not, so that what he may not enter cannot be told from what is not there. */
const NOT_PERMITTED = 'workspace access not permitted';

const WORKSPACES = {
  apiVersion: 'tenancy.kcp.io/v1alpha1',
  kind: 'Workspace',
  group: 'tenancy.kcp.io',
  resource: 'workspaces',
  fields: { 'status.phase': (workspace: WorkspaceObject) => workspace.status?.phase ?? '' },
};

/** All that says who somebody is: who is somebody else now does not go on where he was. */
const identityText = perObject(({ name, uid, groups, extra }: Identity) =>
  JSON.stringify([name, uid, groups, Object.entries(extra)]),
);

const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/** A watch ends after five to ten minutes: what an identity provider says of a caller's groups is only heard when he comes again. */
const WATCH_SECONDS = { min: 300, max: 600 };

/**
 * `/services/workspaces/<parent>`: the workspaces of a logical cluster that the caller may enter, and no others; `/services/workspaces/*` those
 * of all logical clusters.
 */
export function workspacesView(dependencies: WorkspacesDependencies): View<ParentScope> {
  const { index, access, knowledge, api, ready } = dependencies;
  /** One for the whole call. */
  const sightOf = perObject(({ caller, scope }: Call<ParentScope>) => access.sightOf(caller, parentOf(scope)));

  async function authorize(call: Call<ParentScope>): Promise<Decision> {
    const decision = await decide(call);
    // Whoever is refused must not learn from it which shards a path leads to.
    knowledge.require(decision.allowed ? parentOf(call.scope) : undefined);
    return decision;
  }

  async function decide(call: Call<ParentScope>): Promise<Decision> {
    const { caller, scope } = call;
    if (scope.cluster === '') return deny(`${scope.parent} leads to no logical cluster`, NOT_PERMITTED);
    if (scope.cluster === ALL) {
      // Before anything is asked about him.
      if (caller.name === ANONYMOUS) return deny('nobody in particular may enter this or that', NOT_PERMITTED);
      return allow('everyone may ask for the workspaces that he may enter');
    }
    const sight = await sightOf(call);
    if (sight.mayEnter(scope.cluster)) return allow(`may enter ${scope.cluster}`);
    const [first] = sight.list(parentOf(scope));
    return first
      ? allow(`may enter ${first.snapshot.name} in ${scope.cluster}`)
      : deny('may enter neither it nor anything in it', NOT_PERMITTED);
  }

  async function answer(call: Call<ParentScope>): Promise<Answer> {
    const { caller, request, scope } = call;
    if (!request.isResourceRequest) return SHARD_VERSION;
    const sight = await sightOf(call);
    const [resource] = resourcesFor(scope);
    const definition = { ...WORKSPACES, columns: resource?.columns ?? [], boundTo: identityText(caller) };
    const isRead = READS.has(request.verb) && request.subresource === '';
    if (!isRead || isHome(call)) return passOn(call, sight, definition, dependencies);
    const parent = parentOf(scope);
    return serve(collectionOf(sight, parent, definition), `what ${caller.name} may enter`, {
      until: end => knowledge.until(parent, end),
      watchSeconds: WATCH_SECONDS,
    });
  }

  function resourcesFor({ cluster }: ParentScope): readonly ApiResource[] {
    const resources = api.resources();
    if (resources === undefined) throw serviceUnavailable('the API of workspaces has not been read yet', 1);
    return cluster === ALL ? overAll(resources) : resources;
  }

  return defineView<ParentScope>({
    name: 'workspaces',
    path: ['/:parent', '/clusters/:parent'],
    resolve: ({ parent }) => ({ parent, cluster: parent === ALL ? ALL : (clusterAt(parent, index) ?? '') }),
    apis: resourcesFor,
    authorize,
    answer,
    ready,
  });
}

const parentOf = ({ cluster }: ParentScope): string | undefined => (cluster === ALL ? undefined : cluster);

/** `/version` is the shard's, whatever logical cluster it is asked of. This one is on every shard. */
const SHARD_VERSION = forward({ cluster: 'system:admin', because: 'version of the shard' });

/** Over all logical clusters an object has no address of its own. */
const ACROSS: readonly string[] = ['list', 'watch'];

const overAll = perObject((resources: readonly ApiResource[]): readonly ApiResource[] =>
  Object.freeze(
    resources
      .filter(({ name }) => !name.includes('/'))
      .map(resource => Object.freeze({ ...resource, verbs: ACROSS, columns: withPath(resource) })),
  ),
);

const PATH_COLUMN: TableColumn = {
  name: 'Path',
  type: 'string',
  description: 'Where the workspace is',
  priority: 0,
  jsonPath: `.metadata.annotations.${PATH_ANNOTATION.replaceAll('.', '\\.')}`,
};

const withPath = ({ columns = [] }: ApiResource): readonly TableColumn[] => [PATH_COLUMN, ...columns];
