import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ApiBinding, ApiExport, ApiResourceSchema } from './apis-kcp-io.ts';

/** What the schemas of a consumer are read from. */
export interface SchemaSources {
  /** Of the local shard; by index `cluster` those of one logical cluster. */
  readonly bindings: Pick<Informer<ApiBinding>, 'byIndex' | 'onEvent' | 'synced'>;
  /** Of all shards, as are the schemas. */
  readonly exports: Pick<Informer<ApiExport>, 'get' | 'onEvent' | 'synced'>;
  /** Whole, as they are served. */
  readonly schemas: Pick<Informer<ApiResourceSchema>, 'get' | 'onEvent' | 'synced'>;
}

export interface BoundSchemas {
  readonly byName: ReadonlyMap<string, ApiResourceSchema>;
  /** Exports and schemas that were looked for, whether they are there or not: only they can change the result, besides the bindings. */
  readonly readFrom: ReadonlySet<string>;
}

/** No part holds a slash: not the name of a logical cluster, not that of an object. */
export const exportKey = (cluster: string, name: string): string => `export/${cluster}/${name}`;
export const schemaKey = (cluster: string, name: string): string => `schema/${cluster}/${name}`;

/** The key of an object that was read. */
export const keyOf = (key: typeof exportKey, object: KubeObject): string => key(clusterOf(object), object.metadata?.name ?? '');

/**
 * The schemas of everything that a logical cluster has bound. Two exports of different logical clusters may have schemas of one name: the
 * one whose logical cluster comes first by name is served, so that every replica serves the same at all times.
 */
export function boundSchemas(consumer: string, { bindings, exports, schemas }: SchemaSources): BoundSchemas {
  const byName = new Map<string, ApiResourceSchema>();
  const readFrom = new Set<string>();
  for (const { spec, status } of bindings.byIndex('cluster', consumer)) {
    const cluster = status?.apiExportClusterName;
    const exportName = spec?.reference?.export?.name;
    if (status?.phase !== 'Bound' || !cluster || !exportName) continue;
    readFrom.add(exportKey(cluster, exportName));
    for (const { schema: name } of exports.get(cluster, exportName)?.spec?.resources ?? []) {
      readFrom.add(schemaKey(cluster, name));
      const schema = schemas.get(cluster, name);
      const other = byName.get(name);
      if (schema && (!other || cluster < clusterOf(other))) byName.set(name, schema);
    }
  }
  return { byName, readFrom };
}
