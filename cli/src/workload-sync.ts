import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { GROUP, KIND, VERSION } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import { credentialsNamespace } from '@kcp-vw/syncer-vw/manifests/account.ts';
import { COMPUTE_EXPORT, WORKLOAD_EXPORT } from '@kcp-vw/syncer-vw/manifests/exports.ts';
import { syncerRoles } from '@kcp-vw/syncer-vw/manifests/rbac.ts';
import { applyAll, titleOf } from './install-apply.ts';
import { writeKubeconfigs } from './install-kubeconfigs.ts';
import type { ExportName, WorkloadFlags } from './workload-flags.ts';
import { bindingsTo, isBound, type Kcp, logicalClusterOf, providerOf, say } from './workload-kcp.ts';

/** Of the service accounts of all syncers of a workspace. */
const NAMESPACE = 'syncers';

/** Makes a SyncTarget and the account of its syncer, which may do what a syncer does and nothing else. */
export async function makeSyncTarget(kcp: Kcp, flags: WorkloadFlags): Promise<void> {
  const { name, workspace: path, labels, folder = '.' } = flags;
  const workspace = kcp.workspace(path);
  const [binding] = await bindingsTo(workspace, WORKLOAD_EXPORT);
  if (binding === undefined) {
    throw new Error(`${path} knows no SyncTargets: kcp-vw workload bind --workspace=${path} --sync-targets lets it`);
  }
  await isBound(workspace, { ...binding, kind: 'APIBinding' });

  const account = { namespace: NAMESPACE, name };
  const exports = flags.exports.length > 0 ? flags.exports : await usualExports(kcp, path, providerOf(binding));
  const objects: readonly KubeObject[] = [
    {
      apiVersion: `${GROUP}/${VERSION}`,
      kind: KIND,
      metadata: { name, ...(Object.keys(labels).length > 0 && { labels: { ...labels } }) },
      spec: { ...(exports.length > 0 && { supportedAPIExports: exports }) },
    },
    credentialsNamespace(NAMESPACE),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account },
    ...syncerRoles(name, [{ kind: 'ServiceAccount', ...account }]),
  ];
  await applyAll(workspace, objects, (outcome, object) => say(outcome, titleOf(object)));
  await writeKubeconfigs(workspace, kcp.access(path), [account], folder, say);
}

/** What is not said is the export of the same workspace: elsewhere the one beside SyncTargets' own has to be named. */
async function usualExports(kcp: Kcp, path: string, provider: string | undefined): Promise<readonly ExportName[]> {
  if (provider === undefined || provider === path) return [];
  if (provider === (await logicalClusterOf(kcp.workspace(path), path))) return [];
  return [{ path: provider, export: COMPUTE_EXPORT }];
}
