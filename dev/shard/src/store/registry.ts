import { type ResourceDefinition, resourceKey } from './definition.ts';

/**
 * Which resources are served where: the built-in ones in every logical cluster, others (of CRDs and bindings) in their own.
 */
export class Registry {
  readonly #builtin = new Map<string, ResourceDefinition>();
  readonly #own = new Map<string, Map<string, ResourceDefinition>>();

  constructor(builtin: readonly ResourceDefinition[] = []) {
    for (const definition of builtin) this.#builtin.set(resourceKey(definition), definition);
  }

  /** Serves a resource in one logical cluster, in place of the one of the same name there. */
  add(cluster: string, definition: ResourceDefinition): void {
    const own = this.#own.get(cluster) ?? new Map<string, ResourceDefinition>();
    this.#own.set(cluster, own.set(resourceKey(definition), definition));
  }

  remove(cluster: string, ref: { readonly group: string; readonly resource: string }): void {
    const own = this.#own.get(cluster);
    own?.delete(resourceKey(ref));
    if (own?.size === 0) this.#own.delete(cluster);
  }

  /** Forgets what a logical cluster had of its own. */
  removeCluster(cluster: string): void {
    this.#own.delete(cluster);
  }

  /** All that a logical cluster serves, the built-in resources first. */
  definitions(cluster: string): readonly ResourceDefinition[] {
    const own = this.#own.get(cluster);
    if (own === undefined) return [...this.#builtin.values()];
    return [...new Map([...this.#builtin, ...own]).values()];
  }

  /** What the logical cluster serves under the name; of `*`, what any of them does. */
  find(cluster: string, ref: { readonly group: string; readonly resource: string }): ResourceDefinition | undefined {
    const key = resourceKey(ref);
    if (cluster !== '*') return this.#own.get(cluster)?.get(key) ?? this.#builtin.get(key);
    const builtin = this.#builtin.get(key);
    if (builtin !== undefined) return builtin;
    for (const own of this.#own.values()) {
      const found = own.get(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** All definitions of the name: the one of each logical cluster that has its own, and the built-in one. */
  findAll(ref: { readonly group: string; readonly resource: string }): readonly ResourceDefinition[] {
    const key = resourceKey(ref);
    const own = [...this.#own.values()].map(definitions => definitions.get(key));
    return [this.#builtin.get(key), ...own].filter(definition => definition !== undefined);
  }
}
