import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { computeSchemas } from './compute-schemas.ts';
import { COMPUTE_CLAIMS, COMPUTE_EXPORT, exportOf, WORKLOAD_CLAIMS, WORKLOAD_EXPORT } from './exports.ts';
import { bindRules, grant, type Subject, serviceRules } from './rbac.ts';
import { syncTargetSchema } from './sync-target-schema.ts';

export interface ManifestOptions {
  /** Whom the service asks kcp as. */
  readonly service: readonly Subject[];
  /** Who may bind the exports in workspaces; by default everybody who has logged in. */
  readonly consumers?: readonly Subject[];
  /**
   * What the names of the schemas begin with. Schemas never change: other ones need another word, `^[a-z]([-a-z0-9]*[a-z0-9])?$`.
   */
  readonly generation?: string;
}

export interface Manifests {
  /** For the workspace that offers SyncTargets: `root`. */
  readonly workload: readonly KubeObject[];
  /** For the workspace that offers what is synced, which may be the same. */
  readonly compute: readonly KubeObject[];
}

const EVERYBODY: readonly Subject[] = [{ kind: 'Group', name: 'system:authenticated' }];
/** SyncTargets are read and told of their URLs, resources and health; reviews are made. */
const WORKLOAD_VERBS = ['get', 'list', 'watch', 'patch', 'create'];
/** What syncers do goes upstream as the service, and so does scheduling. */
const COMPUTE_VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];

/** Everything that syncing needs in kcp, each object after those that it needs. */
export function manifests({ service, consumers = EVERYBODY, generation = 'v1' }: ManifestOptions): Manifests {
  const syncTargets = [syncTargetSchema(generation)];
  const compute = computeSchemas(generation);
  return {
    workload: [
      ...syncTargets,
      exportOf(WORKLOAD_EXPORT, syncTargets, WORKLOAD_CLAIMS),
      ...rolesOf(WORKLOAD_EXPORT, WORKLOAD_VERBS, service, consumers),
    ],
    compute: [
      ...compute,
      exportOf(COMPUTE_EXPORT, compute, COMPUTE_CLAIMS),
      ...rolesOf(COMPUTE_EXPORT, COMPUTE_VERBS, service, consumers),
    ],
  };
}

const rolesOf = (exported: string, verbs: readonly string[], service: readonly Subject[], consumers: readonly Subject[]) => [
  ...grant(`syncer-vw:${exported}`, serviceRules(exported, verbs), service),
  ...grant(`${exported}:bind`, bindRules(exported), consumers),
];
