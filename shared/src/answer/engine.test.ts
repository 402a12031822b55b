import { Duplex } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import type { Caller } from '../authn/identity.ts';
import { settle } from '../informer/scripted.fixture.ts';
import { toStatusError } from '../kube/errors.ts';
import type { Exchange } from '../listener/exchange.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import { type FakeExchange, fakeExchange } from '../testing/fake-exchange.ts';
import { fakeUpstream } from '../testing/fake-upstream.ts';
import { type Answer, type Call, forward, rewrite, serve, transform } from '../view/view.ts';
import { createDrain } from './drain.ts';
import { createEngine, type Engine } from './engine.ts';
import { sendStatus } from './send.ts';
import { BASE, newCollection } from './serve.fixture.ts';

const because = 'test';
const caller: Caller = { name: 'alice', uid: '', groups: [], extra: {}, method: 'token' };
const OBJECT = { metadata: { name: 'a' } };
const of = { apiVersion: 'example.dev/v1', kind: 'Widget', group: 'example.dev', resource: 'widgets', columns: [] };

function shards() {
  const local = fakeUpstream(() => ({ body: { ...OBJECT, local: true } }));
  const other = Object.assign(
    fakeUpstream(() => ({ body: OBJECT })),
    { name: 'https://other.test' },
  );
  const drain = createDrain();
  return { local, other, drain, engine: createEngine({ shard: local, drain }) };
}

/** `exchange` when it is complete, or when all that happens at once has happened. */
async function execute(engine: Engine, answer: Answer, path: string, { method = 'GET', upgrade = false } = {}) {
  const fake = fakeExchange(method, path);
  const exchange: Exchange = upgrade
    ? Object.assign(fake, {
        upgrade: { protocol: 'websocket' as const, connection: new Duplex(), switchProtocols: () => undefined },
      })
    : fake;
  const rest = parseTarget(path);
  const call: Call = { caller, scope: { cluster: 'c1' }, request: requestInfo(method, rest), query: rest.query };
  const done = engine.execute(exchange, call, rest, answer).catch(error => sendStatus(exchange, toStatusError(error)));
  await Promise.race([done, settle()]);
  return fake;
}

describe('a plan that names another shard', () => {
  test.each<[string, (shard: ReturnType<typeof shards>['other']) => Answer]>([
    ['forward', shard => forward({ shard, because })],
    ['guarded forward', shard => forward({ shard, because, guard: { visible: () => true } })],
    ['transform', shard => transform({ shard, because, reads: 'object', object: object => object })],
    ['rewrite', shard => rewrite({ shard, because, of })],
  ])('is executed there: %s', async (_, answer) => {
    const { local, other, engine } = shards();
    const exchange = await execute(engine, answer(other), `${BASE}/a`);
    expect([exchange.status, exchange.json]).toMatchObject([200, OBJECT]);
    expect([local.requests.length, other.requests.map(({ path }) => path)]).toEqual([0, [`/clusters/c1${BASE}/a`]]);
  });

  test('is executed there also by who wants to leave HTTP', async () => {
    const { local, other, engine } = shards();
    const exchange = await execute(engine, forward({ shard: other, because }), `${BASE}?watch=1`, { upgrade: true });
    expect([exchange.status, exchange.text]).toEqual([
      400,
      expect.stringContaining('https://other.test takes no requests to upgrade'),
    ]);
    expect([local.requests, other.requests]).toEqual([[], []]);
  });

  test('is empty until that shard serves the resource, whatever is known of the local one', async () => {
    const missing = { kind: 'Status', code: 404, message: 'the server could not find the requested resource' };
    const at = (version: string) =>
      fakeUpstream(({ path }) =>
        path.includes('/always') ? { body: { metadata: { resourceVersion: version } } } : { status: 404, body: missing },
      );
    const [local, other] = [at('5'), at('70')];
    const engine = createEngine({ shard: local, drain: createDrain() });
    const emptyUntilServed = { kind: 'Widget', collection: '/clusters/c1/apis/example.dev/v1/always' };
    const plan = { cluster: 'c1', emptyUntilServed, because };
    const versions: unknown[] = [];
    for (const answer of [forward(plan), forward({ ...plan, shard: other }), forward(plan)]) {
      versions.push((await completed(engine, answer)).json);
    }
    expect(versions).toMatchObject(['5', '70', '5'].map(resourceVersion => ({ metadata: { resourceVersion }, items: [] })));
  });

  async function completed(engine: Engine, answer: Answer): Promise<FakeExchange> {
    const exchange = await execute(engine, answer, BASE);
    await new Promise<void>(resolve => exchange.onClose(() => resolve()));
    return exchange;
  }
});

test('what is rewritten cannot be upgraded: nobody could rewrite what goes through', async () => {
  const { local, engine } = shards();
  const exchange = await execute(engine, rewrite({ because, of }), `${BASE}?watch=1`, { upgrade: true });
  expect([exchange.status, local.requests]).toEqual([400, []]);
});

describe('a watch of what is served', () => {
  const watched = async (answer: (end: (end: (reason: string) => void) => () => void) => Answer) => {
    const { engine, drain } = shards();
    const ends = new Set<(reason: string) => void>();
    const until = (end: (reason: string) => void) => {
      ends.add(end);
      return () => ends.delete(end);
    };
    const exchange = await execute(engine, answer(until), `${BASE}?watch=1&resourceVersion=100`);
    return { exchange, drain, ends };
  };

  test('ends when the access ends', async () => {
    const { exchange, ends } = await watched(until => serve(newCollection(), because, { until }));
    expect([exchange.status, exchange.closed, ends.size]).toEqual([200, false, 1]);
    for (const end of ends) end('the access has ended');
    expect([exchange.end_, ends.size]).toEqual(['complete', 0]);
  });

  test('ends when the process shuts down, and nobody listens any more', async () => {
    const { exchange, drain, ends } = await watched(until => serve(newCollection(), because, { until }));
    drain.begin();
    expect([exchange.end_, ends.size]).toEqual(['complete', 0]);
  });

  test('does not last longer than the plan says', async () => {
    const { exchange } = await watched(() => serve(newCollection(), because, { watchSeconds: { min: 0.01, max: 0.01 } }));
    await new Promise<void>(resolve => exchange.onClose(() => resolve()));
    expect(exchange.end_).toBe('complete');
  });
});
