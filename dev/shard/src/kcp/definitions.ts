import { type ResourceDefinition, resourceKey } from '../store/definition.ts';
import { KCP_RESOURCES } from '../store/kcp-resources.ts';
import { KUBERNETES_RESOURCES } from '../store/kubernetes-resources.ts';
import { admitApiBinding } from './api-binding-admission.ts';
import { convertApiBinding } from './api-binding-conversion.ts';
import { admitApiExport, admitApiResourceSchema, admitEndpointSlice } from './api-export-admission.ts';
import { convertApiExport } from './api-export-conversion.ts';
import type { Authorize } from './authorizer.ts';
import { admitCustomResourceDefinition } from './crd-admission.ts';
import { admitLogicalCluster, validateLogicalCluster } from './logical-cluster-admission.ts';
import type { Reader } from './loopback.ts';
import {
  API_BINDINGS,
  API_EXPORT_ENDPOINT_SLICES,
  API_EXPORTS,
  API_RESOURCE_SCHEMAS,
  CUSTOM_RESOURCE_DEFINITIONS,
  LOGICAL_CLUSTERS,
  SERVICE_ACCOUNTS,
  SHARDS,
  WORKSPACE_TYPES,
  WORKSPACES,
} from './refs.ts';
import { admitWorkspace, admitWorkspaceType, validateWorkspaceName, validateWorkspaceType } from './workspace-admission.ts';

export interface DefinitionContext {
  readonly objects: Reader;
  readonly authorize: Authorize;
  /** Of service accounts: see `ResourceDefinition`. */
  readonly issueToken: NonNullable<ResourceDefinition['issueToken']>;
}

type Rules = Pick<ResourceDefinition, 'admit' | 'validate' | 'convert'>;

/** What is checked when kcp's own resources are written through the API. */
const rulesOf = (context: DefinitionContext): Readonly<Record<string, Rules>> => ({
  [resourceKey(LOGICAL_CLUSTERS)]: { admit: admitLogicalCluster, validate: validateLogicalCluster },
  [resourceKey(API_BINDINGS)]: {
    admit: (object, write) => admitApiBinding(context, object, write),
    convert: convertApiBinding,
  },
  [resourceKey(API_EXPORTS)]: {
    admit: (object, write) => admitApiExport(context.objects, object, write),
    convert: convertApiExport,
  },
  [resourceKey(API_RESOURCE_SCHEMAS)]: { admit: admitApiResourceSchema },
  [resourceKey(API_EXPORT_ENDPOINT_SLICES)]: { admit: (object, write) => admitEndpointSlice(context, object, write) },
  [resourceKey(WORKSPACES)]: {
    admit: (object, write) => admitWorkspace(context, object, write),
    validate: validateWorkspaceName,
  },
  [resourceKey(WORKSPACE_TYPES)]: {
    admit: (object, write) => admitWorkspaceType(context.objects, object, write),
    validate: validateWorkspaceType,
  },
});

/** kcp's APIExport in root that a resource comes from; undefined for those that every logical cluster has. */
function exportOf({ group, resource }: ResourceDefinition): string | undefined {
  if (resourceKey({ group, resource }) === resourceKey(SHARDS)) return 'shards.core.kcp.io';
  return group === 'tenancy.kcp.io' || group === 'topology.kcp.io' ? group : undefined;
}

/** Kubernetes' resources, which every logical cluster serves. */
export function kubernetesDefinitions({ issueToken }: DefinitionContext): readonly ResourceDefinition[] {
  const rules: Readonly<Record<string, Partial<ResourceDefinition>>> = {
    [resourceKey(CUSTOM_RESOURCE_DEFINITIONS)]: {
      admit: admitCustomResourceDefinition,
    },
    [resourceKey(SERVICE_ACCOUNTS)]: { issueToken },
  };
  return KUBERNETES_RESOURCES.map(definition => ({ ...definition, ...rules[resourceKey(definition)] }));
}

/** kcp's resources that every logical cluster serves. */
export const systemDefinitions = (context: DefinitionContext): readonly ResourceDefinition[] =>
  KCP_RESOURCES.filter(definition => exportOf(definition) === undefined).map(definition => withRules(definition, context));

/** The resources of kcp's own APIExports in root, by the name of the export: a logical cluster serves them when it has bound them. */
export function exportedDefinitions(
  context: DefinitionContext,
  identities: Readonly<Record<string, string>>,
): Readonly<Record<string, readonly ResourceDefinition[]>> {
  const exported: Record<string, ResourceDefinition[]> = {};
  for (const definition of KCP_RESOURCES) {
    const name = exportOf(definition);
    if (name === undefined) continue;
    const bound = { ...withRules(definition, context), identity: identities[name] ?? '', schemaCluster: 'root' };
    exported[name] = [...(exported[name] ?? []), bound];
  }
  return exported;
}

const withRules = (definition: ResourceDefinition, context: DefinitionContext): ResourceDefinition => ({
  ...definition,
  ...rulesOf(context)[resourceKey(definition)],
});
