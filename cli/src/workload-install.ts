import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { ACCOUNT, ACCOUNT_SUBJECT, accountObjects, shardsGrant } from '@kcp-vw/syncer-vw/manifests/account.ts';
import { bindingTo, WORKLOAD_CLAIMS, WORKLOAD_EXPORT } from '@kcp-vw/syncer-vw/manifests/exports.ts';
import { manifests } from '@kcp-vw/syncer-vw/manifests/manifests.ts';
import { applyAll, titleOf } from './install-apply.ts';
import { writeKubeconfigs } from './install-kubeconfigs.ts';
import type { WorkloadFlags } from './workload-flags.ts';
import { hasIdentity, isBound, type Kcp, logicalClusterOf, makeWorkspace, say } from './workload-kcp.ts';

type Wanted = Pick<WorkloadFlags, 'workspace' | 'consumers'>;

/** Everything of the workspace of the exports, each object after those that it needs; the last is its binding to SyncTargets. */
export function computeObjects({ workspace, consumers }: Wanted): readonly KubeObject[] {
  const { workload, compute } = manifests({
    service: [ACCOUNT_SUBJECT],
    ...(consumers.length > 0 && { consumers: consumers.map(name => ({ kind: 'Group' as const, name })) }),
  });
  // SyncTargets can be made beside the exports: these are given the objects of all that bind them.
  return [...accountObjects(), ...workload, ...compute, bindingTo(workspace, WORKLOAD_EXPORT, WORKLOAD_CLAIMS)];
}

/** Makes what syncing needs, in the workspace of the exports and in `root`. */
export async function installCompute(kcp: Kcp, flags: WorkloadFlags): Promise<void> {
  const { workspace: path, folder } = flags;
  await makeWorkspace(kcp, path);
  const workspace = kcp.workspace(path);
  const cluster = await logicalClusterOf(workspace, path);
  const objects = computeObjects(flags);
  const ofKind = (kind: string): readonly KubeObject[] => objects.filter(object => object.kind === kind);
  const told = (outcome: Parameters<typeof say>[0], object: KubeObject): void => say(outcome, titleOf(object));

  await applyAll(
    workspace,
    objects.filter(({ kind }) => kind !== 'APIBinding'),
    told,
  );
  for (const exported of ofKind('APIExport')) await hasIdentity(workspace, exported);
  await applyAll(kcp.workspace('root'), shardsGrant(cluster), (outcome, object) => say(outcome, `${titleOf(object)} in root`));
  await applyAll(workspace, ofKind('APIBinding'), told);
  for (const binding of ofKind('APIBinding')) await isBound(workspace, binding);
  if (folder !== undefined) await writeKubeconfigs(workspace, kcp.access(path), [ACCOUNT], folder, say);
}
