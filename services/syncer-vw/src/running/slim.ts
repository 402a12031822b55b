import type { KubeObject, ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import type { ServedResource } from './patch.ts';

export const isDeployment = ({ group, resource }: Pick<ServedResource, 'group' | 'resource'>): boolean =>
  group === 'apps' && resource === 'deployments';

/**
 * What the controllers need to know of an object, and nothing else: of a Secret, and of all others, none of what is in it. Of a
 * Deployment its replicas and status. Annotations of kcp only: others may be a whole object long.
 */
export const slimmed = (resource: Pick<ServedResource, 'group' | 'resource'>): ((object: KubeObject) => KubeObject) =>
  isDeployment(resource) ? slimDeployment : slimObject;

const slimObject = ({ metadata = {} }: KubeObject): KubeObject => Object.freeze({ metadata: slimMetadata(metadata) });

const slimDeployment = ({ metadata = {}, spec, status }: KubeObject): KubeObject => {
  const { replicas } = (spec ?? {}) as { readonly replicas?: unknown };
  return Object.freeze({
    metadata: slimMetadata(metadata),
    spec: Object.freeze({ ...(replicas !== undefined && { replicas }) }),
    ...(status !== undefined && { status }),
  });
};

const FIELDS = ['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'deletionTimestamp'] as const;

function slimMetadata(metadata: ObjectMeta): ObjectMeta {
  const { labels, annotations, finalizers } = metadata;
  return {
    ...Object.fromEntries(FIELDS.filter(field => metadata[field] != null).map(field => [field, metadata[field]])),
    ...(labels && { labels: ofKcp(labels) }),
    ...(annotations && { annotations: ofKcp(annotations) }),
    ...(finalizers && finalizers.length > 0 && { finalizers: [...finalizers] }),
  };
}

const ofKcp = (named: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(named).filter(([name]) => name.includes('kcp.io')));
