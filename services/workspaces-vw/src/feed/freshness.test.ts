import { afterEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { FakeShard } from './feed.fixture.ts';
import { createFreshness, type FreshnessTracker } from './freshness.ts';

const trackers: FreshnessTracker[] = [];
afterEach(() => {
  for (const tracker of trackers.splice(0)) tracker.stop();
});

function setUp() {
  const clock = new ManualClock();
  const changes: string[] = [];
  const errors: unknown[] = [];
  let listed = true;
  const freshness = createFreshness({
    unlisted: () => (listed ? undefined : 'it is not known yet which shards there are'),
    onChange: (shard, reason) => changes.push(`${shard}: ${reason ?? 'current'}`),
    onError: error => errors.push(error),
    clock,
  });
  trackers.push(freshness);
  /** A shard that is read and connected until a test says otherwise. */
  const add = (name: string) => {
    const shard = new FakeShard(name);
    const state = { shard, missing: [] as string[], connected: true };
    freshness.add(name, { upstream: shard, missing: () => state.missing, connected: () => state.connected });
    return state;
  };
  const setListed = (now: boolean): void => {
    listed = now;
  };
  /** As time goes by, and not in one leap: a shard that is not looked at for so long is not current. */
  const pass = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed += 500) await clock.advance(500);
  };
  return { clock, changes, errors, freshness, add, setListed, pass };
}

const only = (...shards: string[]): ReadonlySet<string> => new Set(shards);

describe('a shard', () => {
  test('that is read, tells its changes and answers is current', async () => {
    const { freshness, add, pass, changes } = setUp();
    add('one');
    await pass(60_000);
    expect([freshness.whyNot(only('one')), freshness.whyNot('all')]).toEqual([undefined, undefined]);
    expect(changes).toEqual(['one: current']);
  });

  test('is not current until it has answered', async () => {
    const { freshness, add, pass } = setUp();
    const { shard } = add('one');
    expect(freshness.whyNot(only('one'))).toBe('shard one has not said for 10 s that it is well');
    await pass(500);
    expect([freshness.whyNot(only('one')), shard.requests]).toEqual([undefined, ['/livez']]);
  });

  test('is not current until all of it has been read', async () => {
    const { freshness, add, pass } = setUp();
    const state = add('one');
    state.missing = ['workspaces', 'clusterroles'];
    await pass(2000);
    expect(freshness.whyNot(only('one'))).toBe('shard one has not been read yet: waiting for workspaces, clusterroles');
    state.missing = [];
    expect(freshness.whyNot(only('one'))).toBeUndefined();
  });

  // Its connections stay open: by them alone it cannot be told from one where nothing happens.
  test('that hangs is current for ten seconds, and again as soon as it answers', async () => {
    const { freshness, add, pass, changes } = setUp();
    const { shard } = add('one');
    await pass(4000);
    shard.hangs = true;
    await pass(5000);
    expect(freshness.whyNot(only('one'))).toBeUndefined();
    await pass(7000);
    expect(freshness.whyNot(only('one'))).toBe('shard one has not said for 10 s that it is well');
    shard.hangs = false;
    await pass(3000);
    expect(freshness.whyNot(only('one'))).toBeUndefined();
    expect(changes).toEqual(['one: current', 'one: shard one has not said for 10 s that it is well', 'one: current']);
  });

  test('that hangs is asked one question at a time', async () => {
    const { add, pass } = setUp();
    const { shard } = add('one');
    shard.hangs = true;
    await pass(20_000);
    expect(shard.requests.length).toBeGreaterThan(5);
    expect(shard.unanswered).toBe(1);
  });

  test.each([
    ['is not well', (shard: FakeShard) => Object.assign(shard, { health: 500 })],
    ['cannot be reached', (shard: FakeShard) => Object.assign(shard, { isReachable: false })],
  ])('that %s is not current any more', async (_, spoil) => {
    const { freshness, add, pass } = setUp();
    const { shard } = add('one');
    await pass(2000);
    spoil(shard);
    await pass(13_000);
    expect(freshness.whyNot(only('one'))).toBe('shard one has not said for 10 s that it is well');
  });

  test('that was found current by who is answered is told to him when it is so no more, whether it was looked at before or not', async () => {
    const { freshness, add, pass, changes } = setUp();
    const state = add('one');
    await pass(1000);
    state.connected = false;
    await pass(3500);
    state.shard.hangs = true;
    await pass(8000);
    state.connected = true;
    expect(freshness.whyNot(only('one'))).toBeUndefined();
    const told: string[] = [];
    freshness.onStale(shard => told.push(shard));
    await pass(20_000);
    expect(told).toEqual(['one']);
    expect(changes).toHaveLength(4);
  });

  test('that is disconnected for less than ten seconds stays current', async () => {
    const { freshness, add, pass, changes } = setUp();
    const state = add('one');
    await pass(4000);
    state.connected = false;
    await pass(7000);
    expect(freshness.whyNot(only('one'))).toBeUndefined();
    state.connected = true;
    await pass(60_000);
    expect(changes).toEqual(['one: current']);
  });

  test('that is disconnected for longer is not current, though it answers, until it is connected again', async () => {
    const { freshness, add, pass } = setUp();
    const state = add('one');
    await pass(4000);
    state.connected = false;
    await pass(11_000);
    expect(freshness.whyNot(only('one'))).toBe('shard one has not told its changes for 10 s');
    state.connected = true;
    expect(freshness.whyNot(only('one'))).toBeUndefined();
  });
});

