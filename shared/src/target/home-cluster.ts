import { createHash } from 'node:crypto';

/**
 * The logical cluster of a user's home workspace, to which the path `user:<name>` leads: the first eight bytes of SHA-224 of the name as a
 * number in base 36, after one `0` for each leading byte that is zero.
 */
export function homeClusterOf(user: string): string {
  const bytes = createHash('sha224').update(user).digest().subarray(0, 8);
  const zeros = bytes.findIndex(byte => byte !== 0);
  if (zeros === -1) return '0'.repeat(bytes.length);
  return '0'.repeat(zeros) + bytes.readBigUInt64BE().toString(36);
}
