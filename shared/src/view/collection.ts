import type { SelectableFields } from '../kube/field-selectors.ts';
import type { KubeList, KubeObject, WatchEvent } from '../kube/objects.ts';
import type { TableColumn } from '../kube/table.ts';

/** What the objects of a resource are called, and how their Tables look. */
export interface CollectionDefinition {
  readonly apiVersion: string;
  /** Of one object; the list's is `<kind>List`. */
  readonly kind: string;
  /** `{group, resource}` for error messages. */
  readonly group: string;
  readonly resource: string;
  readonly columns: readonly TableColumn[];
  /** Fields that may be selected by beside those of the metadata, as in a CRD's `selectableFields`: `status.phase`. */
  readonly fields?: SelectableFields;
}

/**
 * Objects that a service holds itself. The answer engine gives them list, watch, WatchList, Table, selectors and pages; a
 * collection only knows its objects and their order of change. Its objects never change: the text of one may be kept as long as it lives.
 *
 * `list`, `get` and `watch` may throw a StatusError, which is the answer then: 503 when nothing can be known now.
 */
export interface Collection<T extends KubeObject = KubeObject> extends CollectionDefinition {
  /** Whom it is shown to, where that makes a difference: a page is continued by nobody else. */
  readonly boundTo?: string;
  /**
   * Of the newest state, and its items as they are taken, sorted as in `list`, without those whose `sortKey` is not after `after`: where all of a
   * list costs much, and a page of it need not. They are taken at once. Absent: pages are cut from `list`.
   */
  readonly version?: string;
  items?(after?: string): Iterable<T>;
  /** A consistent snapshot with the resourceVersion it was taken at, items sorted by (logical cluster, namespace, name). */
  list(): KubeList<T>;
  get(name: string, namespace: string): T | undefined;
  /**
   * Events after `resourceVersion` (a decimal number), in order: those already in the window before this returns, the others as they come, with the previous object where there was one (so that selectors see transitions).
   * Throws a StatusError 410 when `resourceVersion` is outside the window.
   */
  watch(resourceVersion: string, listener: (event: CollectionEvent<T>) => void): () => void;
}

export interface CollectionEvent<T extends KubeObject = KubeObject> extends WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  previous?: T;
  resourceVersion: string;
}
