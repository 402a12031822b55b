import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { StatusError } from '../kube/errors.ts';
import { checkCarriable, decodeHeaderText, encodeHeaderText } from './header-text.ts';
import { identity } from './identity.ts';

/** What an HTTP recipient makes of a value: optional whitespace around it is not part of it (RFC 9110 §5.5). */
const received = (value: string): string => value.replace(/^[ \t]+|[ \t]+$/g, '');

describe('text in header values', () => {
  it('goes as its UTF-8 bytes, one latin1 character each', () => {
    expect(encodeHeaderText('Jörg 雪', 'the user name')).toBe('J\xc3\xb6rg \xe9\x9b\xaa');
    expect(decodeHeaderText('J\xc3\xb6rg \xe9\x9b\xaa', 'X-Remote-User')).toBe('Jörg 雪');
  });

  it('arrives exactly as it was, or is refused with 401', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        let sent: string;
        try {
          sent = encodeHeaderText(text, 'it');
        } catch (error) {
          expect(error).toBeInstanceOf(StatusError);
          expect((error as StatusError).code).toBe(401);
          return;
        }
        expect(decodeHeaderText(received(sent), 'X')).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  // `admin\r\nX-Remote-Group: system:masters` would end the header and begin another.
  it.each(['a\rb', 'a\nb', 'a\0b', 'a\x7fb', 'a\x1bb'])('never carries control characters: %j', text => {
    expect(() => encodeHeaderText(text, 'the user name')).toThrow('the user name holds control characters');
  });

  // A user called `admin ` would arrive as `admin`: recipients trim values.
  it.each([' admin', 'admin ', '\tadmin', 'admin\t'])('never carries a space that is trimmed on arrival: %j', text => {
    expect(() => encodeHeaderText(text, 'the user name')).toThrow('a space at its beginning or end');
  });

  it('never carries half a character, which would arrive as the replacement character', () => {
    expect(() => encodeHeaderText('a\ud800', 'the user name')).toThrow('text that is not Unicode');
  });

  // Lenient decoding makes one user of all whose names differ in bytes that are no UTF-8.
  it('is refused with 400 when its bytes are not UTF-8', () => {
    expect(() => decodeHeaderText('a\xff', 'X-Remote-User')).toThrow(expect.objectContaining({ code: 400 }));
    expect(() => decodeHeaderText('雪', 'X-Remote-User')).toThrow(expect.objectContaining({ code: 400 }));
  });

  // TextDecoder drops a byte-order mark unless told otherwise: `\uFEFFadmin` would become `admin`.
  it('keeps a byte-order mark', () => {
    expect(decodeHeaderText('\xef\xbb\xbfadmin', 'X-Remote-User')).toBe('\ufeffadmin');
  });

  it('does not show the text in the error', () => {
    expect(() => encodeHeaderText('canary\n', 'the user name')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('canary') }),
    );
  });
});

describe('an identity', () => {
  it.each([
    ['name', identity('a\n', [])],
    ['UID', identity('a', [], 'u\r')],
    ['group', identity('a', ['g\0'])],
    ['extra value', identity('a', [], '', { key: [' v'] })],
    ['extra key', identity('a', [], '', { '\udc00': ['v'] })],
  ])('is refused with 401 when its %s cannot be sent on', (_, who) => {
    expect(() => checkCarriable(who)).toThrow(expect.objectContaining({ code: 401 }));
  });

  it('may have any extra key, which is encoded', () => {
    expect(() => checkCarriable(identity('Jörg', ['a,b'], 'u', { 'A\r\n:/ ': ['', '{"user":"x"}'] }))).not.toThrow();
  });
});
