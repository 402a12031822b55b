import { clusterOf, type KubeObject } from '../kube/objects.ts';

/** NUL is in no name and sorts before every character: keys compare as (logical cluster, namespace, name) do, part by part. */
const SEPARATOR = '\0';

/** Where an object stands in a sorted collection. */
export const sortKey = (object: KubeObject): string =>
  [clusterOf(object), object.metadata?.namespace ?? '', object.metadata?.name ?? ''].join(SEPARATOR);

/** Where `key` is in `keys`, or would be. */
export function position(keys: readonly string[], key: string): { readonly index: number; readonly found: boolean } {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return { index: low, found: keys[low] === key };
}
