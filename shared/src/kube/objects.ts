/** The little that we need to know of any Kubernetes object. All other fields stay as they are. */
export interface ObjectMeta {
  name?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  creationTimestamp?: string | null;
  deletionTimestamp?: string | null;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  [field: string]: unknown;
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
  [field: string]: unknown;
}

export interface ListMeta {
  resourceVersion?: string;
  continue?: string;
  remainingItemCount?: number;
}

export interface KubeList<T extends KubeObject = KubeObject> {
  apiVersion?: string;
  kind?: string;
  metadata?: ListMeta;
  items: T[];
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

export interface WatchEvent<T = KubeObject> {
  type: WatchEventType;
  object: T;
}

/** kcp puts the name of an object's logical cluster here on every object it serves. */
export const CLUSTER_ANNOTATION = 'kcp.io/cluster';
/** The canonical path of the logical cluster, on replicated and path-aware objects. */
export const PATH_ANNOTATION = 'kcp.io/path';
/** On the BOOKMARK that ends the initial events of a streamed list (KEP-3157). */
export const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

export function clusterOf(object: KubeObject): string {
  return object.metadata?.annotations?.[CLUSTER_ANNOTATION] ?? '';
}
