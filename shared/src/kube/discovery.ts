import type { TableColumn } from './table.ts';

/** One resource (or subresource) of an API set, as discovery shows it. */
export interface ApiResource {
  /** Empty for the legacy group. */
  readonly group: string;
  readonly version: string;
  /** `secrets`, or `secrets/status` for a subresource. */
  readonly name: string;
  readonly singularName: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Null is what kcp shows for a subresource that is listed but not served: Go tells it from an empty list. */
  readonly verbs: readonly string[] | null;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
  readonly columns?: readonly TableColumn[];
}
