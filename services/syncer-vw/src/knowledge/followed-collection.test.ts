import { afterEach, describe, expect, test } from '@jest/globals';
import { followCollection, KEPT_WHEN_REFUSED_MS } from './followed-collection.ts';
import { FakeServers, fakeLog, settleAll, timing } from './knowledge.fixture.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const URL = 'https://kcp/things';

async function setUp(prepare: (servers: FakeServers) => void = servers => servers.serve(URL)) {
  const servers = new FakeServers();
  prepare(servers);
  const { lines, log } = fakeLog();
  const time = timing();
  const standings: string[] = [];
  const events: string[] = [];
  const made = followCollection({
    ...{ ...time, log, name: 'things', path: '/things', upstream: servers.connections.at('https://kcp', 'control') },
    project: object => object,
    onEvent: ({ type, object }) => events.push(`${type} ${object.metadata?.name}`),
    onChange: () => standings.push(made.standing),
  });
  stops.push(() => made.stop());
  await settleAll();
  const pass = async (milliseconds = 1000): Promise<void> => {
    await time.clock.advance(milliseconds);
    await settleAll();
  };
  return { servers, lines, standings, events, made, pass };
}

describe('a collection', () => {
  test('is current once it was read, be it empty', async () => {
    const { made, standings } = await setUp();
    expect([made.standing, made.isTried, made.list(), standings]).toEqual(['current', true, [], ['current']]);
  });

  test('tells once of all that a list has brought', async () => {
    const { events, standings } = await setUp(servers => {
      servers.put(URL, 'a');
      servers.put(URL, 'b');
    });
    expect([events, standings.length]).toEqual([['ADDED a', 'ADDED b'], 1]);
  });

  test.each([
    [404, 'absent'],
    [403, 'forbidden'],
  ])('that is answered with %s is %s until it is answered otherwise', async (code, standing) => {
    const { made, servers, pass } = await setUp(servers => servers.refused.set(URL, code));
    expect([made.standing, made.isTried]).toEqual([standing, true]);
    servers.refused.clear();
    servers.put(URL, 'a');
    await pass();
    expect([made.standing, made.list().length]).toEqual(['current', 1]);
  });

  test('that gets no answer is waited for, and was tried', async () => {
    const { made } = await setUp(servers => servers.unreachable.add(URL));
    expect([made.standing, made.isTried]).toEqual(['waiting', true]);
  });

  test('that gets no answer any more is behind, and keeps what it had', async () => {
    const { made, servers, pass } = await setUp(servers => servers.put(URL, 'a'));
    servers.unreachable.add(URL);
    servers.cut();
    await pass();
    expect([made.standing, made.list().length]).toEqual(['behind', 1]);
  });

  test('that goes on after the usual end of a watch was current all the time', async () => {
    const { standings, servers, pass } = await setUp();
    servers.expire();
    await pass();
    expect(standings).toEqual(['current']);
  });
});

describe('what was read before it is refused', () => {
  test('is kept for a while, and all the same when it is refused otherwise', async () => {
    const { made, servers, events, pass } = await setUp(servers => servers.put(URL, 'a'));
    servers.refused.set(URL, 403);
    servers.expire();
    await pass();
    expect([made.standing, made.list().length, made.isGivenUp]).toEqual(['forbidden', 1, false]);
    servers.refused.set(URL, 404);
    await pass(KEPT_WHEN_REFUSED_MS - 10_000);
    expect([made.standing, made.list().length]).toEqual(['absent', 1]);
    await pass(10_000);
    expect([made.list(), made.isGivenUp, events]).toEqual([[], true, ['ADDED a', 'DELETED a']]);
  });

  test('stays when it is read again in time, and has its time anew then', async () => {
    const { made, servers, pass } = await setUp(servers => servers.put(URL, 'a'));
    servers.refused.set(URL, 403);
    servers.expire();
    await pass(KEPT_WHEN_REFUSED_MS - 10_000);
    servers.refused.clear();
    await pass();
    expect(made.standing).toBe('current');
    servers.refused.set(URL, 403);
    servers.expire();
    await pass(KEPT_WHEN_REFUSED_MS - 10_000);
    expect([made.standing, made.list().length]).toEqual(['forbidden', 1]);
  });

  test('is there again when it is read after that time', async () => {
    const { made, servers, events, pass } = await setUp(servers => servers.put(URL, 'a'));
    servers.refused.set(URL, 403);
    servers.expire();
    await pass();
    await pass(KEPT_WHEN_REFUSED_MS);
    servers.refused.clear();
    await pass();
    expect([made.standing, made.isGivenUp, made.list().length]).toEqual(['current', false, 1]);
    expect(events).toEqual(['ADDED a', 'DELETED a', 'ADDED a']);
  });
});

test('a failure is logged once a minute', async () => {
  const { lines, pass } = await setUp(servers => servers.refused.set(URL, 403));
  for (let second = 0; second < 59; second += 1) await pass();
  expect(lines).toHaveLength(1);
  await pass(2000);
  await pass(2000);
  expect(lines).toHaveLength(2);
});

test('nothing is told or open after the end', async () => {
  const { made, servers, standings, events, pass } = await setUp();
  made.stop();
  servers.put(URL, 'a');
  await pass(KEPT_WHEN_REFUSED_MS);
  expect([servers.streams, standings, events]).toEqual([[], ['current'], []]);
});
