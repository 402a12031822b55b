import type { RawHeaders } from '../listener/headers.ts';
import { decodeBytes, decodeHeaderText, encodeHeaderText, notCarriable } from './header-text.ts';
import type { Identity } from './identity.ts';

/**
 * An extra key as the end of a header name: what is not a token character (RFC 9110 §5.6.2) is percent-encoded, and so are upper
 * case letters, because recipients lower-case the name before they decode it.
 */
export function encodeExtraKey(key: string): string {
  if (!key.isWellFormed()) throw notCarriable('an extra key of the user', 'text that is not Unicode');
  if (/^[a-z0-9!#$&'*+.^_`|~-]*$/.test(key)) return key;
  let encoded = '';
  for (const byte of Buffer.from(key)) {
    const character = String.fromCharCode(byte);
    encoded += /[a-z0-9!#$&'*+.^_`|~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** The extra key of the end of a header name: lower-cased, then decoded; left as it is when its escapes are malformed, as in Kubernetes. */
export function decodeExtraKey(encoded: string): string {
  const lower = encoded.toLowerCase();
  if (!lower.includes('%') || /%(?![0-9a-f]{2})/.test(lower)) return lower;
  const bytes = lower.replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return decodeBytes(Buffer.from(bytes, 'latin1'), 'for an extra key');
}

/** The extra of an identity as headers: one line per value, sorted by key. */
export function extraHeaders(prefix: string, { extra }: Identity): string[] {
  return Object.keys(extra)
    .sort()
    .flatMap(key =>
      (extra[key] ?? []).flatMap(value => [prefix + encodeExtraKey(key), encodeHeaderText(value, 'an extra value of the user')]),
    );
}

/** Extra values, by decoded key, of the headers whose names begin with one of the (lower-case) prefixes. */
export function readExtraHeaders(headers: RawHeaders, prefixes: readonly string[]): Record<string, string[]> {
  // A map, because a key may be called `__proto__` or `constructor`.
  const extra = new Map<string, string[]>();
  for (const prefix of prefixes) {
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const header = headers[i] as string;
      if (!header.toLowerCase().startsWith(prefix)) continue;
      const key = decodeExtraKey(header.slice(prefix.length));
      const values = extra.get(key) ?? [];
      values.push(decodeHeaderText(headers[i + 1] as string, header));
      extra.set(key, values);
    }
  }
  return Object.fromEntries(extra);
}
