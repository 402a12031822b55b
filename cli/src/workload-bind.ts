import {
  bindingTo,
  COMPUTE_CLAIMS,
  COMPUTE_EXPORT,
  type PermissionClaim,
  WORKLOAD_CLAIMS,
  WORKLOAD_EXPORT,
} from '@kcp-vw/syncer-vw/manifests/exports.ts';
import { applyObject, titleOf } from './install-apply.ts';
import type { WorkloadFlags } from './workload-flags.ts';
import { bindingsTo, isBound, type Kcp, providerOf, say } from './workload-kcp.ts';

/** Lets a workspace be synced. Whoever may bind the exports can do it: nothing is asked of their workspace. */
export async function bindConsumer(kcp: Kcp, { workspace: path, compute, withSyncTargets }: WorkloadFlags): Promise<void> {
  if (withSyncTargets) await bind(kcp, path, compute, WORKLOAD_EXPORT, WORKLOAD_CLAIMS);
  await bind(kcp, path, compute, COMPUTE_EXPORT, COMPUTE_CLAIMS);
}

async function bind(
  kcp: Kcp,
  path: string,
  compute: string,
  exported: string,
  claims: readonly PermissionClaim[],
): Promise<void> {
  const workspace = kcp.workspace(path);
  // A workspace binds an export once, and may have called its binding as it likes.
  const found = (await bindingsTo(workspace, exported)).find(binding => providerOf(binding) === compute);
  const binding = bindingTo(compute, exported, claims, found?.metadata?.name);
  say(await applyObject(workspace, binding), titleOf(binding));
  await isBound(workspace, binding);
}
