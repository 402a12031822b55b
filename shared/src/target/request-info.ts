/**
 * What a path asks of a Kubernetes API server (k8s.io/apiserver `RequestInfo`), computed on the path below a view's prefix.
 */
export interface RequestInfo {
  readonly isResourceRequest: boolean;
  /** The decoded path this was computed from. */
  readonly path: string;
  /** get, list, watch, create, update, patch, delete, deletecollection; for a non-resource path the lower-case HTTP method. */
  readonly verb: string;
  readonly apiPrefix: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** Segments from the resource on: resource, name, subresource, … */
  readonly parts: readonly string[];
}
