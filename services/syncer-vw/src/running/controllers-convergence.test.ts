import { expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import fc from 'fast-check';
import { CONSUMER, DEPLOYMENTS, World } from './controllers.fixture.ts';

const TARGETS = ['west', 'east'];
const NAMESPACES = ['default', 'team'];

const event = fc.record({
  kind: fc.constantFrom(
    ...(['target', 'remove target', 'sleep', 'cordon', 'drain', 'namespace', 'remove namespace', 'spread', 'selector'] as const),
    ...(['deployment', 'scale', 'remove deployment', 'reset', 'wait', 'wait long', 'refuse', 'unknown'] as const),
  ),
  target: fc.constantFrom(...TARGETS),
  namespace: fc.constantFrom(...NAMESPACES),
  amount: fc.nat(9),
});
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

async function happen(world: World, { kind, target, namespace, amount }: Event): Promise<void> {
  const { server } = world;
  const known = server.get('/namespaces', CONSUMER, namespace) !== undefined;
  const doing: Record<Event['kind'], () => unknown> = {
    target: () => world.target(target, {}, { name: target }),
    'remove target': () => world.removeTarget(target),
    sleep: () => void world.alive.delete(target),
    cordon: () => world.target(target, { unschedulable: true }),
    drain: () => world.target(target, { unschedulable: true, evictAfter: new Date(world.now + amount * 1000).toISOString() }),
    namespace: () => world.namespace(namespace),
    'remove namespace': () => {
      for (const { metadata } of server.list(DEPLOYMENTS)) {
        if (metadata?.namespace === namespace) server.remove(DEPLOYMENTS, CONSUMER, metadata?.name ?? '', namespace);
      }
      server.remove('/namespaces', CONSUMER, namespace);
    },
    spread: () => known && world.namespace(namespace, { 'placement.workload.kcp.io/spread': String(amount % 4) }),
    selector: () =>
      known && world.namespace(namespace, { 'placement.workload.kcp.io/selector': amount > 5 ? '!!' : `name=${target}` }),
    deployment: () => known && world.deployment('web', amount, namespace),
    scale: () => server.get(DEPLOYMENTS, CONSUMER, 'web', namespace) && world.deployment('web', amount, namespace),
    'remove deployment': () => server.remove(DEPLOYMENTS, CONSUMER, 'web', namespace),
    reset: () => server.endStreams(),
    wait: () => world.pass(amount * 100),
    'wait long': () => world.pass(amount * 3000),
    refuse: async () => {
      let count = 0;
      // Every other write fails, and nobody knows of some whether they have been done.
      server.refuse = ({ method }) => (method === 'PATCH' && count++ % 2 === 0 ? 'reset' : undefined);
      await world.pass(2000);
      server.refuse = () => undefined;
    },
    unknown: async () => {
      world.targets.isComplete = false;
      await world.pass(2000);
      world.targets.isComplete = true;
    },
  };
  await doing[kind]();
}

const keysOf = ({ metadata }: KubeObject): string[] =>
  Object.keys(metadata?.labels ?? {})
    .filter(name => name.startsWith('state.'))
    .map(name => name.slice(name.indexOf('/') + 1))
    .sort();

test('whatever happens, all comes to rest: objects where their namespace is, with all replicas, and nothing of targets that are gone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 25 }), async events => {
      const world = new World();
      world.target('west', {}, { name: 'west' });
      world.namespace('default');
      // There are always others.
      world.namespace('kube-system');
      world.deployment('web', 5);
      world.start();
      for (const one of events) await happen(world, one);
      // Heartbeats are missed after a minute, and what has failed often is tried again after one.
      await world.pass(180_000);
      world.server.writes.length = 0;
      await world.pass(30_000);
      expect(world.server.writes.filter(write => !write.includes('/leases/'))).toEqual([]);
      expect(world.controllers?.isAtRest()).toBe(true);

      for (const deployment of world.server.list(DEPLOYMENTS)) {
        const { annotations = {}, finalizers = [], namespace = '', deletionTimestamp } = deployment.metadata ?? {};
        const isAlive = (key: string): boolean => TARGETS.some(name => world.key(name) === key && world.alive.has(name));
        const isThere = (key: string): boolean => world.targets.byKey(key) !== undefined;
        // Only a syncer that is there and does not answer holds on to anything.
        const syncers = finalizers.map(one => one.replace('workload.kcp.io/syncer-', ''));
        expect(syncers.filter(key => !isThere(key))).toEqual([]);
        if (deletionTimestamp) {
          expect(syncers.filter(isAlive)).toEqual([]);
          expect(syncers.length).toBeGreaterThan(0);
          continue;
        }
        const stored = world.server.get('/namespaces', CONSUMER, namespace);
        const wanted = stored ? keysOf(stored) : [];
        const staying = keysOf(deployment).filter(key => annotations[`deletion.internal.workload.kcp.io/${key}`] === undefined);
        expect(staying).toEqual(wanted);
        for (const key of keysOf(deployment))
          if (!wanted.includes(key)) expect([isThere(key), isAlive(key)]).toEqual([true, false]);
        const shares = wanted.map(
          key => JSON.parse(annotations[`experimental.spec-diff.workload.kcp.io/${key}`] ?? '[]')[0].value,
        );
        const { replicas } = deployment.spec as { replicas: number };
        if (wanted.length > 0) expect(shares.reduce((sum, one) => sum + one, 0)).toBe(replicas);
      }
      await world.stop();
      expect(world.server.openStreams).toBe(0);
    }),
    { numRuns: 25 },
  );
}, 120_000);
