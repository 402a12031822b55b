/** Test equipment: a shard with two exports, what the service knows of it, and the controllers over it. */
import { ManualClock, settle } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import type { SyncTarget } from '../controllers/sync-target.ts';
import { exportUrl, type KnownExport, type KnownSyncTarget } from '../knowledge/knowledge.ts';
import { computeSchemas } from '../manifests/compute-schemas.ts';
import { syncTargetKey } from '../transform/sync-target-key.ts';
import { type Controllers, startControllers } from './controllers.ts';
import { BASE, FakeConsumers, FakeExports, FakeShards, FakeTargets, fakeLog } from './fake-knowledge.fixture.ts';
import { FakeServer } from './fake-server.fixture.ts';

export const START = Date.parse('2026-01-01T12:00:00Z');
/** The logical cluster of exports and SyncTargets, and one that has bound the exports. */
export const COMPUTE = 'compute';
export const CONSUMER = 'consumer';
export const COMPUTE_EXPORT: KnownExport = {
  cluster: COMPUTE,
  name: 'kubernetes',
  identityHash: 'hash',
  schemas: computeSchemas(),
};
export const TARGETS = 'workload.kcp.io/synctargets';
export const DEPLOYMENTS = 'apps/deployments';
export const ACCEPTED = COMPUTE_EXPORT.schemas.flatMap(({ spec }: ApiResourceSchema) =>
  spec ? [{ group: spec.group, resource: spec.names.plural, versions: ['v1'], identityHash: 'hash', state: 'Accepted' }] : [],
);

export class World {
  readonly server = new FakeServer();
  readonly clock = new ManualClock();
  readonly shards = new FakeShards();
  readonly exports = new FakeExports();
  readonly consumers = new FakeConsumers();
  readonly targets = new FakeTargets();
  readonly logged = fakeLog();
  controllers: Controllers | undefined;
  /** By name: its syncer sends heartbeats and does what syncers do. */
  readonly alive = new Set<string>();

  constructor() {
    this.exports.known = [COMPUTE_EXPORT];
    this.consumers.bindings.add(`${CONSUMER} ${COMPUTE}`);
  }

  get now(): number {
    return START + this.clock.now();
  }

  start(): void {
    const { server, shards, exports, consumers, targets, clock } = this;
    this.controllers = startControllers({
      ...{ shards, exports, consumers, targets, clock },
      connections: { at: url => server.at(url) },
      workload: { cluster: COMPUTE, name: 'workload.kcp.io' },
      lease: {
        upstream: server.at(''),
        path: '/clusters/compute/apis/coordination.k8s.io/v1/namespaces/syncer-vw/leases/syncer-vw',
      },
      log: this.logged.log,
      now: () => this.now,
    });
  }

  async stop(): Promise<void> {
    await this.controllers?.stop();
  }

  key = (name: string): string => syncTargetKey({ cluster: COMPUTE, name });

