/** Test equipment: the view over an index with a few workspaces, and calls to it. */
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { ApiResource } from '@kcp-vw/shared/kube/discovery.ts';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { requestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Answer, Call, Refuse, Rewrite, Serve } from '@kcp-vw/shared/view/view.ts';
import type { Snapshot } from './index/snapshot.ts';
import type { Knowledge } from './knowledge.ts';
import { createIndexSource } from './sight/index-source.ts';
import { caller, entranceOf, type FakeIndex, fakeIndex, snapshotOf, to } from './sight/sight.fixture.ts';
import { type ParentScope, type WorkspacesDependencies, workspacesView } from './workspaces-view.ts';

export const WORKSPACES = '/apis/tenancy.kcp.io/v1alpha1/workspaces';

export const alice = caller('alice');
export const stranger = caller('stranger');
export const masters = caller('masters', ['system:masters']);

/** Nobody sends anything there: an answer only names it. */
export const SHARDS: Readonly<Record<string, Upstream>> = { alpha: { name: 'alpha' }, beta: { name: 'beta' } } as never;

export const RESOURCES: readonly ApiResource[] = Object.freeze([
  {
    ...{ group: 'tenancy.kcp.io', version: 'v1alpha1', name: 'workspaces', singularName: 'workspace', kind: 'Workspace' },
    ...{ namespaced: false, verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'] },
    columns: [{ name: 'Phase', type: 'string', description: '', priority: 0, jsonPath: '.status.phase' }],
  },
  {
    ...{ group: 'tenancy.kcp.io', version: 'v1alpha1', name: 'workspaces/status', singularName: '', kind: 'Workspace' },
    ...{ namespaced: false, verbs: ['get', 'update', 'patch'] },
  },
]) as never;

/** `root` on `alpha`, which everybody may enter; in it `open` and `other`, which alice may enter, and `hidden`, which nobody may. */
export function fillIndex(): FakeIndex {
  const index = fakeIndex();
  index.enter(entranceOf('root', { edges: to('g:system:authenticated') }));
  index.enter(entranceOf('c-open', { edges: to('u:alice'), shard: 'beta' }));
  index.enter(entranceOf('c-closed', { shard: 'beta' }));
  index.put(enterable('open', { entrance: entranceOf('c-open', { edges: to('u:alice'), shard: 'beta' }) }));
  index.put(enterable('other'));
  index.put(snapshotOf('root', 'hidden', { objectVersion: 50n }));
  return index;
}

/** One that alice may enter, changed last at version 50, which is 7 at its shard. */
export function enterable(name: string, changes: Partial<Snapshot> = {}): Snapshot {
  const entrance = entranceOf(`c-${name}`, { edges: to('u:alice') });
  const snapshot = snapshotOf(changes.parent ?? 'root', name, { objectVersion: 50n, upstreamVersion: '7', entrance, ...changes });
  return changes.object
    ? snapshot
    : { ...snapshot, object: { ...snapshot.object, spec: { cluster: snapshot.entrance.cluster } } };
}

export const KNOWS_ALL: Knowledge = { require: () => {}, until: () => () => {} };

export function viewOf(index: FakeIndex = fillIndex(), changes: Partial<WorkspacesDependencies> = {}) {
  return workspacesView({
    index,
    access: createIndexSource(index),
    knowledge: KNOWS_ALL,
    api: { resources: () => RESOURCES },
    upstreamOf: shard => SHARDS[shard],
    rootShard: () => 'alpha',
    mayCreate: async () => true,
    ready: {},
    ...changes,
  });
}

export interface CallOptions {
  readonly method?: string;
  readonly caller?: Caller;
}

/** A call to a parent, as its path names it. Throws where the path is not the view's. */
export function callTo(
  view: ReturnType<typeof viewOf>,
  parent: string,
  path: string,
  { method = 'GET', caller: who = alice }: CallOptions = {},
): Call<ParentScope> {
  const target = parseTarget(path);
  const request = requestInfo(method, target);
  const scope = view.resolve?.({ parent, cluster: '' }, request);
  if (scope === undefined) throw new Error(`${parent} is no path of the view`);
  return { caller: who, scope, request, query: target.query };
}

export const answerTo = async (parent: string, path: string, options?: CallOptions, view = viewOf()): Promise<Answer> =>
  view.answer(callTo(view, parent, path, options));

const ofKind =
  <K extends Answer['kind']>(kind: K) =>
  (answer: Answer): Extract<Answer, { kind: K }> => {
    if (answer.kind !== kind) throw new Error(`it is answered with ${answer.kind}: ${answer.because}`);
    return answer as Extract<Answer, { kind: K }>;
  };

export const rewritten: (answer: Answer) => Rewrite = ofKind('rewrite');
export const served: (answer: Answer) => Serve = ofKind('serve');
export const refused: (answer: Answer) => Refuse = ofKind('refuse');

/** A StatusError as what a test compares: `404 NotFound: …`. */
export function told(error: unknown): string {
  if (!(error instanceof StatusError)) throw new Error(`no StatusError: ${JSON.stringify(error)}`);
  return `${error.code} ${error.status.reason}: ${error.message}`;
}
