import { expect, test } from '@jest/globals';
import { guardedLookup, type Resolve } from './guarded-lookup.ts';

const refuseNine = (address: string): string | undefined => (address.endsWith('.9') ? `${address} ends with 9` : undefined);

test('who asks for one address gets the first that may be dialled', async () => {
  const asked: unknown[] = [];
  const resolve: Resolve = (hostname, options, callback) => {
    asked.push([hostname, options]);
    callback(null, [
      { address: '10.0.0.9', family: 4 },
      { address: '10.0.0.1', family: 4 },
      { address: '10.0.0.2', family: 4 },
    ]);
  };
  const found = new Promise(done => {
    guardedLookup(refuseNine, resolve)('a.example', { family: 4 }, (...answer) => done(answer));
  });
  expect(await found).toEqual([null, '10.0.0.1', 4]);
  expect(asked).toEqual([['a.example', { family: 4, all: true }]]);
});

test('without another resolver it asks the system', async () => {
  const found = new Promise(done => {
    guardedLookup(() => 'refused')('localhost', { all: true }, error => done(error?.message));
  });
  expect(await found).toMatch(/^localhost may not be dialled: refused/);
});
