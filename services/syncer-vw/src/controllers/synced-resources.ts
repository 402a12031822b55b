import { isDeepStrictEqual } from 'node:util';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import { compareVersions } from '@kcp-vw/shared/kube/versions.ts';
import { type MergePatch, patchOf } from './merge-patch.ts';
import type { ExportReference, SyncedResource, SyncTarget } from './sync-target.ts';

/** `apis.kcp.io APIExport`, v1alpha1 or v1alpha2. */
export interface ApiExport extends KubeObject {
  readonly spec?: {
    /** v1alpha2. */
    readonly resources?: readonly { readonly schema: string }[];
    /** v1alpha1. */
    readonly latestResourceSchemas?: readonly string[];
  };
  readonly status?: { readonly identityHash?: string };
}

/** Where exports and schemas are found; undefined for those that are not there. */
export interface ExportLookup {
  /** `workspace` is a path or the name of a logical cluster. */
  readonly getExport: (workspace: string, name: string) => ApiExport | undefined;
  readonly getSchema: (cluster: string, name: string) => ApiResourceSchema | undefined;
}

/** Without a word from the syncer. */
const UNDECIDED = 'Pending';

/**
 * Brings the resources of the exports that a SyncTarget supports into its status. The states are the syncer's to write: they are
 * kept as long as the resource is the same one, and the patch is refused if the syncer has written in between. Undefined if
 * nothing changes.
 */
export function syncedResourcesPatch(target: SyncTarget, lookup: ExportLookup): MergePatch | undefined {
  const known = new Map((target.status?.syncedResources ?? []).map(one => [identityOf(one), one.state]));
  const syncedResources = exportedResources(target, lookup).map(one => ({
    ...one,
    state: known.get(identityOf(one)) ?? UNDECIDED,
  }));
  if (isDeepStrictEqual(target.status?.syncedResources ?? [], syncedResources)) return undefined;
  return patchOf(target, { status: { syncedResources } });
}

/** The resources of the exports that are there, sorted, each once. An export or a schema that is not there is left out. */
export function exportedResources(target: SyncTarget, { getExport, getSchema }: ExportLookup): readonly SyncedResource[] {
  const resources = new Map<string, SyncedResource>();
  for (const reference of target.spec?.supportedAPIExports ?? []) {
    const found = getExport(workspaceOf(target, reference), reference.export);
    if (found === undefined) continue;
    for (const name of schemasOf(found)) {
      const schema = getSchema(clusterOf(found), name);
      const resource = schema && resourceOf(schema, found.status?.identityHash ?? '');
      // Two exports with one identity have the same resource: the first that is asked for says what it is like.
      if (resource && !resources.has(identityOf(resource))) resources.set(identityOf(resource), resource);
    }
  }
  return [...resources].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, resource]) => resource);
}

const workspaceOf = (target: SyncTarget, { path }: ExportReference): string => path || clusterOf(target);

const schemasOf = ({ spec }: ApiExport): readonly string[] => [
  ...(spec?.resources ?? []).map(({ schema }) => schema),
  ...(spec?.latestResourceSchemas ?? []),
];

/** Undefined if no version is served: there is nothing to sync then. */
function resourceOf({ spec }: ApiResourceSchema, identityHash: string): SyncedResource | undefined {
  const versions = (spec?.versions ?? [])
    .filter(({ served }) => served)
    .map(({ name }) => name)
    .sort(compareVersions);
  if (spec === undefined || versions.length === 0) return undefined;
  return { group: spec.group, resource: spec.names.plural, versions, identityHash };
}

/** None of the three has a blank in it. */
const identityOf = ({ group = '', resource, identityHash = '' }: SyncedResource): string =>
  `${group} ${resource} ${identityHash}`;
