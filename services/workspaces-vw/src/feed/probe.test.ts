import { afterEach, expect, test } from '@jest/globals';
import { systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { ManualClock, ScriptedUpstream, settle } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { closeAll, quietWatch, shardServer, upstreamTo, watch } from '@kcp-vw/shared/upstream/upstream.fixture.ts';
import { isWell } from './probe.ts';

afterEach(closeAll);

function setUp() {
  const upstream = new ScriptedUpstream();
  const clock = new ManualClock();
  const stopping = new AbortController();
  const well = isWell(upstream, { timeout: 2000, clock, signal: stopping.signal });
  return { upstream, clock, stopping, well };
}

test('a server that says so is well', async () => {
  const { upstream, clock, well } = setUp();
  const call = await upstream.next();
  expect([call.path, call.request.method]).toEqual(['/livez', 'GET']);
  call.head(200).raw('ok').end();
  expect([await well, clock.pending]).toEqual([true, []]);
});

test('a server that says something else is not', async () => {
  const { upstream, well } = setUp();
  (await upstream.next()).head(500).raw('[-]etcd failed').end();
  expect(await well).toBe(false);
});

test('a server that does not end its answer in time is not, and is not waited for any more', async () => {
  const { upstream, clock, well } = setUp();
  const call = await upstream.next();
  call.head(200).raw('o');
  await clock.advance(2000);
  expect([await well, call.aborted, clock.pending]).toEqual([false, true, []]);
});

test('a server that cannot be reached is not', async () => {
  const { upstream, clock, well } = setUp();
  (await upstream.next()).fail('unreachable');
  expect([await well, clock.pending]).toEqual([false, []]);
});

test('a question that is given up leaves nothing', async () => {
  const { upstream, clock, stopping, well } = setUp();
  const call = await upstream.next();
  stopping.abort();
  await settle();
  expect([await well, call.aborted, clock.pending]).toEqual([false, true, []]);
});

// A network that has lost packets delivers a session in order, and another session whenever it likes.
test('a server is asked on the session that its watches are on', async () => {
  const server = await shardServer((stream, path) => {
    if (path !== '/livez') return quietWatch(stream, path);
    stream.respond({ ':status': 200 });
    stream.end('ok');
  });
  const upstream = upstreamTo(server.url);
  await watch(upstream).head;
  expect(await isWell(upstream, { timeout: 10_000, clock: systemClock, signal: new AbortController().signal })).toBe(true);
  expect([server.sessions.size, upstream.stats().unaryConnections]).toEqual([1, 0]);
});
