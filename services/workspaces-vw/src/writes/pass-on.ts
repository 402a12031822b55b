import { parseListOptions } from '@kcp-vw/shared/answer/serve-options.ts';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { badRequest, forbidden, notFound, serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { CollectionDefinition } from '@kcp-vw/shared/view/collection.ts';
import { type Answer, type BodyKind, type Call, type Rewrite, refuse, rewrite } from '@kcp-vw/shared/view/view.ts';
import type { WorkspaceIndex } from '../index/snapshot.ts';
import { withoutOwnerRecord } from '../index/workspace-object.ts';
import type { Sight } from '../sight/sight.ts';
import type { ParentScope } from '../workspaces-view.ts';
import { untilApplied, type Written } from './applied.ts';
import { conflictingBody, rewrittenBody } from './rewritten-body.ts';
import { shownAfterWrite } from './shown.ts';

export interface PassOnDependencies {
  readonly index: WorkspaceIndex;
  /** For requests of callers; undefined: nobody knows the way to this shard now. */
  readonly upstreamOf: (shard: string) => Upstream | undefined;
  readonly rootShard: () => string | undefined;
  /** Asks kcp whether the caller may create workspaces in the logical cluster. Rejects with a StatusError 503 when it cannot be asked. */
  readonly mayCreate: (caller: Caller, cluster: string) => Promise<boolean>;
}

const WORKSPACES = { group: 'tenancy.kcp.io', resource: 'workspaces' };
const ROOT = 'root';

/** Of one request: each is one to the shard. */
const MOST_DELETED = 5_000;
const TOO_MANY = `more than ${MOST_DELETED} workspaces would be deleted: select fewer at a time`;

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
    return to(ROOT, dependencies, { of, as: caller, response: withoutOwnerRecord, because: 'the home of the caller' });
  }
  const applied = untilApplied(index, cluster);
  const shownAs =
    (written: () => Written) =>
    (object: KubeObject): Promise<KubeObject> =>
      shownAfterWrite({ index, sight, applied, written: written() }, object);
  const plan = { of, as: caller, customKind: of.kind, response: shownAs(() => 'as-shown') };
  if (request.verb === 'deletecollection') {
    const each = seenAndSelected(call, sight, of);
    if (each.length > MOST_DELETED) return refuse(badRequest(TOO_MANY));
    let written: Written = 'deleted';
    return to(cluster, dependencies, {
      ...plan,
      each,
      request(body) {
        // Options are in the body, or in the query, which have become one.
        if (isDryRun(body)) written = 'as-shown';
        return body;
      },
      response: shownAs(() => written),
      because: `as the caller, ${each.length} that he sees`,
    });
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
    unreadable: 'refuse',
    request: (body, kind) => creatingBody(body, kind, call, dependencies),
    because: 'as the caller, if it makes what is not there',
  });
}

/**
 * An apply makes what is not there; any other patch needs something to change. Where the name is taken it conflicts, but only the shard may say so: it first
 * looks whether the caller may apply at all. Whether he may create it would only look where there is nothing, so that is asked before.
 */
async function creatingBody(
  body: unknown,
  kind: BodyKind,
  { caller, request, scope: { cluster } }: Call<ParentScope>,
  { index, mayCreate }: PassOnDependencies,
): Promise<unknown> {
  if (kind !== 'apply') return notFound(WORKSPACES, request.name);
  if (!(await mayCreate(caller, cluster))) return forbidden(caller.name, { ...request, verb: 'create' }, 'access denied');
  return index.find(cluster, request.name) === undefined ? body : conflictingBody(body);
}

function seenAndSelected(
  { request, query, scope }: Call<ParentScope>,
  sight: Sight,
  of: CollectionDefinition,
): readonly string[] {
  const { matches } = parseListOptions(request, query, of.fields);
  const names: string[] = [];
  for (const { snapshot } of sight.list(scope.cluster)) {
    if (names.length > MOST_DELETED) break;
    if (matches(snapshot.object)) names.push(snapshot.name);
  }
  return names;
}

/** `dryRun` of DeleteOptions: in JSON; of protobuf it is not seen, so that the answer to a dry run waits for what does not come. */
function isDryRun(options: unknown): boolean {
  const { dryRun } = (options ?? {}) as { readonly dryRun?: unknown };
  return Array.isArray(dryRun) && dryRun.length > 0;
}

type Plan = Omit<Rewrite, 'kind' | 'cluster' | 'shard'>;

function to(cluster: string, { index, upstreamOf, rootShard }: PassOnDependencies, plan: Plan): Answer {
  const name = index.entrance(cluster)?.shard ?? (cluster === ROOT ? rootShard() : undefined);
  const shard = name && upstreamOf(name);
  if (!shard) return refuse(serviceUnavailable(`the shard of ${cluster} cannot be reached now`));
  return rewrite({ cluster, shard, ...plan });
}
