import { createHash } from 'node:crypto';

/**
 * The name of an initializer or terminator: `<logical cluster name of the WorkspaceType>:<its metadata.name>`. Cluster `system` is
 * reserved for those that kcp itself owns and that have no WorkspaceType (`system:apibindings`).
 */
export interface LifecycleName {
  readonly cluster: string;
  readonly type: string;
}

/** Splits at the last colon; undefined when there is none, or when a half is empty. */
export function parseLifecycleName(name: string): LifecycleName | undefined {
  const colon = name.lastIndexOf(':');
  if (colon <= 0 || colon === name.length - 1) return undefined;
  return { cluster: name.slice(0, colon), type: name.slice(colon + 1) };
}

export const SYSTEM_CLUSTER = 'system';

/**
 * The label that kcp keeps on a LogicalCluster for a pending name: the hash of the name, under a key that ends in as much of the hash
 * as fits into the 63 characters which kcp allows for the whole key.
 */
export function lifecycleLabel(keyPrefix: string, name: string): { readonly key: string; readonly value: string } {
  const hash = createHash('sha224').update(name).digest('hex');
  return { key: keyPrefix + hash.slice(0, MAX_KEY_LENGTH - keyPrefix.length), value: hash };
}

const MAX_KEY_LENGTH = 63;