  /** A SyncTarget that is ready and accepts everything, but for what is said. */
  target(name: string, spec: SyncTarget['spec'] = {}, labels: Record<string, string> = {}): void {
    const before = this.server.get(TARGETS, COMPUTE, name);
    const references = [{ path: 'root:compute', export: 'kubernetes' }];
    this.alive.add(name);
    this.#store({
      ...before,
      metadata: { ...before?.metadata, name, labels: { ...before?.metadata?.labels, ...labels } },
      spec: { supportedAPIExports: references, ...spec },
      status: {
        syncedResources: ACCEPTED,
        ...(before?.status as object),
        lastSyncerHeartbeatTime: new Date(this.now).toISOString(),
      },
    });
  }

  removeTarget(name: string): void {
    this.alive.delete(name);
    this.server.remove(TARGETS, COMPUTE, name);
    this.#followTargets();
  }

  known = (name: string): KnownSyncTarget | undefined => this.targets.get(COMPUTE, name);

  namespace(name: string, annotations: Record<string, string> = {}, cluster = CONSUMER): void {
    const before = this.server.get('/namespaces', cluster, name);
    const metadata = { ...before?.metadata, name, annotations: { ...before?.metadata?.annotations, ...annotations } };
    this.server.put('/namespaces', cluster, { ...before, metadata });
  }

  deployment(name: string, replicas: number, namespace = 'default', cluster = CONSUMER): void {
    const before = this.server.get(DEPLOYMENTS, cluster, name, namespace);
    this.server.put(DEPLOYMENTS, cluster, { ...before, metadata: { ...before?.metadata, name, namespace }, spec: { replicas } });
  }

  /** What an object says it is on: states by the names of the targets. */
  statesOf(object: KubeObject | undefined): Readonly<Record<string, string>> {
    const names = new Map(['west', 'east'].map(name => [`state.workload.kcp.io/${this.key(name)}`, name]));
    const states = Object.entries(object?.metadata?.labels ?? {}).filter(([name]) => name.startsWith('state.'));
    return Object.fromEntries(states.map(([name, state]) => [names.get(name) ?? name, state]));
  }

  /** Changes labels, annotations, finalizers of what is there. */
  mark(collection: string, name: string, namespace: string, metadata: KubeObject['metadata']): void {
    const object = this.server.get(collection, CONSUMER, name, namespace);
    const annotations = { ...object?.metadata?.annotations, ...metadata?.annotations };
    const labels = { ...object?.metadata?.labels, ...metadata?.labels };
    this.server.put(collection, CONSUMER, {
      ...object,
      metadata: { ...object?.metadata, name, namespace, ...metadata, annotations, labels },
    });
  }

  /** Lets so much time pass, in which syncers do their work, until nobody does anything any more. */
  async pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed <= milliseconds; passed += 1000) {
      await this.rest();
      await this.clock.advance(1000);
      this.#heartbeats();
    }
    await this.rest();
  }

  /** Until what can be done now is done. */
  async rest(): Promise<void> {
    for (let turns = 0; turns < 200; turns++) {
      const before = this.server.version;
      await settle();
      this.#syncers();
      this.#followTargets();
      await settle();
      if (this.server.version === before) return;
    }
    throw new Error(`no rest: ${this.server.writes.slice(-10).join('\n')}`);
  }

  #store(target: KubeObject): void {
    this.server.put(TARGETS, COMPUTE, target);
    this.#followTargets();
  }

  /** What the knowledge does with a watch. */
  #followTargets(): void {
    const stored = this.server.list(TARGETS) as readonly SyncTarget[];
    for (const target of stored) {
      const known = this.known(target.metadata?.name ?? '');
      if (known?.object !== target) this.targets.put(target);
    }
    for (const known of this.targets.list()) {
      if (!stored.some(({ metadata }) => metadata?.uid === known.identity.uid)) this.targets.remove(known);
    }
  }

  #heartbeats(): void {
    if (this.clock.now() % 20_000 !== 0) return;
    for (const name of this.alive) {
      const target = this.server.get(TARGETS, COMPUTE, name);
      const lastSyncerHeartbeatTime = new Date(this.now).toISOString();
      if (target) this.#store({ ...target, status: { ...(target.status as object), lastSyncerHeartbeatTime } });
    }
  }

  /** Syncers take what is for them, report how it is, and let go of what is to leave. */
  #syncers(): void {
    for (const object of this.server.list(DEPLOYMENTS)) {
      for (const name of this.alive) {
        const next = synced(object, this.key(name));
        if (next === undefined) continue;
        this.server.put(DEPLOYMENTS, object.metadata?.annotations?.['kcp.io/cluster'] ?? '', next);
        // The next one sees this first.
        break;
      }
    }
  }
}

/** One step of one syncer with one Deployment; undefined: it has nothing to do. */
function synced(object: KubeObject, key: string): KubeObject | undefined {
  const { labels = {}, annotations = {}, finalizers = [] } = object.metadata ?? {};
  const [label, finalizer] = [`state.workload.kcp.io/${key}`, `workload.kcp.io/syncer-${key}`];
  const [deletion, diff] = [`deletion.internal.workload.kcp.io/${key}`, `diff.syncer.internal.kcp.io/${key}`];
  const specDiff = `experimental.spec-diff.workload.kcp.io/${key}`;
  if (labels[label] !== 'Sync') return undefined;
  const isTaken = finalizers.includes(finalizer);
  if (annotations[deletion] !== undefined) {
    if (!isTaken) return undefined;
    const { [label]: _, ...otherLabels } = labels;
    const { [deletion]: _deletion, [diff]: _diff, ...otherAnnotations } = annotations;
    const others = finalizers.filter(one => one !== finalizer);
    return {
      ...object,
      metadata: { ...object.metadata, labels: otherLabels, annotations: otherAnnotations, finalizers: others },
    };
  }
  const { replicas } = (object.spec ?? {}) as { readonly replicas?: number };
  const share = annotations[specDiff] === undefined ? replicas : JSON.parse(annotations[specDiff])[0].value;
  const report = JSON.stringify({ status: { replicas: share, readyReplicas: share } });
  if (isTaken && annotations[diff] === report) return undefined;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      annotations: { ...annotations, [diff]: report },
      finalizers: [...new Set([...finalizers, finalizer])],
    },
  };
}

export const urlOf = (exported: Pick<KnownExport, 'cluster' | 'name'>): string => exportUrl(BASE, exported);
