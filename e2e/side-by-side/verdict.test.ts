import { expect, test } from '@jest/globals';
import type { Expected } from './expected/expected.ts';
import type { Answer } from './normalise.ts';
import { judge } from './verdict.ts';

const answer = (status: number, body: unknown = 'x'): Answer => ({ status, headers: {}, body });

const teapots: Expected = { what: 'teapots', rows: /^paths\/tea/, answer: { status: 418, body: { reason: 'Tea' } } };
const tea = answer(418, { reason: 'Tea', message: 'short and stout' });

test('equal answers pass, others do not', () => {
  expect(judge('paths/a', [answer(200), answer(200)], []).kind).toBe('equal');
  expect(judge('paths/a', [answer(200), answer(404)], [])).toMatchObject({ kind: 'different', difference: { path: 'status' } });
});

test('a declared difference passes only where it was declared, and only as it was', () => {
  expect(judge('paths/tea', [answer(200), tea], [teapots])).toEqual({ kind: 'declared', what: 'teapots' });
  expect(judge('paths/coffee', [answer(200), tea], [teapots]).kind).toBe('different');
  expect(judge('paths/tea', [answer(200), answer(418, { reason: 'Coffee' })], [teapots])).toMatchObject({
    kind: 'different',
    what: 'teapots',
    difference: { path: 'body.reason' },
  });
});

test('a declaration holds only when kcp answers as it says', () => {
  const declared = { ...teapots, when: (kcp: Answer) => kcp.status === 500 };
  expect(judge('paths/tea', [answer(500), tea], [declared]).kind).toBe('declared');
  expect(judge('paths/tea', [answer(200), tea], [declared]).kind).toBe('different');
});

test('what is left out may differ, and nothing else may', () => {
  const declared: Expected = { what: 'bodies', rows: /./, without: ({ body: _body, ...rest }) => ({ ...rest, body: undefined }) };
  expect(judge('paths/a', [answer(200, 1), answer(200, 2)], [declared]).kind).toBe('declared');
  expect(judge('paths/a', [answer(200, 1), answer(201, 2)], [declared]).kind).toBe('different');
});

test('a declaration that nothing answers to is stale', () => {
  expect(judge('paths/tea', [tea, tea], [teapots])).toEqual({ kind: 'stale', what: 'teapots' });
});
