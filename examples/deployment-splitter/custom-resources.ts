import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import { computeSchemas } from '@kcp-vw/syncer-vw/manifests/compute-schemas.ts';

/** The kinds of a physical cluster that matter here: a workspace has them as custom resources. */
const PLURALS = ['deployments', 'pods'];

/** What makes a workspace a physical cluster, without binding the export whose objects are synced: nothing of it is to be synced itself. */
export const customResources = (): readonly KubeObject[] =>
  computeSchemas()
    .filter(({ spec }) => PLURALS.includes(spec?.names.plural ?? ''))
    .map(customResource);

function customResource({ metadata, spec }: ApiResourceSchema): KubeObject {
  const { group = '', names, scope, versions = [] } = spec ?? {};
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      // As kcp calls those of the group without a name.
      name: `${names?.plural}.${group || 'core'}`,
      ...(metadata?.annotations && { annotations: metadata.annotations }),
    },
    spec: {
      group,
      names,
      scope,
      versions: versions.map(version => ({ ...version, schema: { openAPIV3Schema: version.schema } })),
    },
  };
}
