import { expect, test } from '@jest/globals';
import { normalise } from './normalise.ts';

const OPTIONS = { own: new Map([['one-abc', '<copy>']]), isWatch: false, layout: false, unordered: false };

const answer = (body: unknown, options: Partial<typeof OPTIONS> = {}, type = 'application/json') =>
  normalise(
    {
      status: 200,
      headers: { 'content-type': type },
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      end: 'complete',
    },
    { ...OPTIONS, ...options },
  );

test('what differs from call to call is replaced, and what says something stays', () => {
  const list = (version: string, uid: string) => ({
    metadata: { resourceVersion: version },
    items: [{ metadata: { name: 'a', uid, resourceVersion: version } }],
  });
  const uids = ['0d6c3b0e-8b3c-4f2b-9b1c-2f6f1b7f6a10', '1d6c3b0e-8b3c-4f2b-9b1c-2f6f1b7f6a11'] as const;
  expect(answer(list('12', uids[0]))).toEqual(answer(list('15', uids[1])));
  expect(answer(list('', uids[0]))).not.toEqual(answer(list('15', uids[0])));
});

test("a side's own names are replaced wherever they stand", () => {
  expect(answer({ message: 'cowboys "x-one-abc" not found' }).body).toEqual({ message: 'cowboys "x-<copy>" not found' });
});

test('the order of discovery does not count, that of objects does', () => {
  expect(answer({ groups: [{ name: 'a' }, { name: 'b' }] })).toEqual(answer({ groups: [{ name: 'b' }, { name: 'a' }] }));
  expect(answer({ items: [1, 2] })).not.toEqual(answer({ items: [2, 1] }));
  expect(answer({ items: [1, 2] }, { unordered: true })).toEqual(answer({ items: [2, 1] }, { unordered: true }));
});

test('a watch is compared event by event, a cut line included', () => {
  const text = '{"type":"ADDED","object":{"metadata":{"resourceVersion":"7"}}}\n{"type":"MOD';
  expect(answer(text, { isWatch: true }).body).toEqual([
    { type: 'ADDED', object: { metadata: { resourceVersion: '<version>' } } },
    '{"type":"MOD',
  ]);
});

test('YAML is compared by what it says', () => {
  expect(answer('a: 1\nb: "x"\n', {}, 'application/yaml').body).toEqual(answer('b: x\na: 1\n', {}, 'application/yaml').body);
});

test('what calls itself JSON and is none is compared as text', () => {
  expect(answer('not JSON').body).toBe('not JSON');
});
