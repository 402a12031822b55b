import { expect, jest, test } from '@jest/globals';
import { ManualClock } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { createErrorLog, createOnce } from './error-log.ts';
import { fakeLog } from './fake-knowledge.fixture.ts';

test('so many lines a minute are written, and the next one says how many were left out', async () => {
  const clock = new ManualClock();
  const { log, lines } = fakeLog();
  const errors = createErrorLog(log, clock, 2);
  for (let i = 0; i < 5; i++) errors({ i }, 'no');
  expect(lines.map(({ fields }) => fields)).toEqual([{ i: 0 }, { i: 1 }]);
  await clock.advance(60_000);
  errors({ i: 5 }, 'no');
  errors({ i: 6 }, 'no');
  expect(lines.slice(2).map(({ fields }) => fields)).toEqual([{ i: 5, leftOut: 3 }, { i: 6 }]);
});

test('what outsiders write is said in part where it is long', () => {
  const { log, lines } = fakeLog();
  createErrorLog(log, new ManualClock())({ reason: 'x'.repeat(250_000), attempt: 1 }, 'no');
  expect(lines[0]?.fields).toEqual({ reason: `${'x'.repeat(1_000)}…`, attempt: 1 });
});

test('long texts are told from each other, and are not kept', () => {
  const kept = jest.spyOn(Set.prototype, 'add');
  const isNew = createOnce();
  const long = 'x'.repeat(250_000);
  expect([`${long}a`, `${long}b`, `${long}a`].map(isNew)).toEqual([true, true, false]);
  const lengths = kept.mock.calls.map(([text]) => String(text).length);
  kept.mockRestore();
  expect(Math.max(...lengths)).toBeLessThan(1_000);
});

test('a text is new once, and again when so many others have been asked for since', () => {
  const isNew = createOnce(2);
  expect(['a', 'a', 'b', 'a', 'c', 'a', 'b'].map(isNew)).toEqual([true, false, true, false, true, false, true]);
});
