import { parseListOptions } from '@kcp-vw/shared/answer/serve-options.ts';
import { notFound, serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { CollectionDefinition } from '@kcp-vw/shared/view/collection.ts';
import { type Answer, type BodyKind, type Call, type Rewrite, refuse, rewrite } from '@kcp-vw/shared/view/view.ts';
import type { WorkspaceIndex } from '../index/snapshot.ts';
import type { Sight } from '../sight/sight.ts';
import type { ParentScope } from '../workspaces-view.ts';
import { conflictingBody, rewrittenBody } from './rewritten-body.ts';
import { shownAfterWrite, withoutOwner } from './shown.ts';

export interface PassOnDependencies {
  readonly index: WorkspaceIndex;
  /** For requests of callers; undefined: nobody knows the way to this shard now. */
  readonly upstreamOf: (shard: string) => Upstream | undefined;
  readonly rootShard: () => string | undefined;
}

const WORKSPACES = { group: 'tenancy.kcp.io', resource: 'workspaces' };
const ROOT = 'root';

/** `workspaces/~` in `root` is the caller's home, which the shard makes when it is asked for. */
export const isHome = ({ request, scope }: Call<ParentScope>): boolean =>
  request.verb === 'get' && request.subresource === '' && request.name === '~' && scope.cluster === ROOT;

/**
 * What is not read here goes to the shard of the parent, as the caller: kcp decides whether he may. It goes there straight: on the way through a front proxy an
 * impersonated caller would get a scope, which a new workspace's owner would then be limited to. What the caller does not see cannot be written: for him it is not there.
 */
export function passOn(
  call: Call<ParentScope>,
  sight: Sight,
  of: CollectionDefinition,
  dependencies: PassOnDependencies,
): Answer {
  const { caller, request, scope } = call;
  const { cluster } = scope;
  const { index } = dependencies;
  if (isHome(call)) {
    return to(ROOT, dependencies, { of, as: caller, response: withoutOwner, because: 'the home of the caller' });
  }
  const written = request.verb === 'deletecollection' && !call.query.has('dryRun') ? 'deleted' : 'as-shown';
  const context = { index, sight, parent: cluster, written } as const;
  const plan = {
    ...{ of, as: caller, customKind: of.kind },
    response: (object: KubeObject) => shownAfterWrite(context, object),
  };
  if (request.verb === 'deletecollection') {
    const each = seenAndSelected(call, sight, of);
    return to(cluster, dependencies, { ...plan, each, because: `as the caller, ${each.length} that he sees` });
  }
  if (request.verb === 'create' && request.subresource === '') {
    return to(cluster, dependencies, { ...plan, because: 'as the caller' });
  }
  const snapshot = sight.get(cluster, request.name)?.snapshot;
  if (snapshot !== undefined) {
    return to(cluster, dependencies, {
      ...plan,
      request: (body, kind) => rewrittenBody(body, kind, snapshot, index.version),
      because: 'as the caller, who sees it',
    });
  }
  if (request.verb !== 'patch' || request.subresource !== '') return refuse(notFound(WORKSPACES, request.name));
  return to(cluster, dependencies, {
    ...plan,
    request: (body, kind) => creatingBody(body, kind, index.find(cluster, request.name) !== undefined, request.name),
    because: 'as the caller, if it makes what is not there',
  });
}

/**
 * An apply makes what is not there; any other patch needs something to change. Where the name is taken it conflicts, but only the shard may say so:
 * it first looks whether the caller may apply at all, so that who may not is answered as for what is not there.
 */
function creatingBody(body: unknown, kind: BodyKind, isTaken: boolean, name: string): unknown {
  if (kind !== 'apply') return notFound(WORKSPACES, name);
  return isTaken ? conflictingBody(body) : body;
}

function seenAndSelected(
  { request, query, scope }: Call<ParentScope>,
  sight: Sight,
  of: CollectionDefinition,
): readonly string[] {
  const { matches } = parseListOptions(request, query, of.fields);
  const selected = [...sight.list(scope.cluster)].filter(({ snapshot }) => matches(snapshot.object));
  return selected.map(({ snapshot }) => snapshot.name);
}

type Plan = Omit<Rewrite, 'kind' | 'cluster' | 'shard'>;

function to(cluster: string, { index, upstreamOf, rootShard }: PassOnDependencies, plan: Plan): Answer {
  const name = index.entrance(cluster)?.shard ?? (cluster === ROOT ? rootShard() : undefined);
  const shard = name && upstreamOf(name);
  if (!shard) return refuse(serviceUnavailable(`the shard of ${cluster} cannot be reached now`));
  return rewrite({ cluster, shard, ...plan });
}
