/** Test equipment: schemas of resources. */
import type { ApiResourceSchema, SchemaVersion } from '../kube/resource-schema.ts';

let version = 0;

/** Of an object of kcp. */
export function metadata(cluster: string, name: string, uid = `${cluster}-${name}`) {
  version += 1;
  return { name, uid, resourceVersion: String(version), annotations: { 'kcp.io/cluster': cluster } };
}

export interface SchemaParts {
  readonly versions?: readonly Partial<SchemaVersion>[];
  readonly scope?: 'Namespaced' | 'Cluster';
  readonly kind?: string;
  readonly uid?: string;
}

/** `of`: `<plural>.<group>`. */
export function schemaAt(
  at: string,
  of: string,
  { versions = [{}], scope = 'Namespaced', kind = 'Cowboy', uid }: SchemaParts = {},
): ApiResourceSchema {
  const [cluster = '', name = ''] = at.split('/');
  const [plural = '', ...group] = of.split('.');
  return Object.freeze({
    metadata: metadata(cluster, name, uid),
    spec: {
      group: group.join('.'),
      names: { plural, singular: kind.toLowerCase(), kind },
      scope,
      versions: versions.map(one => ({ name: 'v1', served: true, storage: true, ...one })),
    },
  });
}
