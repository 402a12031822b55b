import { providerGrant } from '@kcp-vw/syncer-vw/manifests/account.ts';
import { applyAll, read, titleOf } from './install-apply.ts';
import type { WorkloadFlags } from './workload-flags.ts';
import { type Kcp, logicalClusterOf, say } from './workload-kcp.ts';

/** Lets the account of syncer-vw have the objects of another provider's export, in all workspaces that have bound it. */
export async function grantExport(kcp: Kcp, { workspace: path, compute, exports }: WorkloadFlags): Promise<void> {
  const name = exports[0]?.export ?? '';
  const workspace = kcp.workspace(path);
  // A right to an export that is not there would be that of whoever makes one of this name.
  const exported = await read(workspace, { kind: 'APIExport', metadata: { name } });
  if (exported === undefined) throw new Error(`${path} has no APIExport ${name}`);
  const cluster = await logicalClusterOf(kcp.workspace(compute), compute);
  await applyAll(workspace, providerGrant(cluster, name), (outcome, object) => say(outcome, titleOf(object)));
}
