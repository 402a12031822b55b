import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { splitListText } from './transform-list-text.ts';

const split = (text: string) => {
  const { envelope, items } = splitListText(Buffer.from(text));
  return { envelope, items: items.map(item => item.toString()) };
};

test.each([
  [
    '{"kind":"L","items":[{"a":[1,{"b":"]},{"}]},{"c":"\\"\\\\"}],"x":1}',
    ['{"a":[1,{"b":"]},{"}]}', '{"c":"\\"\\\\"}'],
    { kind: 'L', x: 1 },
  ],
  ['{"items":[],"x":1}', [], { x: 1 }],
  ['{\n "items": [ \n ]\n}\n', [], {}],
  ['{"items":null,"x":1}', [], { x: 1 }],
  ['{"x":1}', [], { x: 1 }],
  ['{"items":"items","x":[{"y":1}]}', [], { x: [{ y: 1 }] }],
  ['{"metadata":{"items":[1]},"x":["items",[2]],"items":[3]}', ['3'], { metadata: { items: [1] }, x: ['items', [2]] }],
  // Of what is said twice the last counts, as for `JSON.parse`.
  ['{"items":[1],"items":[2]}', ['2'], {}],
  // Read otherwise this would be the items, and what is not taken apart is not shown.
  ['{"item\\u0073":[1]}', [], {}],
])('%s has its items and its rest', (text, items, envelope) => {
  expect(split(text)).toEqual({ items, envelope });
});

test.each(['', '{', '{"items":[', '{"items":[1]', '{"items":[1]}}', '{"items":[1]} x', '[1]x'])('%j is no list', text => {
  expect(() => split(text)).toThrow(SyntaxError);
});

test('what stands between commas that have nothing between them is an item, which is no JSON', () => {
  expect(split('{"items":[1,,2]}').items).toEqual(['1', '', '2']);
  expect(split('{"items":[1,]}').items).toEqual(['1', '']);
});

test('the items of any list are those that a parser finds', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(4), (items, rest, indent) => {
      const { items: _, ...more } = rest;
      const text = JSON.stringify({ ...more, items, kind: 'L' }, null, indent);
      const found = split(text);
      expect(found.items.map(item => JSON.parse(item))).toEqual(JSON.parse(JSON.stringify(items)));
      expect(found.envelope).toEqual(JSON.parse(JSON.stringify({ ...more, kind: 'L' })));
    }),
  );
});
