import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeExtraKey, encodeExtraKey, extraHeaders, readExtraHeaders } from './extra-headers.ts';
import { identity } from './identity.ts';

describe('extra keys in header names', () => {
  it.each([
    ['authentication.kcp.io/scopes', 'authentication.kcp.io%2Fscopes'],
    ['example.com:a', 'example.com%3Aa'],
    ['100%', '100%25'],
    ['Upper', '%55pper'],
    ['é', '%C3%A9'],
    ["a-z0-9!#$&'*+.^_`|~", "a-z0-9!#$&'*+.^_`|~"],
  ])('%s is sent as %s', (key, encoded) => {
    expect(encodeExtraKey(key)).toBe(encoded);
    expect(decodeExtraKey(encoded)).toBe(key);
  });

  it('survive any recipient that changes the case of header names, as HTTP/2 does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.boolean(), (key, lower) => {
        const encoded = encodeExtraKey(key);
        expect(encoded).toMatch(/^[!#$%&'*+.^_`|~0-9A-Za-z-]*$/);
        expect(decodeExtraKey(lower ? encoded.toLowerCase() : encoded.toUpperCase())).toBe(key);
      }),
    );
  });

  it('are lower-cased before they are decoded, as in Kubernetes', () => {
    expect(decodeExtraKey('SCOPES.Example%2Fa')).toBe('scopes.example/a');
  });

  it('are taken as they are when an escape is malformed', () => {
    expect(decodeExtraKey('100%')).toBe('100%');
    expect(decodeExtraKey('a%2Fb%zz')).toBe('a%2fb%zz');
  });

  it('are refused with 400 when they decode to something that is not UTF-8', () => {
    expect(() => decodeExtraKey('a%ff')).toThrow(expect.objectContaining({ code: 400 }));
  });
});

describe('extra headers', () => {
  it('are sorted by key and keep the order of values', () => {
    expect(extraHeaders('P-', identity('a', [], '', { b: ['2', '1'], a: [''] }))).toEqual(['P-a', '', 'P-b', '2', 'P-b', '1']);
  });

  it('of the same key, however escaped and cased, are one key', () => {
    const headers = ['x-p-a', '1', 'X-P-%61', '2', 'X-P-A', '3', 'other', '4'];
    expect(readExtraHeaders(headers, ['x-p-'])).toEqual({ a: ['1', '2', '3'] });
  });

  // An object built by `extra[key] ??= []` would find the prototype's property, and write to it.
  it('may be called like a property of every object', () => {
    const extra = readExtraHeaders(['x-p-__proto__', 'a', 'x-p-constructor', 'b'], ['x-p-']);
    expect(Object.entries(extra)).toEqual([
      ['__proto__', ['a']],
      ['constructor', ['b']],
    ]);
    expect(({} as Record<string, unknown>).a).toBeUndefined();
  });
});
