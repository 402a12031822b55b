import {
  badRequest,
  forbiddenObject,
  resourceNotServed,
  type StatusError,
  serviceUnavailable,
} from '@kcp-vw/shared/kube/errors.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { type Answer, type Call, defineView, type Forward, forward, refuse, type View } from '@kcp-vw/shared/view/view.ts';
import {
  type Consumers,
  type Exports,
  type KnownExport,
  type KnownSyncTarget,
  reaches,
  type SyncTargets,
} from '../knowledge/knowledge.ts';
import type { SyncTargetKey } from '../transform/names.ts';
import { type ApiFlavour, selectorOf } from './api-flavour.ts';
import { type Route, routeKey } from './api-set.ts';
import { type ApiSets, createApiSets } from './api-sets.ts';
import { createEndings, type Endings } from './endings.ts';
import { type Reach, type Remembered, reachOf } from './target-reach.ts';
import {
  ALL_CLUSTERS,
  authorize,
  notReached,
  resolved,
  TARGET_PATH,
  type TargetDependencies,
  type TargetScope,
  targetOf,
  textOf,
} from './target-scope.ts';

/** What both views are made of. A view listens to what is known for as long as the process lives. */
export interface TargetViewDependencies extends TargetDependencies {
  readonly targets: SyncTargets;
  readonly exports: Exports;
  readonly consumers: Consumers;
  /** Where the objects of an export are that this process serves; undefined: not known now. */
  readonly upstreamOf: (exported: KnownExport) => Upstream | undefined;
  readonly ready: Readonly<Record<string, () => string | undefined>>;
}

/** A request for objects that the target is served, on its way to where they are. */
export interface RoutedCall {
  readonly call: Call<TargetScope>;
  readonly target: KnownSyncTarget;
  readonly route: Route;
  readonly reach: Reach;
  /** Without a guard or a function: what both views plan alike. */
  readonly plan: Omit<Forward, 'kind'>;
  /** Why nothing may be written any more; asked again when it is written. */
  readonly refusal: () => StatusError | undefined;
}

interface Served extends TargetViewDependencies {
  readonly flavour: ApiFlavour;
  readonly sets: ApiSets;
  readonly endings: Endings;
  /** By target and resource. */
  readonly remembered: Map<SyncTargetKey, Map<string, Remembered>>;
}

/** The view of a SyncTarget in one of its two flavours: in all logical clusters, or in one. */
export function targetView(
  flavour: ApiFlavour,
  dependencies: TargetViewDependencies,
  answer: (routed: RoutedCall) => Answer,
): View<TargetScope> {
  const { targets, exports, consumers, ready } = dependencies;
  const sets = createApiSets(targets, exports, flavour);
  const served: Served = {
    ...dependencies,
    flavour,
    sets,
    endings: createEndings(targets, exports, consumers),
    remembered: new Map(),
  };
  targets.onChange(({ type, target }) => {
    if (type === 'DELETED') served.remembered.delete(target.key);
  });
  return defineView<TargetScope>({
    name: flavour.view,
    path: TARGET_PATH,
    resolve: scope => resolved(scope, dependencies),
    async apis(scope) {
      const target = targetOf(scope, dependencies);
      if (target === undefined) throw resourceNotServed();
      return sets.of(target).apis;
    },
    authorize: call => authorize(call, dependencies),
    async answer(call) {
      const target = targetOf(call.scope, dependencies);
      if (target === undefined) return refuse(resourceNotServed(), 'the SyncTarget is gone');
      if (!call.request.isResourceRequest) return version(call, served);
      const misplaced = refusalOfPlace(call);
      if (misplaced) return refuse(misplaced);
      const { apiGroup, apiVersion, resource } = call.request;
      const route = sets.of(target).routes.get(routeKey(apiGroup, apiVersion, resource));
      const gap = gapOf(target, route, served);
      if (gap !== undefined) return refuse(serviceUnavailable(`it is not known now what the SyncTarget is served: ${gap}`));
      if (route === undefined) return refuse(resourceNotServed());
      const routed = routedCall(call, target, route, served);
      return routed ? answer(routed) : refuse(serviceUnavailable(`it is not known now where ${resource} are`));
    },
    ready,
  });
}

