import { loadKubeconfig, upstreamFor } from '@kcp-vw/shared/config/kubeconfig.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { printYaml } from '@kcp-vw/shared/kube/yaml-print.ts';
import { fail } from '@kcp-vw/shared/observe/run-command.ts';
import { accountsOf, manifestsOf } from '@kcp-vw/shared/registration/manifests.ts';
import { FRONT_PROXY_ACCOUNT } from '@kcp-vw/shared/registration/manifests-rbac.ts';
import { applyAll, type Patience, titleOf } from './install-apply.ts';
import { type Installation, installationOf, USAGE } from './install-flags.ts';
import { refuseNamesakes, writeKubeconfigs } from './install-kubeconfigs.ts';

const PATIENCE: Patience = { every: 250, atMost: 60_000 };

/** `kcp-vw install`. Returns the exit code; why it is 1 is one sentence on standard error. */
export async function install(argv: readonly string[], patience = PATIENCE): Promise<number> {
  try {
    const installation = installationOf(argv);
    if (installation === undefined) process.stdout.write(USAGE);
    else if (installation.print) process.stdout.write(manifestsOf(installation.views).map(printed).join('---\n'));
    else await installInto(installation, patience);
    return 0;
  } catch (error) {
    return fail(error);
  }
}

/** By way of JSON, so that what two fields share is written out for each. */
const printed = (object: KubeObject): string => printYaml(JSON.parse(JSON.stringify(object)));

async function installInto(installation: Installation, patience: Patience): Promise<void> {
  const { kubeconfig, context, views, isShipped, writeKubeconfigs: folder } = installation;
  // The front proxy's credentials are not for the team of one view.
  const accounts = [...(isShipped ? [FRONT_PROXY_ACCOUNT] : []), ...accountsOf(views)];
  if (folder !== undefined) refuseNamesakes(accounts);

  const access = await loadKubeconfig(kubeconfig, { context });
  if (!/^\/clusters\/[^/]+\/?$/.test(access.server.pathname)) {
    throw new Error(`kubeconfig ${kubeconfig}: ${access.server.href} is no workspace, which ends with /clusters/root`);
  }
  const upstream = upstreamFor(access, DEFAULT_LIMITS, access.server.origin);
  const workspace = { upstream, basePath: upstream.basePath, patience };
  try {
    await applyAll(workspace, manifestsOf(views), (outcome, object) => say(outcome, titleOf(object)));
    if (folder !== undefined) await writeKubeconfigs(workspace, access, accounts, folder, say);
  } finally {
    await upstream.close();
  }
}

const say = (outcome: string, what: string): void => void process.stdout.write(`${outcome.padEnd(9)}  ${what}\n`);
