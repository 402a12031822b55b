import { createHash, randomBytes } from 'node:crypto';

const NAME_LENGTH = 16;
const LABEL_LIMIT = 63;
const SHARD_HASH_LENGTH = 8;
/** 224 bits in base 36. */
const SHA224_LETTERS = 44;

/** A name for a new logical cluster: base 36, so that it is a DNS label whatever it begins with. */
export function newClusterName(): string {
  let text = BigInt(`0x${randomBytes(16).toString('hex')}`).toString(36);
  text = text.padStart(NAME_LENGTH, '0');
  return text.slice(0, NAME_LENGTH);
}

/** What workspaces carry of the name of their shard. Base 36 of the whole digest, of which the first letters are taken. */
export function shardHash(shard: string): string {
  const digest = createHash('sha224').update(shard).digest('hex');
  return BigInt(`0x${digest}`).toString(36).padStart(SHA224_LETTERS, '0').slice(0, SHARD_HASH_LENGTH);
}

/** How the name of an initializer or terminator becomes a label: names may be too long for one, and hold colons. */
function hashedLabel(prefix: string, name: string): readonly [key: string, value: string] {
  const value = createHash('sha224').update(name).digest('hex');
  return [(prefix + value).slice(0, LABEL_LIMIT), value];
}

export const INITIALIZER_LABEL_PREFIX = 'initializer.internal.kcp.io/';
export const TERMINATOR_LABEL_PREFIX = 'terminator.internal.kcp.io/';

export const initializerLabel = (name: string): readonly [key: string, value: string] =>
  hashedLabel(INITIALIZER_LABEL_PREFIX, name);
export const terminatorLabel = (name: string): readonly [key: string, value: string] =>
  hashedLabel(TERMINATOR_LABEL_PREFIX, name);

/** Short, stable letters for an object that is made once per something. */
export const shortHash = (text: string): string => createHash('sha224').update(text).digest('hex').slice(0, 5);
