import { afterEach, expect, test } from '@jest/globals';
import { ManualClock, settle } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { fakeLog } from './fake-knowledge.fixture.ts';
import { FakeServer } from './fake-server.fixture.ts';
import { type Leading, runLeading } from './leader.ts';
import type { Lease } from './lease.ts';

const PATH = '/clusters/compute/apis/coordination.k8s.io/v1/namespaces/syncer-vw/leases/syncer-vw';
const NOW = Date.parse('2026-01-01T00:00:00Z');

const processes: Leading[] = [];
afterEach(async () => {
  await Promise.all(processes.splice(0).map(one => one.stop()));
});

const setUp = () => ({ server: new FakeServer(), clock: new ManualClock() });
type World = ReturnType<typeof setUp>;

/** A process, with everything that its leading has said. */
function start({ server, clock }: World, identity: string, upstream = server.at('')) {
  const said: string[] = [];
  const { log, lines } = fakeLog();
  let endSlowly: Promise<void> = Promise.resolve();
  const leading = runLeading({ upstream, path: PATH, identity, clock, now: () => NOW + clock.now(), log }, async signal => {
    said.push('leads');
    await new Promise(resolve => signal.addEventListener('abort', resolve));
    said.push('is told');
    await endSlowly;
    said.push('has ended');
  });
  processes.push(leading);
  const slowly = (): (() => void) => {
    let end: () => void = () => undefined;
    endSlowly = new Promise(resolve => {
      end = resolve;
    });
    return end;
  };
  return { leading, said, lines, slowly };
}

const leaseOf = ({ server }: World) =>
  server.get('coordination.k8s.io/leases', 'compute', 'syncer-vw', 'syncer-vw') as Lease | undefined;

async function pass({ clock }: World, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 500) await clock.advance(500);
}

test('the first process makes the lease and leads', async () => {
  const world = setUp();
  const { leading, said } = start(world, 'one');
  await settle();
  expect(said).toEqual(['leads']);
  expect(leading.isLeading()).toBe(true);
  expect(leaseOf(world)?.spec).toEqual({
    holderIdentity: 'one',
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:00.000000Z',
    leaseTransitions: 0,
  });
});

test('it renews the lease every two seconds, and nobody else leads meanwhile', async () => {
  const world = setUp();
  const one = start(world, 'one');
  await settle();
  const two = start(world, 'two');
  await pass(world, 60_000);
  expect(leaseOf(world)?.spec).toMatchObject({
    holderIdentity: 'one',
    leaseTransitions: 0,
    acquireTime: '2026-01-01T00:00:00.000000Z',
  });
  expect(Date.parse(leaseOf(world)?.spec?.renewTime ?? '') - NOW).toBeGreaterThan(55_000);
  expect([one.said, two.said]).toEqual([['leads'], []]);
});

test('a process that stops gives the lease back after what it led has ended, and another takes it at once', async () => {
  const world = setUp();
  const one = start(world, 'one');
  await settle();
  const two = start(world, 'two');
  await settle();
  const end = one.slowly();
  const stopped = one.leading.stop();
  await pass(world, 4_000);
  expect(one.said).toEqual(['leads', 'is told']);
  expect(leaseOf(world)?.spec?.holderIdentity).toBe('one');
  end();
  await stopped;
  expect(leaseOf(world)?.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
  await pass(world, 3_000);
  expect(two.said).toEqual(['leads']);
  expect(leaseOf(world)?.spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
});

test('a process that cannot renew the lease ends leading before another takes it, and the other does take it', async () => {
  const world = setUp();
  const cut = { is: false };
  const reach = world.server.at('');
  const one = start(world, 'one', {
    ...reach,
    dispatch: (request, handler) => {
      if (!cut.is) return reach.dispatch(request, handler);
      // Takes the request and never answers.
      return { resume: () => undefined, abort: () => undefined };
    },
  });
  await settle();
  const two = start(world, 'two');
  await pass(world, 6_000);
  cut.is = true;
  let both = 0;
  for (let i = 0; i < 60; i++) {
    await world.clock.advance(500);
    if (one.leading.isLeading() && two.leading.isLeading()) both += 1;
  }
  expect(both).toBe(0);
  expect(one.said).toEqual(['leads', 'is told', 'has ended']);
  expect(two.said).toEqual(['leads']);
  expect(one.lines.map(({ text }) => text)).toContain('the lease is lost: this process does not lead any more');
});

test('a lease counts from when it was last seen to change: the clocks of other processes do not matter', async () => {
  const world = setUp();
  const spec = {
    holderIdentity: 'gone',
    leaseDurationSeconds: 15,
    renewTime: '2099-01-01T00:00:00.000000Z',
    leaseTransitions: 3,
  };
  world.server.put('coordination.k8s.io/leases', 'compute', { metadata: { name: 'syncer-vw', namespace: 'syncer-vw' }, spec });
  const { said } = start(world, 'one');
  await pass(world, 14_000);
  expect(said).toEqual([]);
  await pass(world, 4_000);
  expect(said).toEqual(['leads']);
  expect(leaseOf(world)?.spec).toMatchObject({ holderIdentity: 'one', leaseTransitions: 4 });
});

test('of two that take a free lease at once one leads', async () => {
  const world = setUp();
  const [one, two] = [start(world, 'one'), start(world, 'two')];
  await pass(world, 10_000);
  expect([...one.said, ...two.said]).toEqual(['leads']);
});

test('a leader ends at once when somebody else has the lease', async () => {
  const world = setUp();
  const { said, leading } = start(world, 'one');
  await settle();
  const lease = leaseOf(world);
  world.server.put('coordination.k8s.io/leases', 'compute', { ...lease, spec: { ...lease?.spec, holderIdentity: 'other' } });
  await pass(world, 2_500);
  expect(said).toEqual(['leads', 'is told', 'has ended']);
  expect(leading.isLeading()).toBe(false);
});

test('one request that fails does not end leading, and what is in the way is said once', async () => {
  const world = setUp();
  const { said, lines } = start(world, 'one');
  await settle();
  world.server.refuse = () => ({ status: 500, body: { message: 'etcd is away' } });
  await pass(world, 6_000);
  world.server.refuse = () => undefined;
  await pass(world, 20_000);
  expect(said).toEqual(['leads']);
  expect(lines.map(({ text }) => text)).toEqual(['this process leads', 'the lease could not be read or written; trying again']);
});
