import { createHash } from 'node:crypto';
import type { ApiResourceSchema, SchemaVersion } from '@kcp-vw/shared/kube/resource-schema.ts';
import type { Schema } from './schema-parts.ts';

type Spec = NonNullable<ApiResourceSchema['spec']>;

/** A resource with one version. */
export interface ResourceSchemaParts {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly names: Spec['names'];
  readonly scope: Spec['scope'];
  readonly schema: Schema;
  readonly subresources: SubresourceParts;
  readonly columns: NonNullable<SchemaVersion['additionalPrinterColumns']>;
}

export interface SubresourceParts {
  readonly status: Readonly<Record<string, never>>;
  readonly scale?: { readonly specReplicasPath: string; readonly statusReplicasPath: string };
}

/** Groups of `*.k8s.io` are Kubernetes' own: an API server takes them only with word of who has approved it. This is kcp's. */
const PROTECTED_GROUP = /(^|\.)(k8s|kubernetes)\.io$/;
const APPROVAL = { 'api-approved.kubernetes.io': 'https://github.com/kcp-dev/kubernetes/pull/4' };

const HASH_DIGITS = 10;

/**
 * A schema can never be changed, only replaced. So its name says what is in it: what differs is another object, and what is the same is the
 * one that is there already.
 */
export function resourceSchema(parts: ResourceSchemaParts): ApiResourceSchema {
  const { group, version, names, scope, schema, subresources, columns } = parts;
  const spec = {
    group,
    names,
    scope,
    versions: [{ name: version, served: true, storage: true, schema, subresources, additionalPrinterColumns: columns }],
  };
  const hash = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, HASH_DIGITS);
  return {
    apiVersion: 'apis.kcp.io/v1alpha1',
    kind: 'APIResourceSchema',
    metadata: {
      name: `v${hash}.${names.plural}.${group || 'core'}`,
      ...(PROTECTED_GROUP.test(group) && { annotations: APPROVAL }),
    },
    spec,
  };
}
