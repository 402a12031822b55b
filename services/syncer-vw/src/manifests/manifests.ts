import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { computeSchemas } from './compute-schemas.ts';
import { COMPUTE_CLAIMS, COMPUTE_EXPORT, exportOf, WORKLOAD_CLAIMS, WORKLOAD_EXPORT } from './exports.ts';
import { bindRules, COMPUTE_VERBS, grant, type Subject, serviceRules, WORKLOAD_VERBS } from './rbac.ts';
import { syncTargetSchema } from './sync-target-schema.ts';

export interface ManifestOptions {
  /** Whom the service asks kcp as. */
  readonly service: readonly Subject[];
  /** Who may bind the exports in workspaces; by default everybody who has logged in. */
  readonly consumers?: readonly Subject[];
}

export interface Manifests {
  /** For the workspace that offers SyncTargets. */
  readonly workload: readonly KubeObject[];
  /** For the workspace that offers what is synced: the same, unless somebody parts them. */
  readonly compute: readonly KubeObject[];
}

const EVERYBODY: readonly Subject[] = [{ kind: 'Group', name: 'system:authenticated' }];

/** Everything that syncing needs in kcp, each object after those that it needs. */
export function manifests({ service, consumers = EVERYBODY }: ManifestOptions): Manifests {
  const syncTargets = [syncTargetSchema()];
  const compute = computeSchemas();
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
