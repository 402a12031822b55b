import { createHash } from 'node:crypto';

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** The bytes as one big-endian integer, without padding. */
export function base62(bytes: Uint8Array): string {
  let rest = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  do {
    text = DIGITS.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  } while (rest > 0n);
  return text;
}

/** How kcp makes the name of anything a label's value or the end of its key: the SHA-224 of a text in base 62. */
export const kcpHash = (text: string): string => base62(createHash('sha224').update(text).digest());
