import { expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import fc from 'fast-check';
import { patched, stored } from './controllers.fixture.ts';
import { deploymentSplitPatch } from './deployment-split.ts';
import { intentKeys } from './intent-keys.ts';
import { namespaceSchedulingPatch, placedNamespace } from './namespace-scheduling.ts';
import { placementOf } from './placement.ts';
import { expectationOfNamespace, resourceSchedulingDecision } from './resource-scheduling.ts';
import { READY, syncTarget } from './sync-target.fixture.ts';
import type { SyncTarget } from './sync-target.ts';

const START = Date.parse('2026-01-01T12:00:00Z');
const KEYS = ['a', 'b', 'c', 'd'];
const finalizer = (key: string): string => `workload.kcp.io/syncer-${key}`;
const deletion = (key: string): string => `deletion.internal.workload.kcp.io/${key}`;

/** One namespace with one deployment, its controllers, and the syncers of its targets. */
class World {
  now = START;
  spread = 1;
  readonly targets = new Map<string, SyncTarget>();
  namespace: KubeObject = stored({ name: 'default' });
  deployment: KubeObject = stored({ spec: { replicas: 7 } });

  /** Everybody who may change something, each after one read: whether anything has changed, and when to look again. */
  step(): { readonly changed: boolean; readonly recheckAfterMs: number | undefined } {
    const placed = placementOf(placedNamespace(this.namespace), { selector: [], spread: this.spread }, this.targets, this.now);
    const scheduled = namespaceSchedulingPatch(this.namespace, placed.keys, this.now);
    if (scheduled.patch) this.namespace = patched(this.namespace, scheduled.patch);
    const decision = resourceSchedulingDecision(this.deployment, expectationOfNamespace(this.namespace), {
      isTarget: key => this.targets.has(key),
      initialState: '',
      now: this.now,
    });
    if (decision && 'patch' in decision) this.deployment = patched(this.deployment, decision.patch);
    const split = deploymentSplitPatch(this.deployment, { admitPending: true });
    if (split) this.deployment = patched(this.deployment, split);
    const synced = this.#syncers();
    const waits = [placed.recheckAfterMs, scheduled.recheckAfterMs].filter(wait => wait !== undefined);
    return {
      changed: Boolean(scheduled.patch || decision || split || synced),
      recheckAfterMs: waits.length === 0 ? undefined : Math.min(...waits),
    };
  }

  /** Syncers that are alive take what is for them, and let go of what is to leave. */
  #syncers(): boolean {
    const { labels = {}, annotations = {}, finalizers = [] } = this.deployment.metadata ?? {};
    let changed = false;
    for (const [key, { status }] of this.targets) {
      if (status !== READY || labels[`state.workload.kcp.io/${key}`] !== 'Sync') continue;
      const isLeaving = annotations[deletion(key)] !== undefined;
      if (isLeaving && finalizers.includes(finalizer(key))) {
        const gone = { labels: { [`state.workload.kcp.io/${key}`]: null }, annotations: { [deletion(key)]: null } };
        const metadata = { ...gone, finalizers: finalizers.filter(one => one !== finalizer(key)) };
        this.deployment = patched(this.deployment, { metadata });
        return true;
      }
      if (!isLeaving && !finalizers.includes(finalizer(key))) {
        this.deployment = patched(this.deployment, { metadata: { finalizers: [...finalizers, finalizer(key)] } });
        changed = true;
      }
    }
    return changed;
  }

  /** Steps, and waits where there is something to wait for, until nobody changes anything. */
  settle(): void {
    for (let steps = 0; steps < 100; steps++) {
      const { changed, recheckAfterMs } = this.step();
      if (!changed && recheckAfterMs === undefined) return;
      if (!changed) this.now += recheckAfterMs ?? 0;
    }
    throw new Error(`no end: ${JSON.stringify([this.namespace, this.deployment])}`);
  }
}

const event = fc.record({
  key: fc.constantFrom(...KEYS),
  kind: fc.constantFrom('come', 'go', 'sleep', 'cordon', 'drain', 'drain later', 'scale', 'spread', 'step', 'wait'),
  amount: fc.nat(12),
});
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

function happen(world: World, { key, kind, amount }: Event): void {
  const target = (spec: SyncTarget['spec'], status = READY) => world.targets.set(key, syncTarget({ name: key, spec, status }));
  const evictAfter = (seconds: number): string => new Date(world.now + seconds * 1000).toISOString();
  const changes: Record<Event['kind'], () => void> = {
    come: () => target({}),
    go: () => world.targets.delete(key),
    sleep: () => target({}, {}),
    cordon: () => target({ unschedulable: true }),
    drain: () => target({ unschedulable: true, evictAfter: evictAfter(0) }),
    'drain later': () => target({ evictAfter: evictAfter(amount) }),
    scale: () => {
      world.deployment = { ...world.deployment, spec: { replicas: amount } };
    },
    spread: () => {
      world.spread = amount % 4;
    },
    step: () => world.step(),
    wait: () => {
      world.now += amount * 1000;
    },
  };
  changes[kind]();
}

test('whatever happens to targets, a namespace and its deployment come to rest, on the same targets, with all replicas', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), events => {
      const world = new World();
      for (const one of events) happen(world, one);
      world.settle();
      const wanted = placementOf(
        placedNamespace(world.namespace),
        { selector: [], spread: world.spread },
        world.targets,
        world.now,
      ).keys;
      expect(intentKeys(world.namespace)).toEqual(wanted);
      const { annotations = {}, finalizers = [] } = world.deployment.metadata ?? {};
      const staying = intentKeys(world.deployment).filter(key => annotations[deletion(key)] === undefined);
      expect(staying).toEqual(wanted);
      expect([...finalizers].sort().filter(one => wanted.includes(one.replace(finalizer(''), '')))).toEqual(
        wanted.map(finalizer),
      );
      // Only those that are there and do not answer hold on to what they are to let go.
      for (const key of intentKeys(world.deployment).filter(one => !wanted.includes(one))) {
        expect(world.targets.get(key)?.status).toEqual({});
        expect(finalizers).toContain(finalizer(key));
      }
      const shares = wanted.map(key => JSON.parse(annotations[`experimental.spec-diff.workload.kcp.io/${key}`] ?? '[]')[0].value);
      const { replicas } = world.deployment.spec as { replicas: number };
      if (wanted.length > 0) expect(shares.reduce((sum, one) => sum + one, 0)).toBe(replicas);
    }),
    { numRuns: 300 },
  );
});
