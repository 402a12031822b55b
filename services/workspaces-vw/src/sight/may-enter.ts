/**
 * kcp's chain, as it decides over a workspace's content: `requiredgroups_authorizer.go`, then `workspace_content_authorizer.go` in
 * `pkg/authorization`. Pure: a viewer and a snapshot give the answer.
 */
import type { Edges, Entrance, Snapshot } from '../index/snapshot.ts';
import {
  EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP,
  KCP_ADMIN_GROUP,
  LOGICAL_CLUSTER_ADMIN_GROUP,
  WORKSPACE_BOOTSTRAPPER_GROUP,
} from './kcp-groups.ts';
import { isSatisfied } from './required-groups.ts';
import type { Effective, Viewer } from './viewer.ts';

/** Where a permission comes from. */
interface Grants {
  readonly edges: Edges;
  readonly shardWide: Edges;
}

/** Whether somebody may enter a logical cluster. */
export function mayEnter(viewer: Viewer, entrance: Entrance): boolean {
  if (viewer.seesEverything) return true;
  if (!isEnterable(entrance.cluster)) return false;
  const here = viewer.in(entrance.cluster);
  if (here.groups.has(LOGICAL_CLUSTER_ADMIN_GROUP)) return true;
  if (!entrance.open || !(here.isLocalServiceAccount || isGranted(here, entrance))) return false;
  return hasRequiredGroups(viewer, here, entrance.requiredGroups);
}

/** Whether a workspace is shown to somebody by what he may do; see `creator.ts` for what he has just created. */
export function sees(viewer: Viewer, snapshot: Snapshot): boolean {
  if (viewer.seesEverything) return true;
  if (!mayEnter(viewer, snapshot.entrance)) return false;
  // Where a mount leads is not ours to say: it is shown to those who may get it.
  return snapshot.mount === undefined || isGranted(viewer.in(snapshot.parent), snapshot.mount);
}

/**
 * The resourceVersion that the object has for somebody who sees it: of its last change, or of the moment he got to see it if that was
 * later, so that he may watch on from it.
 */
export function sinceWhen(viewer: Viewer, snapshot: Snapshot): bigint {
  const { objectVersion, entrance, mount } = snapshot;
  if (viewer.seesEverything) return objectVersion;
  const here = viewer.in(entrance.cluster);
  // Nobody gave it to them: they have it as long as the object is there.
  if (here.groups.has(LOGICAL_CLUSTER_ADMIN_GROUP) && mount === undefined) return objectVersion;
  const entered = here.isLocalServiceAccount ? 0n : grantedSince(here, entrance);
  const mounted = mount === undefined ? 0n : grantedSince(viewer.in(snapshot.parent), mount);
  return latest(objectVersion, entrance.version, entered, mounted);
}

/** System clusters are for those whom nobody asks; a workspace that is not scheduled has none. */
const isEnterable = (cluster: string): boolean => cluster !== '' && !cluster.startsWith('system:');

function hasRequiredGroups(viewer: Viewer, { groups }: Effective, required: Entrance['requiredGroups']): boolean {
  // By the caller's own name: a warrant of a service account does not spare him the groups.
  if (required === undefined || viewer.isServiceAccount || groups.has(EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP)) return true;
  return groups.has(KCP_ADMIN_GROUP) || groups.has(WORKSPACE_BOOTSTRAPPER_GROUP) || isSatisfied(required, groups);
}

function isGranted({ subjects }: Effective, { edges, shardWide }: Grants): boolean {
  if (edges.size === 0 && shardWide.size === 0) return false;
  for (const subject of subjects) if (edges.has(subject) || shardWide.has(subject)) return true;
  return false;
}

/** Since when the first of the subjects has had it without interruption. */
function grantedSince({ subjects }: Effective, { edges, shardWide }: Grants): bigint {
  let first: bigint | undefined;
  for (const subject of subjects) {
    for (const since of [edges.since(subject), shardWide.since(subject)]) {
      if (since !== undefined && (first === undefined || since < first)) first = since;
    }
  }
  return first ?? 0n;
}

export function latest(...versions: readonly bigint[]): bigint {
  let last = 0n;
  for (const version of versions) if (version > last) last = version;
  return last;
}
