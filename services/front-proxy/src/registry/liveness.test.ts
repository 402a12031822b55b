import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { endpoint, instancesOf, registeredFrom } from './registered.fixture.ts';
import type { RegisteredAddresses } from './registered-addresses.ts';
import { FakeRegistry } from './registry.fixture.ts';

let fake: FakeRegistry;
let source: RegisteredAddresses;
let errors: string[];

const instances = (view = 'v') => instancesOf(source, view);

async function follow(): Promise<void> {
  source = registeredFrom(fake, errors);
  await fake.pass(2);
}

beforeEach(() => {
  fake = new FakeRegistry();
  errors = [];
});
afterEach(() => source.close());

describe('an instance is dead', () => {
  test('when its lease has not been renewed for its duration, and back when it is', async () => {
    fake.view('v', [endpoint('a'), endpoint('b')]);
    await follow();
    fake.renew('v', 'a', 20);
    await fake.pass(19, () => fake.renew('v', 'b'));
    expect(instances()).toEqual(['a', 'b']);
    await fake.pass(3, () => fake.renew('v', 'b'));
    expect(instances()).toEqual(['b']);
    expect(source.deadFor(1_000)).toMatchObject([{ view: 'v', instance: 'a' }]);
    fake.renew('v', 'a', 20);
    await fake.clock.advance(0);
    expect([instances(), source.deadFor(0)]).toEqual([['a', 'b'], []]);
  });

  test('when it has no lease, after as long as one lasts', async () => {
    fake.view('v', [endpoint('a')]);
    await follow();
    await fake.pass(12);
    expect(instances()).toEqual(['a']);
    await fake.pass(6);
    expect(instances()).toEqual([]);
  });

  test('with a lease for hours after minutes', async () => {
    fake.view('v', [endpoint('a')]);
    fake.renew('v', 'a', 100_000);
    await follow();
    await fake.pass(302);
    expect(instances()).toEqual([]);
  });

  test('with a lease for less than a second not before some have passed', async () => {
    fake.view('v', [endpoint('a')]);
    await follow();
    fake.renew('v', 'a', 0.001);
    await fake.pass(2);
    expect([instances(), fake.asked]).toEqual([['a'], []]);
    await fake.pass(3);
    expect(instances()).toEqual([]);
  });

  // Leases that are always due, in a view that comes first, would take every question.
  test('however many of another view have to be asked about all the time', async () => {
    const noisy = Array.from({ length: 40 }, (_, i) => `i${i}`);
    fake.view(
      'v',
      noisy.map(name => endpoint(name)),
    );
    fake.view('w', [endpoint('b')]);
    fake.renew('w', 'b');
    for (const name of noisy) fake.renew('v', name, 1);
    await follow();
    await fake.pass(40, () => {
      fake.silent = true;
      for (const name of noisy) fake.renew('v', name, 1);
      fake.silent = false;
    });
    expect([instances('v')?.length, instances('w')]).toEqual([40, []]);
  });

  // Whoever may write leases in one namespace speaks for the view of that namespace.
  test('when only somebody of its name is alive who serves another view', async () => {
    fake.view('v', [endpoint('a')]);
    fake.view('w', [endpoint('a')]);
    await follow();
    await fake.pass(20, () => fake.renew('w', 'a'));
    expect([instances('v'), instances('w')]).toEqual([[], ['a']]);
  });
});

describe('with the registry away', () => {
  test('the last good addresses stay, and each instance has a whole duration when it is back', async () => {
    fake.view('v', [endpoint('a')]);
    fake.renew('v', 'a');
    await follow();
    fake.reachable = false;
    fake.cut();
    await fake.pass(300);
    expect(instances()).toEqual(['a']);
    fake.reachable = true;
    await fake.pass(10);
    expect(instances()).toEqual(['a']);
    // Nobody renews it.
    await fake.pass(40);
    expect(instances()).toEqual([]);
  });

  test('and back, nobody dies of the time that it was away', async () => {
    fake.view('v', [endpoint('a')]);
    fake.renew('v', 'a');
    await follow();
    fake.reachable = false;
    fake.cut();
    await fake.pass(60);
    fake.reachable = true;
    // The instance needs a moment, too, until it gets through.
    await fake.pass(10);
    expect(instances()).toEqual(['a']);
    await fake.pass(30, () => fake.renew('v', 'a'));
    expect(instances()).toEqual(['a']);
  });

  // A network may be gone without a word: the watch looks open for most of a minute, and all leases seem to end together.
  test('without a word, nobody dies who could not be asked about', async () => {
    fake.view('v', [endpoint('a')]);
    fake.renew('v', 'a');
    await follow();
    fake.silent = true;
    await fake.pass(100, () => fake.renew('v', 'a'));
    expect(instances()).toEqual(['a']);
    expect(errors).toContain('the registry is away');
  });

  test('as far as the watch is late, a lease that was renewed is alive', async () => {
    fake.view('v', [endpoint('a')]);
    fake.renew('v', 'a');
    await follow();
    fake.silent = true;
    fake.renew('v', 'a');
    fake.silent = false;
    await fake.pass(20);
    expect([instances(), fake.asked.length]).toEqual([['a'], 1]);
  });

  test('and its objects gone from a list that could be read, they are gone', async () => {
    fake.view('v', [endpoint('a')]);
    await follow();
    fake.reachable = false;
    fake.cut();
    fake.removeView('v');
    await fake.pass(60);
    expect(instances()).toEqual(['a']);
    fake.reachable = true;
    await fake.pass(40);
    expect(source.addressesOf('v')).toBeUndefined();
  });
});
