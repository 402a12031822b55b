import { randomInt } from 'node:crypto';
import { CLUSTER_ANNOTATION, type KubeObject, type ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import { type ResourceDefinition, storedApiVersion } from './definition.ts';

/** Letters and digits that make no words (k8s.io/apimachinery/pkg/util/rand). */
const SUFFIX_CHARACTERS = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
const MAX_GENERATED_NAME = 63;

export function generatedName(base: string): string {
  const suffix = Array.from({ length: SUFFIX_LENGTH }, () => SUFFIX_CHARACTERS[randomInt(SUFFIX_CHARACTERS.length)]).join('');
  return base.slice(0, MAX_GENERATED_NAME - SUFFIX_LENGTH) + suffix;
}

/** RFC 3339 with whole seconds, as `metav1.Time` is written. */
export const timestamp = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

/** Where an object stands. */
export interface Place {
  readonly cluster: string;
  /** Empty for a cluster-scoped object. */
  readonly namespace: string;
  readonly name: string;
}

/** What the server alone decides about an object. */
export interface ServerFields {
  readonly uid: string;
  readonly creationTimestamp: string;
  readonly generation: number | undefined;
  readonly deletionTimestamp: string | undefined;
}

/** Fields that only the server decides about, and one that it has no use for. */
const UNKEPT_FIELDS: ReadonlySet<string> = new Set([
  'selfLink',
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
]);

/**
 * The object as it is stored: type, place and server fields as the shard knows them, the rest as given. The version is set at the
 * commit. Empty maps and lists of the metadata are left out, as Go writes it.
 */
export function storedObject(
  definition: ResourceDefinition,
  place: Place,
  object: KubeObject,
  server: ServerFields,
): KubeObject & { metadata: ObjectMeta } {
  const given = object.metadata ?? {};
  const { deletionTimestamp, generation } = server;
  const kept = Object.entries(given).filter(
    ([key, value]) => !UNKEPT_FIELDS.has(key) && key !== 'annotations' && !isEmpty(value),
  );
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...rest } = object;
  return {
    apiVersion: storedApiVersion(definition),
    kind: definition.kind,
    metadata: {
      name: place.name,
      ...(place.namespace !== '' && { namespace: place.namespace }),
      uid: server.uid,
      ...(generation !== undefined && { generation }),
      creationTimestamp: server.creationTimestamp,
      ...(deletionTimestamp !== undefined && { deletionTimestamp, deletionGracePeriodSeconds: 0 }),
      ...Object.fromEntries(kept),
      annotations: { ...given.annotations, [CLUSTER_ANNOTATION]: place.cluster },
    },
    ...rest,
  };
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);

/** Everything but metadata, type and, where it is a subresource, the status: what `generation` counts. */
export function desiredState(definition: ResourceDefinition, object: KubeObject): Record<string, unknown> {
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...rest } = object;
  if (definition.statusSubresource) delete rest.status;
  return rest;
}
