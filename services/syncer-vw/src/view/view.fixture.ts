/** Test equipment: what is known of SyncTargets, exports and bindings, which can change, and calls to the two views. */
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { ReviewAttributes, Reviewer } from '@kcp-vw/shared/authz/reviewer.ts';
import type { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import { requestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import { fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Answer, Call, Forward, Transform, View, ViewWrite } from '@kcp-vw/shared/view/view.ts';
import type { SyncedResource, SyncTarget } from '../controllers/sync-target.ts';
import type { Consumers, Exports, KnownExport, KnownSyncTarget, SyncTargetChange, SyncTargets } from '../knowledge/knowledge.ts';
import { computeSchemas } from '../manifests/compute-schemas.ts';
import type { SimulatedUpstream } from '../transform/upstream.fixture.ts';
import { syncerView } from './syncer-view.ts';
import type { TargetScope } from './target-scope.ts';
import type { TargetViewDependencies } from './target-view.ts';
import { upsyncerView } from './upsyncer-view.ts';

export const alice: Caller = Object.freeze({
  name: 'system:serviceaccount:default:alice',
  uid: 'u1',
  groups: Object.freeze(['system:serviceaccounts', 'system:authenticated']),
  extra: Object.freeze({ 'authentication.kcp.io/cluster-name': Object.freeze(['edge']) }),
  method: 'token',
});
export const masters: Caller = Object.freeze({ ...alice, groups: Object.freeze(['system:masters']) });

class Listeners<T> {
  readonly #listeners = new Set<(change: T) => void>();
  add(listener: (change: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  tell(change: T): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

export const exportOf = (at: string, schemas: readonly ApiResourceSchema[], identityHash = `identity-of-${at}`): KnownExport => {
  const [cluster = '', name = ''] = at.split('/');
  return Object.freeze({ cluster, name, identityHash, schemas: schemas.map(one => Object.freeze(one)) });
};

/** In `compute`, with the identity `kube`. */
export const COMPUTE = exportOf('compute/kubernetes', computeSchemas(), 'kube');

/** `deployments.apps`, and with another identity `cowboys.dev:hash`. */
export function accepted(...names: readonly string[]): SyncedResource[] {
  return names.map(text => {
    const [name = '', identityHash = 'kube'] = text.split(':');
    const [resource = '', ...group] = name.split('.');
    return { group: group.join('.'), resource, versions: ['v1'], identityHash, state: 'Accepted' };
  });
}

export const ALL_OF_COMPUTE = accepted(
  'deployments.apps',
  'services',
  'ingresses.networking.k8s.io',
  'pods',
  'persistentvolumes',
);

export interface TargetParts {
  readonly uid?: string;
  readonly key?: string;
  readonly spec?: SyncTarget['spec'];
  readonly status?: SyncTarget['status'];
}

/** `edge/west`: logical cluster and name. */
export function targetAt(
  at: string,
  {
    uid = 'uid-1',
    key = 'W',
    spec = { supportedAPIExports: [{ path: 'root:compute', export: 'kubernetes' }] },
    status = { syncedResources: ALL_OF_COMPUTE },
  }: TargetParts = {},
): KnownSyncTarget {
  const [cluster = '', name = ''] = at.split('/');
  const object = { metadata: { name, uid, annotations: { 'kcp.io/cluster': cluster } }, spec, status };
  return { identity: { cluster, name, uid }, key, object, base: 'https://shard.test' };
}

/** `edge/west` exists, and `consumer` has bound an export of `edge`. */
export class World implements Omit<TargetViewDependencies, 'ready'> {
  readonly #changes = new Listeners<SyncTargetChange>();
  readonly #exportChanges = new Listeners<void>();
  readonly #consumerChanges = new Listeners<void>();
  readonly #targets = new Map<string, KnownSyncTarget>();
  readonly #exports = new Map<string, KnownExport>([['root:compute/kubernetes', COMPUTE]]);
  readonly bindings = new Set(['consumer edge']);
  readonly asked: (ReviewAttributes & { readonly cluster: string })[] = [];
  readonly broken: string[] = [];
  readonly ready = {};
  compute: KnownExport | undefined = COMPUTE;
  missing: string | undefined;
  allows: (user: ReviewAttributes['user']) => boolean = () => true;
  reviews = true;
  /** By the URL's end: `compute/kubernetes`. */
  readonly upstreams = new Map<string, Upstream>();
  isLocated = true;

  constructor() {
    this.put(targetAt('edge/west'));
  }

  put(target: KnownSyncTarget): void {
    const at = `${target.identity.cluster}/${target.identity.name}`;
    const type = this.#targets.has(at) ? 'MODIFIED' : 'ADDED';
    this.#targets.set(at, target);
    this.#changes.tell({ type, target });
  }

  remove(target: KnownSyncTarget): void {
    this.#targets.delete(`${target.identity.cluster}/${target.identity.name}`);
    this.#changes.tell({ type: 'DELETED', target });
  }

  /** `at`: workspace and name, as targets name it. */
  putExport(at: string, exported: KnownExport): void {
    this.#exports.set(at, exported);
    if (at === 'root:compute/kubernetes') this.compute = exported;
    this.#exportChanges.tell();
  }

  bind(cluster: string, provider: string, isBound = true): void {
    if (isBound) this.bindings.add(`${cluster} ${provider}`);
    else this.bindings.delete(`${cluster} ${provider}`);
    this.#consumerChanges.tell();
  }

  readonly targets: SyncTargets = {
    missing: () => this.missing,
    get: (cluster, name) => this.#targets.get(`${cluster}/${name}`),
    byKey: key => [...this.#targets.values()].find(target => target.key === key),
    list: () => [...this.#targets.values()],
    complete: () => true,
    onChange: listener => this.#changes.add(listener),
  };
  /** What is not known of exports now. */
  exportsGap: string | undefined;

  readonly exports: Exports = {
    missingOf: () => this.exportsGap,
    missing: () => undefined,
    find: (workspace, name) => this.#exports.get(`${workspace}/${name}`),
    list: () => [...this.#exports.values()],
    compute: () => this.compute,
    onChange: listener => this.#exportChanges.add(listener),
  };
  /** What is not known of bindings now. */
  gap: string | undefined;

  readonly consumers: Consumers = {
    missingOf: () => this.gap,
    missing: () => undefined,
    letsIn: (cluster, provider) => this.bindings.has(`${cluster} ${provider}`),
    onChange: listener => this.#consumerChanges.add(listener),
  };
  readonly #reviewer: Reviewer = {
    review: async (cluster, attributes) => {
      this.asked.push({ cluster, ...attributes });
      return { allowed: this.allows(attributes.user), reason: 'because of a role that the caller cannot see' };
    },
    stats: () => {
      throw new Error('nobody asks a fake reviewer for its statistics');
    },
  };
  readonly reviewerOf = (): Reviewer | undefined => (this.reviews ? this.#reviewer : undefined);
  readonly onBroken = ({ key }: KnownSyncTarget, object: KubeObject, reason: string): void => {
    this.broken.push(`${key} ${object.metadata?.name}: ${reason}`);
  };
  readonly upstreamOf = ({ cluster, name }: KnownExport): Upstream | undefined => {
    if (!this.isLocated) return undefined;
    const known = this.upstreams.get(`${cluster}/${name}`) ?? fakeUpstream(() => ({ body: {} }));
    this.upstreams.set(`${cluster}/${name}`, known);
    return known;
  };

  readonly syncer: View<TargetScope> = syncerView(this);
  readonly upsyncer: View<TargetScope> = upsyncerView(this);
}

export interface CallParts {
  readonly method?: string;
  readonly caller?: Caller;
  readonly at?: string;
  readonly uid?: string;
}

/** To a view of `edge/west`, of the logical cluster `consumer` or all. */
export function callTo(
  cluster: string,
  path: string,
  { method = 'GET', caller = alice, at = 'edge/west', uid = 'uid-1' }: CallParts = {},
): Call<TargetScope> {
  const target = parseTarget(path);
  const [stCluster = '', stName = ''] = at.split('/');
  const scope = { stCluster, stName, stUID: uid, cluster };
  return Object.freeze({ caller, scope, request: requestInfo(method, target), query: target.query });
}

export const DEPLOYMENTS = '/apis/apps/v1/deployments';
export const DEPLOYMENT = '/apis/apps/v1/namespaces/default/deployments/web';
export const VOLUMES = '/api/v1/persistentvolumes';

export function transformed(answer: Answer): Transform {
  if (answer.kind === 'transform') return answer;
  throw new Error(`it is answered with ${answer.kind}: ${answer.because}`);
}

export function forwarded(answer: Answer): Forward {
  if (answer.kind === 'forward') return answer;
  throw new Error(`it is answered with ${answer.kind}: ${answer.because}`);
}

export function refusedWith(answer: Answer): StatusError {
  if (answer.kind === 'refuse' && 'status' in answer.error) return answer.error;
  throw new Error(`it is answered with ${answer.kind}: ${answer.because}`);
}

/** Writes through a plan as the engine does, to an object as a shard stores it. */
export async function written(
  plan: Pick<Transform, 'write'>,
  upstream: SimulatedUpstream,
  { submitted, subresource = '' }: Pick<ViewWrite, 'submitted'> & { readonly subresource?: string },
): Promise<KubeObject> {
  const made = await plan.write?.({ verb: 'update', subresource, stored: upstream.object, submitted });
  if (made === undefined) throw new Error('nothing is written through this plan');
  if ('refusal' in made) throw made.refusal;
  let current = upstream.object;
  for (const step of made.steps) current = upstream.put(step.subresource === 'status' ? 'status' : 'main', step.object(current));
  return made.answer(current);
}

/** All that waits for the end of what happens now. */
export const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
