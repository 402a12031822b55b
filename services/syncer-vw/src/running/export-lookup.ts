import { CLUSTER_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import type { ExportLookup } from '../controllers/synced-resources.ts';
import type { Exports } from '../knowledge/knowledge.ts';

/** The exports that are known, as one decision asks for them. */
export function exportLookup(exports: Pick<Exports, 'find'>): ExportLookup {
  const schemas = new Map<string, ApiResourceSchema>();
  // Neither has a blank.
  const keyOf = (cluster: string, name: string): string => `${cluster} ${name}`;
  return {
    getExport(workspace, exportName) {
      const found = exports.find(workspace, exportName);
      if (found === undefined) return undefined;
      const { cluster, name, identityHash } = found;
      for (const schema of found.schemas) schemas.set(keyOf(cluster, schema.metadata?.name ?? ''), schema);
      return {
        metadata: { name, annotations: { [CLUSTER_ANNOTATION]: cluster } },
        spec: { resources: found.schemas.map(({ metadata }) => ({ schema: metadata?.name ?? '' })) },
        status: { identityHash },
      };
    },
    getSchema: (cluster, name) => schemas.get(keyOf(cluster, name)),
  };
}
