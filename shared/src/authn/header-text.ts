import { badRequest, StatusError } from '../kube/errors.ts';
import type { Identity } from './identity.ts';

/**
 * Text in header values. Node shows the bytes of a value as latin1, one character per byte, and sends them so; Kubernetes' names
 * are UTF-8. Both ways must be exact: two users may never become one because a byte was replaced, trimmed or cut.
 */

// A byte-order mark is kept: dropped, it would make `\uFEFFadmin` and `admin` the same user.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const SPACE = 0x20;
const TAB = 0x09;
const DELETE = 0x7f;

/** The text of a received value. Throws a StatusError 400 when its bytes are not UTF-8. */
export function decodeHeaderText(value: string, header: string): string {
  let highest = 0;
  for (let i = 0; i < value.length; i++) highest = Math.max(highest, value.charCodeAt(i));
  if (highest < 0x80) return value;
  // Buffer would cut a wider character to its low byte.
  if (highest > 0xff) throw badRequest(`the value of header ${header} is not a sequence of bytes`);
  return decodeBytes(Buffer.from(value, 'latin1'), header);
}

/** The value to send for a text. Throws a StatusError 401 for a text that would not arrive as it is. */
export function encodeHeaderText(text: string, what: string): string {
  checkHeaderText(text, what);
  return Buffer.from(text).toString('latin1');
}

function checkHeaderText(text: string, what: string): void {
  // A lone surrogate has no UTF-8 form and would be replaced.
  if (!text.isWellFormed()) throw notCarriable(what, 'text that is not Unicode');
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // RFC 9110 §5.5: CR, LF and NUL would end the header (or worse, begin another); recipients refuse the other controls.
    if ((code < SPACE && code !== TAB) || code === DELETE) throw notCarriable(what, 'control characters');
  }
  // RFC 9110 §5.5: recipients trim the value, so `admin ` would arrive as `admin`.
  if (/^[ \t]|[ \t]$/.test(text)) throw notCarriable(what, 'a space at its beginning or end');
}

export const notCarriable = (what: string, why: string): StatusError =>
  new StatusError('Unauthorized', `${what} holds ${why} and cannot be sent in a request header`);

/** Throws a StatusError 401 unless every part of the identity can be sent on as it is. */
export function checkCarriable({ name, uid, groups, extra }: Identity): void {
  checkHeaderText(name, 'the user name');
  checkHeaderText(uid, 'the UID of the user');
  for (const group of groups) checkHeaderText(group, 'a group of the user');
  for (const [key, values] of Object.entries(extra)) {
    if (!key.isWellFormed()) throw notCarriable('an extra key of the user', 'text that is not Unicode');
    for (const value of values) checkHeaderText(value, 'an extra value of the user');
  }
}

/** Bytes as text. Throws a StatusError 400 when they are not UTF-8. */
export function decodeBytes(bytes: Buffer, header: string): string {
  try {
    return utf8.decode(bytes);
  } catch {
    // The decoder's error says no more than this.
    throw badRequest(`header ${header} is not valid UTF-8`);
  }
}
