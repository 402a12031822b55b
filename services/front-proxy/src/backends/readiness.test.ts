import { afterEach, expect, test } from '@jest/globals';
import { ManualClock } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Backend } from './backends.ts';
import { followReadiness, type Readiness } from './readiness.ts';

let readiness: Readiness;
afterEach(() => readiness.stop());

/** A process that answers its `/readyz` with what it is told to, and counts. */
function backendOf(service: string, answer: { status: number; body: string }) {
  const state = { asked: 0, ready: false };
  const upstream: Pick<Upstream, 'name' | 'dispatch'> = {
    name: service,
    dispatch(_, handler) {
      state.asked += 1;
      setImmediate(() => {
        handler.onHead(answer.status, []);
        handler.onData(Buffer.from(answer.body));
        handler.onEnd();
      });
      return { resume: () => undefined, abort: () => undefined };
    },
  };
  const backend = {
    address: { service, instance: 'a', socketPath: '/s' },
    upstream: upstream as Upstream,
    get ready() {
      return state.ready;
    },
    distrust: () => undefined,
    setReady(ready: boolean) {
      state.ready = ready;
    },
  } satisfies Backend;
  return { backend, state };
}

function follow(backend: Backend, clock: ManualClock, required?: () => readonly string[]): void {
  const changed = (milliseconds: number): Promise<boolean> =>
    new Promise(resolve => {
      clock.after(milliseconds, () => resolve(false));
    });
  readiness = followReadiness({ all: () => [backend], changed }, required, clock);
}

async function pass(clock: ManualClock, seconds: number): Promise<void> {
  for (let i = 0; i < seconds * 20; i += 1) await clock.advance(50);
}

// Fifty entries of a view that nobody serves would each cost a connection four times a second.
test('a process that is not ready is asked less and less often, until it is', async () => {
  const clock = new ManualClock();
  const answer = { status: 500, body: '' };
  const { backend, state } = backendOf('a-vw', answer);
  follow(backend, clock);
  await pass(clock, 1);
  const first = state.asked;
  expect(first).toBeGreaterThan(2);
  await pass(clock, 20);
  expect(state.asked - first).toBeLessThan(13);
  answer.status = 200;
  await pass(clock, 3);
  expect(state.ready).toBe(true);
  answer.status = 500;
  await pass(clock, 3);
  const again = state.asked;
  expect(state.ready).toBe(false);
  answer.status = 200;
  await pass(clock, 3);
  expect([state.ready, state.asked > again]).toEqual([true, true]);
});

// It stands in the front proxy's own answer, and in memory.
test('of what a process says no more is kept than anyone reads', async () => {
  const clock = new ManualClock();
  const lines = Array.from({ length: 110 }, (_, i) => `[-]${i}${'n'.repeat(250)} failed: ${'r'.repeat(250)}\n`);
  follow(backendOf('a-vw', { status: 500, body: `[+]ping ok\n${lines.join('')}` }).backend, clock);
  await pass(clock, 1);
  const [service, ...checks] = readiness.checks();
  expect([service?.name, checks.length]).toEqual(['a-vw', 100]);
  expect(new Set(checks.map(({ name, check }) => `${name.length} ${check()?.length}`))).toEqual(new Set(['200 200']));
});

test('a view of somebody does not answer for a service that it is called like', async () => {
  const clock = new ManualClock();
  follow(backendOf('view:apiexport-vw', { status: 200, body: '[+]mine ok\n' }).backend, clock, () => ['apiexport-vw']);
  await clock.advance(0);
  expect(readiness.checks().map(({ name, check }) => [name, check()])).toEqual([['apiexport-vw', 'it is not up']]);
});
