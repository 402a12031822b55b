import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { endpoint, registeredFrom } from './registered.fixture.ts';
import type { RegisteredAddresses } from './registered-addresses.ts';
import { FakeRegistry } from './registry.fixture.ts';
import { removeStaleEntries } from './stale-entries.ts';

const STATUS = '/apis/virtualworkspaces.kcp.io/v1alpha1/virtualworkspaces/v/status';
const LEASE_OF_A = '/apis/coordination.k8s.io/v1/namespaces/virtualworkspace-v/leases/a';

let fake: FakeRegistry;
let registered: RegisteredAddresses;
let stop: () => void;
let warnings: string[];

const entries = (view = 'v') => fake.object(view)?.status?.endpoints?.map(({ instance }) => instance);

beforeEach(async () => {
  fake = new FakeRegistry();
  warnings = [];
  fake.view('v', [endpoint('a'), endpoint('b')]);
  fake.renew('v', 'a');
  const { registry, clock } = fake;
  registered = registeredFrom(fake, warnings);
  const log = { info: () => undefined, warn: (...args: unknown[]) => void warnings.push(String(args.at(-1))) };
  stop = removeStaleEntries({ registry, registered, log, clock });
  await fake.pass(1);
});
afterEach(() => {
  stop();
  registered.close();
});
const aliveB = () => fake.renew('v', 'b');

test('what an instance has left is removed a minute after its lease has expired: its entry, as itself, and its lease', async () => {
  await fake.pass(70, aliveB);
  expect([entries(), fake.hasLease('v', 'a')]).toEqual([['a', 'b'], true]);
  await fake.pass(35, aliveB);
  expect([entries(), fake.hasLease('v', 'a')]).toEqual([['b'], false]);
  expect(fake.writes).toMatchObject([
    { method: 'PATCH', path: STATUS, manager: 'a', body: { metadata: { name: 'v' } } },
    { method: 'DELETE', path: LEASE_OF_A },
  ]);
  expect(fake.writes[0]?.body.status).toBeUndefined();
  await fake.pass(60, aliveB);
  expect(fake.writes).toHaveLength(2);
});

test('an entry without a lease is removed, too', async () => {
  fake.removeLease('v', 'a');
  await fake.pass(110, aliveB);
  expect([entries(), warnings]).toEqual([['b'], []]);
});

test('nothing is removed of an instance that comes back in time', async () => {
  await fake.pass(70, aliveB);
  await fake.pass(60, () => {
    aliveB();
    fake.renew('v', 'a');
  });
  expect([entries(), fake.writes]).toEqual([['a', 'b'], []]);
});

// The watch that would tell is late; each look reads the lease itself.
test('nothing is removed of an instance whose renewal has not been seen yet', async () => {
  await fake.pass(75, aliveB);
  await fake.pass(60, () => {
    aliveB();
    fake.silent = true;
    fake.renew('v', 'a');
    fake.silent = false;
  });
  expect([entries(), fake.writes]).toEqual([['a', 'b'], []]);
});

test('nobody is removed while the registry is away', async () => {
  fake.reachable = false;
  fake.cut();
  await fake.pass(300);
  expect(fake.writes).toEqual([]);
});

test('another front proxy may have been faster', async () => {
  await fake.pass(80, aliveB);
  fake.refuses.set(`PATCH ${STATUS}`, 404);
  fake.refuses.set(`DELETE ${LEASE_OF_A}`, 404);
  await fake.pass(30, aliveB);
  expect(warnings).toEqual([]);
});

// Who may write one view could otherwise end the clean-up of all.
test('a view that says no is left alone for ten minutes, and the others are not', async () => {
  fake.refuses.set(`PATCH ${STATUS}`, 403);
  fake.view('w', [endpoint('c')]);
  await fake.pass(300, aliveB);
  expect([entries(), entries('w'), warnings]).toEqual([
    ['a', 'b'],
    [],
    ['entries of dead instances of a view are not removed, for this front proxy may not'],
  ]);
  fake.refuses.clear();
  await fake.pass(420, aliveB);
  expect(entries()).toEqual(['b']);
});

// The field of another manager is not removed with the one of the instance: it would be tried for ever.
test('an entry that is still there when it was removed is left alone for ten minutes', async () => {
  stop();
  const { registry, clock } = fake;
  const log = { info: () => undefined, warn: () => undefined };
  stop = removeStaleEntries({ registry, registered: { deadFor: () => [{ view: 'v', instance: 'a' }] }, log, clock });
  const patches = () => fake.writes.filter(({ method }) => method === 'PATCH').length;
  await fake.pass(300);
  expect(patches()).toBe(1);
  await fake.pass(600);
  expect(patches()).toBe(2);
});

test('of a view with many that are dead only some are looked at, so that those of others have their turn', async () => {
  fake.view(
    'v',
    Array.from({ length: 40 }, (_, i) => endpoint(`i${i}`)),
  );
  fake.refuses.set(`PATCH ${STATUS}`, 500);
  fake.view('w', [endpoint('c')]);
  await fake.pass(150);
  expect([entries()?.length, entries('w')]).toEqual([40, []]);
});

test('what does not work now is tried again', async () => {
  fake.refuses.set(`PATCH ${STATUS}`, 500);
  await fake.pass(120, aliveB);
  expect(new Set(warnings)).toEqual(new Set(['the entry of a dead instance could not be removed; trying again']));
  fake.refuses.clear();
  await fake.pass(30, aliveB);
  expect(entries()).toEqual(['b']);
});