/** `/version` is the shard's, whatever is asked for it. */
function version({ scope }: Call<TargetScope>, { exports, upstreamOf }: Served): Answer {
  const compute = exports.compute();
  const shard = compute && upstreamOf(compute);
  if (shard === undefined) return refuse(serviceUnavailable('it is not known now where the shard is'));
  return forward({ cluster: scope.cluster, shard, because: 'version of the shard' });
}

const COLLECTION_READS: readonly string[] = ['list', 'watch'];

/** Of all logical clusters there are only lists and watches, of all namespaces. */
function refusalOfPlace({ scope, request }: Call<TargetScope>): StatusError | undefined {
  if (scope.cluster !== ALL_CLUSTERS) return undefined;
  if (!COLLECTION_READS.includes(request.verb)) {
    return badRequest(`a logical cluster has to be named for ${request.verb}: all of them can only be listed and watched`);
  }
  if (request.namespace === '') return undefined;
  const what = 'cross-cluster LIST and WATCH are required to be cross-namespace';
  return badRequest(`${what}, not scoped to namespace ${request.namespace}`);
}

/** What is not known, so that an answer without it would look as if objects or resources were gone: a syncer would delete them. */
function gapOf(
  { identity, object }: KnownSyncTarget,
  route: Route | undefined,
  { exports, consumers }: Served,
): string | undefined {
  const workspaces = (object.spec?.supportedAPIExports ?? []).map(({ path }) => path || identity.cluster);
  const ofExports = route ? undefined : workspaces.map(one => exports.missingOf(one)).find(gap => gap !== undefined);
  return ofExports ?? consumers.missingOf(identity.cluster);
}

/** Undefined while nobody knows where the objects are. */
function routedCall(call: Call<TargetScope>, target: KnownSyncTarget, route: Route, served: Served): RoutedCall | undefined {
  const { scope, request } = call;
  const { flavour, endings, upstreamOf, consumers } = served;
  const shard = route.export && upstreamOf(route.export);
  if (route.export === undefined || shard === undefined) return undefined;
  const reach = reachOf(scope.cluster, target, consumers, rememberedOf(target.key, route, served));
  const select = selectorOf(flavour, target.key);
  const end = (): string | undefined => accessEnd(scope, served) ?? answerEnd(call, route, reach, served);
  const { cluster, name } = route.export;
  return {
    ...{ call, target, route, reach },
    plan: {
      ...{ cluster: scope.cluster, shard },
      ...(route.customKind !== undefined && { customKind: route.customKind }),
      ...(COLLECTION_READS.includes(request.verb) && { select }),
      until: stop => endings.follow(target.key, end, reason => stop(reason, 'expired')),
      because: `${select} is of the SyncTarget ${textOf(target)}; reached through the APIExport ${cluster}/${name}`,
    },
    refusal() {
      const why = accessEnd(scope, served);
      return why === undefined
        ? undefined
        : forbiddenObject({ group: request.apiGroup, resource: request.resource }, request.name, why);
    },
  };
}

/** Resources are as many as the target's API set has. */
function rememberedOf(key: SyncTargetKey, { of }: Route, { remembered }: Served): Remembered {
  const byResource = remembered.get(key) ?? new Map<string, Remembered>();
  remembered.set(key, byResource);
  const resource = `${of.group}/${of.resource}`;
  const found = byResource.get(resource) ?? { withheld: new Set<string>(), shown: new Set<string>() };
  byResource.set(resource, found);
  return found;
}

/** Why the caller has nothing to do with all of this any more. */
function accessEnd(scope: TargetScope, { targets, consumers }: Served): string | undefined {
  const target = targetOf(scope, { targets });
  if (target === undefined) return 'the SyncTarget is gone';
  const { cluster } = scope;
  return cluster === ALL_CLUSTERS || reaches(consumers, target.identity, cluster) ? undefined : notReached(cluster, target);
}

/** Why a watch shows no longer what one that begins now would show. */
function answerEnd(
  { scope, request }: Call<TargetScope>,
  route: Route,
  reach: Reach,
  { targets, sets }: Served,
): string | undefined {
  const target = targetOf(scope, { targets });
  const { apiGroup, apiVersion, resource } = request;
  const now = target && sets.of(target).routes.get(routeKey(apiGroup, apiVersion, resource));
  if (now?.definition !== route.definition) return 'the API has changed';
  return reach.hasChanged() ? 'the SyncTarget reaches other logical clusters' : undefined;
}
