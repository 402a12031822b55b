import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import type { Reviewer } from '@kcp-vw/shared/authz/reviewer.ts';
import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import { badRequest, forbiddenObject, resourceNotServed } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { isClusterSegment } from '@kcp-vw/shared/target/cluster-name.ts';
import type { RequestInfo } from '@kcp-vw/shared/target/request-info.ts';
import {
  type Answer,
  type Call,
  defineView,
  type EmptyUntilServed,
  type Forward,
  forward,
  type Guard,
  refuse,
  type View,
} from '@kcp-vw/shared/view/view.ts';
import type { ApiDomains } from './api-domains.ts';
import { type ApiDefinition, definitionKey } from './api-set.ts';
import type { ApiBinding } from './apis-kcp-io.ts';
import { authorize, type ExportScope, exportKey } from './authorization.ts';
import { bindingOf, isBound } from './bindings.ts';
import { APIS_GROUP } from './claimable-apis.ts';
import { selectorAdmission } from './selector-admission.ts';
import { withWarrant } from './warrant.ts';

export interface ApiExportDependencies {
  readonly domains: ApiDomains;
  readonly bindings: Pick<Informer<ApiBinding>, 'byIndex' | 'onEvent'>;
  /** The logical clusters of this shard, for their phase. */
  readonly logicalClusters: Pick<Informer<KubeObject>, 'get'>;
  readonly reviewer: Reviewer;
  readonly deepReviewer: Reviewer;
  /** Reads go to the shard as the caller, too. */
  readonly impersonateReads: boolean;
  readonly ready: Readonly<Record<string, () => string | undefined>>;
}

type ExportCall = Call<ExportScope>;

/** The view of an APIExport: its objects, and those that it claims, in all logical clusters that bind it, or in one of them. */
export function apiExportView(dependencies: ApiExportDependencies): View<ExportScope> {
  const { domains } = dependencies;
  return defineView<ExportScope>({
    name: 'apiexport',
    path: '/:exportCluster/:export/clusters/:cluster',
    resolve: scope => (isClusterSegment(scope.cluster) ? scope : undefined),
    async apis(scope) {
      const set = await domains.setOf(exportKey(scope));
      if (set === undefined) throw resourceNotServed();
      return set.apis;
    },
    authorize: call => authorize(call, dependencies),
    async answer(call) {
      const { request, scope } = call;
      if (!request.isResourceRequest) return SHARD_VERSION;
      const set = await domains.setOf(exportKey(scope));
      const definition = set?.definitions.get(definitionKey(request.apiGroup, request.apiVersion, request.resource));
      if (definition === undefined) return refuse(resourceNotServed());
      return scope.cluster === '*' ? answerAll(call, definition, dependencies) : answerOne(call, definition, dependencies);
    },
    ready: dependencies.ready,
  });
}

/** `/version` is the shard's, whatever logical cluster it is asked of. This one is on every shard. */
const SHARD_VERSION = forward({ cluster: 'system:admin', because: 'version of the shard' });

/** All logical clusters of the shard: read, as the service, which the caller could not do himself. */
function answerAll(call: ExportCall, definition: ApiDefinition, dependencies: ApiExportDependencies): Answer {
  const { request, scope } = call;
  if (request.verb !== 'list' && request.verb !== 'watch') return refuse(resourceNotServed());
  if (request.namespace !== '') {
    const what = 'cross-cluster LIST and WATCH are required to be cross-namespace';
    return refuse(badRequest(`${what}, not scoped to namespace ${request.namespace}`));
  }
  return forward({
    ...plan(call, definition, dependencies.domains),
    ...(definition.identity && { emptyUntilServed: emptyUntilServed(definition, dependencies) }),
    cluster: scope.cluster,
  });
}

/** Every shard serves it, and it shares its versions with all that the shard stores. */
const ALWAYS_SERVED = '/clusters/*/apis/apis.kcp.io/v1alpha2/apibindings';

