import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type Locator, SHARD_ANNOTATION, upstreamName } from './names.ts';
import { ownLocator, type Syncer } from './namespaces.ts';
import type { Place, Resource } from './resources.ts';

/** No part has a slash. */
export const keyOf = ({ cluster, namespace, name }: Place): string => `${cluster}/${namespace}/${name}`;

export function placeOf(key: string): Place {
  const [cluster = '', namespace = '', name = ''] = key.split('/');
  return { cluster, namespace, name };
}

export function upstreamKey(object: KubeObject): string {
  const { namespace = '', name = '' } = object.metadata ?? {};
  return keyOf({ cluster: clusterOf(object), namespace, name });
}

/** An index of upstream objects. */
export const BY_NAMESPACE = 'namespace';
export const namespaceKey = (cluster: string, namespace: string): string => `${cluster}/${namespace}`;
export const byNamespace = (object: KubeObject): readonly string[] => [
  namespaceKey(clusterOf(object), object.metadata?.namespace ?? ''),
];

/** Of the shard that a downstream namespace comes from. */
export const isFromShard = (namespace: KubeObject | undefined, shard: string): boolean =>
  namespace?.metadata?.annotations?.[SHARD_ANNOTATION] === shard;

/**
 * Where the object upstream is that a namespaced one downstream belongs to. Undefined if its namespace is not this syncer's, or comes from
 * another shard. Throws for a locator that cannot be read.
 */
export function keyInNamespace(
  name: string,
  resource: Resource,
  syncer: Syncer,
  namespace: KubeObject | undefined,
  shard: string,
): string | undefined {
  const locator: Locator | undefined = namespace && isFromShard(namespace, shard) ? ownLocator(syncer, namespace) : undefined;
  return locator && keyOf({ ...locator, name: upstreamName(resource, name) });
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