describe('of several shards', () => {
  test('those that are asked about decide', async () => {
    const { freshness, add, pass } = setUp();
    add('one');
    add('two').shard.hangs = true;
    await pass(2000);
    expect(freshness.whyNot(only('one'))).toBeUndefined();
    expect(freshness.whyNot(only())).toBeUndefined();
    const reason = 'shard two has not said for 10 s that it is well';
    expect([freshness.whyNot(only('one', 'two')), freshness.whyNot('all')]).toEqual([reason, reason]);
  });

  test('one without an address is not current, nor is one that is not known', () => {
    const { freshness } = setUp();
    freshness.add('two');
    expect(freshness.whyNot('all')).toBe('shard two has no address that can be used');
    expect(freshness.whyNot(only('three'))).toBe('shard three is not known');
  });

  test('all are not known while there is no list of them', async () => {
    const { freshness, add, pass, setListed } = setUp();
    add('one');
    await pass(2000);
    setListed(false);
    expect(freshness.whyNot('all')).toBe('it is not known yet which shards there are');
    expect(freshness.whyNot(only('one'))).toBeUndefined();
  });

  test('one that is removed counts no more, and is not asked any more', async () => {
    const { freshness, add, pass, clock, changes } = setUp();
    const { shard } = add('one');
    await pass(2000);
    freshness.remove('one');
    await pass(10_000);
    expect([freshness.whyNot('all'), shard.unanswered, clock.pending]).toEqual([undefined, 0, []]);
    expect(changes).toEqual(['one: current']);
  });

  test('one that is added again begins anew', async () => {
    const { freshness, add, pass } = setUp();
    add('one');
    await pass(2000);
    const { shard } = add('one');
    expect(freshness.whyNot('all')).toBe('shard one has not said for 10 s that it is well');
    await pass(2000);
    expect([freshness.whyNot('all'), shard.requests.length > 0]).toEqual([undefined, true]);
  });
});

describe('who listens', () => {
  test('is told once when a shard is not current any more, and finds why', async () => {
    const { freshness, add, pass } = setUp();
    const heard: (string | undefined)[] = [];
    freshness.onStale(name => heard.push(name, freshness.whyNot(only(name))));
    const { shard } = add('one');
    add('two');
    await pass(2000);
    shard.hangs = true;
    await pass(30_000);
    expect(heard).toEqual(['one', 'shard one has not said for 10 s that it is well']);
  });

  test('hears nothing of a shard that never was current', async () => {
    const { freshness, add, pass } = setUp();
    const heard: string[] = [];
    freshness.onStale(name => heard.push(name));
    add('one').shard.hangs = true;
    freshness.add('two');
    await pass(30_000);
    expect(heard).toEqual([]);
  });

  test('hears nothing after it has stopped listening', async () => {
    const { freshness, add, pass } = setUp();
    const heard: string[] = [];
    const stop = freshness.onStale(name => heard.push(name));
    const { shard } = add('one');
    await pass(2000);
    stop();
    shard.hangs = true;
    await pass(30_000);
    expect(heard).toEqual([]);
  });

  test('is told though another one throws, and the shard is looked at on', async () => {
    const { freshness, add, pass, errors } = setUp();
    const heard: string[] = [];
    const broken = new Error('broken');
    freshness.onStale(() => {
      throw broken;
    });
    freshness.onStale(name => heard.push(name));
    const { shard } = add('one');
    await pass(2000);
    shard.hangs = true;
    await pass(13_000);
    shard.hangs = false;
    await pass(3000);
    expect([heard, errors, freshness.whyNot('all')]).toEqual([['one'], [broken], undefined]);
  });
});

test('at its end nothing is asked and nothing waits', async () => {
  const { freshness, add, pass, clock } = setUp();
  const { shard } = add('one');
  shard.hangs = true;
  await pass(1000);
  freshness.stop();
  await pass(5000);
  expect([shard.unanswered, shard.requests.length, clock.pending]).toEqual([0, 1, []]);
});
