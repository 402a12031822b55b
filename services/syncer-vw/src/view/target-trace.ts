import { CLUSTER_ANNOTATION, clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';

/**
 * Enough of an object to tell which one is gone, and nothing that it said: for whoever may have seen it, and may not, or cannot, be shown
 * what it was at last.
 */
export function traceOf(object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata = {} } = object;
  const { name, namespace, uid, resourceVersion } = metadata;
  const cluster = clusterOf(object);
  return {
    ...(apiVersion !== undefined && { apiVersion }),
    ...(kind !== undefined && { kind }),
    metadata: {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(cluster !== '' && { annotations: { [CLUSTER_ANNOTATION]: cluster } }),
    },
  };
}
