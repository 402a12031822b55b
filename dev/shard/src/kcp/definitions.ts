import { type ResourceDefinition, resourceKey } from '../store/definition.ts';
import { KCP_RESOURCES } from '../store/kcp-resources.ts';
import { admitApiBinding } from './api-binding-admission.ts';
import type { Authorize } from './authorizer.ts';
import { admitLogicalCluster, validateLogicalCluster } from './logical-cluster-admission.ts';
import type { Reader } from './loopback.ts';
import { API_BINDINGS, LOGICAL_CLUSTERS, SHARDS, WORKSPACE_TYPES, WORKSPACES } from './refs.ts';
import { admitWorkspace, admitWorkspaceType, validateWorkspaceName, validateWorkspaceType } from './workspace-admission.ts';

export interface DefinitionContext {
  readonly objects: Reader;
  readonly authorize: Authorize;
}

type Rules = Pick<ResourceDefinition, 'admit' | 'validate'>;

/** What is checked when kcp's own resources are written through the API. */
const rulesOf = (context: DefinitionContext): Readonly<Record<string, Rules>> => ({
  [resourceKey(LOGICAL_CLUSTERS)]: { admit: admitLogicalCluster, validate: validateLogicalCluster },
  [resourceKey(API_BINDINGS)]: { admit: (object, write) => admitApiBinding(context, object, write) },
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
