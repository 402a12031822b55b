import { position } from '@kcp-vw/shared/informer/sort-key.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';

const keyOf = (namespace: string, name: string): string => `${namespace}\0${name}`;

/** The objects of one resource in one logical cluster, sorted by namespace and name. */
export class SortedObjects {
  readonly #keys: string[] = [];
  readonly #objects: KubeObject[] = [];

  get size(): number {
    return this.#objects.length;
  }

  get(namespace: string, name: string): KubeObject | undefined {
    const { index, found } = position(this.#keys, keyOf(namespace, name));
    return found ? this.#objects[index] : undefined;
  }

  set(namespace: string, name: string, object: KubeObject): void {
    const key = keyOf(namespace, name);
    const { index, found } = position(this.#keys, key);
    if (!found) this.#keys.splice(index, 0, key);
    this.#objects.splice(index, found ? 1 : 0, object);
  }

  delete(namespace: string, name: string): void {
    const { index, found } = position(this.#keys, keyOf(namespace, name));
    if (!found) return;
    this.#keys.splice(index, 1);
    this.#objects.splice(index, 1);
  }

  /** A copy; of one namespace when it is not empty. */
  list(namespace: string): KubeObject[] {
    if (namespace === '') return this.#objects.slice();
    const from = position(this.#keys, keyOf(namespace, '')).index;
    // U+0001 follows the separator: the end of the namespace's keys.
    const to = position(this.#keys, `${namespace}\u0001`).index;
    return this.#objects.slice(from, to);
  }
}