/** A shard serves a resource of an export from the first binding on. */
function emptyUntilServed({ group, resource, kind }: ApiDefinition, { bindings }: ApiExportDependencies): EmptyUntilServed {
  const wake = (look: () => void): (() => void) =>
    bindings.onEvent(({ object }) => {
      if (isBound(object, group, resource)) look();
    });
  return { kind, collection: ALWAYS_SERVED, wake };
}

/** Verbs that a selector means something to. */
const SELECTING: readonly string[] = ['list', 'watch', 'deletecollection'];

/** kcp's own resources are custom ones, which are not bound. */
const KCP_GROUP = /\.kcp\.io$/;

function plan({ scope, request }: ExportCall, definition: ApiDefinition, domains: ApiDomains): Omit<Forward, 'kind'> {
  const { identity, select, because } = definition;
  const isCustom = identity !== undefined || KCP_GROUP.test(definition.group);
  return {
    cluster: scope.cluster,
    ...(identity && { identity }),
    ...(isCustom && { customKind: definition.kind }),
    ...(select && SELECTING.includes(request.verb) && { select }),
    until: end => domains.whenReplaced(exportKey(scope), definition, () => end('the API has changed')),
    because,
  };
}

function answerOne(call: ExportCall, definition: ApiDefinition, dependencies: ApiExportDependencies): Answer {
  const guard = guardOf(call, definition, dependencies);
  const as = upstreamIdentity(call, dependencies);
  return forward({
    ...plan(call, definition, dependencies.domains),
    ...(guard && { guard }),
    ...(as && { as }),
  });
}

const READS: readonly string[] = ['get', 'list', 'watch'];
const ADMITTED: readonly string[] = ['create', 'update', 'patch', 'delete'];
const APPLY = 'patch';

function guardOf(call: ExportCall, { visible }: ApiDefinition, dependencies: ApiExportDependencies): Guard | undefined {
  const { request, scope } = call;
  const binding = bindingOf(dependencies.bindings, scope.cluster, exportKey(scope));
  const admit = ADMITTED.includes(request.verb) ? selectorAdmission(binding, request) : undefined;
  const guard: Guard = {
    ...(visible && { visible }),
    ...(admit && { admit }),
    ...(request.verb === APPLY && { mayCreate: () => refusalToCreate(call, dependencies) }),
  };
  return Object.keys(guard).length > 0 ? guard : undefined;
}

/** Who may patch an object may not thereby create one (`forceAllowCreate` of the API server asks once more). */
async function refusalToCreate(
  call: ExportCall,
  dependencies: ApiExportDependencies,
): ReturnType<NonNullable<Guard['mayCreate']>> {
  const request: RequestInfo = { ...call.request, verb: 'create' };
  const decision = await authorize({ ...call, request }, dependencies);
  if (decision.allowed) return undefined;
  return forbiddenObject({ group: request.apiGroup, resource: request.resource }, request.name, 'access denied');
}

/** Phases in which kcp's own authorizers decide nothing more about a read than has been decided here. */
const SERVING_PHASES: readonly string[] = ['Initializing', 'Ready', 'Inactive', 'Terminating', 'Deleting'];

/**
 * Undefined: as the service. Writes go in the caller's name, for admission to see him; reads only where the shard may have something to say
 * that was not asked here (docs/adr/0006).
 */
function upstreamIdentity({ caller, scope, request }: ExportCall, dependencies: ApiExportDependencies): Identity | undefined {
  const { impersonateReads, logicalClusters } = dependencies;
  const isDecided =
    READS.includes(request.verb) &&
    !(request.apiGroup === APIS_GROUP && request.subresource === 'status') &&
    SERVING_PHASES.includes(phaseOf(logicalClusters.get(scope.cluster, 'cluster')));
  return isDecided && !impersonateReads ? undefined : withWarrant(caller, scope.cluster);
}

const phaseOf = (cluster: KubeObject | undefined): string => (cluster?.status as { phase?: string } | undefined)?.phase ?? '';
