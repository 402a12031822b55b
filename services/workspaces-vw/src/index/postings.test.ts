import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { keyOf, merged, ofParent, Postings } from './postings.ts';

const item = (parent: string, name: string) => ({ key: keyOf(parent, name), parent: { name: parent } });

describe('postings', () => {
  test('merge sorted sequences into one, each item once', () => {
    const items = Array.from({ length: 20 }, (_, at) => item('root', `w${String(at).padStart(2, '0')}`));
    fc.assert(
      fc.property(fc.array(fc.subarray(items), { maxLength: 9 }), sequences => {
        const all = new Set(sequences.flat());
        expect([...merged(sequences.map(sequence => sequence.values()))]).toEqual(items.filter(one => all.has(one)));
      }),
    );
  });

  test('give those of one parent, whatever sorts around them, and forget a word with its last item', () => {
    const postings = new Postings<ReturnType<typeof item>>();
    const items = [item('a', 'z'), item('ab', 'a'), item('a-b', 'a'), item('a', 'a')];
    for (const one of [...items, ...items]) postings.add('u:ann', one);
    const names = (parent?: string) => [...ofParent(postings.get('u:ann') ?? fail(), parent)].map(({ key }) => key);
    expect(names('a')).toEqual(['a\0a', 'a\0z']);
    expect(names('b')).toEqual([]);
    expect(names()).toEqual(['a\0a', 'a\0z', 'a-b\0a', 'ab\0a']);
    for (const one of items) postings.delete('u:ann', one);
    expect(postings.words).toBe(0);
  });
});

function fail(): never {
  throw new Error('nothing was posted');
}
