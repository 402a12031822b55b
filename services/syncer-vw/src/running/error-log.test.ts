import { expect, test } from '@jest/globals';
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

test('a text is new once, and again when so many others have been asked for since', () => {
  const isNew = createOnce(2);
  expect(['a', 'a', 'b', 'a', 'c', 'a', 'b'].map(isNew)).toEqual([true, false, true, false, true, false, true]);
});
