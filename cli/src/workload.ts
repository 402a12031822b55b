import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { printYaml } from '@kcp-vw/shared/kube/yaml-print.ts';
import { fail } from '@kcp-vw/shared/observe/run-command.ts';
import { shardsGrant } from '@kcp-vw/syncer-vw/manifests/account.ts';
import type { Patience } from './install-apply.ts';
import { bindConsumer } from './workload-bind.ts';
import { USAGE, type Verb, type WorkloadFlags, workloadFlagsOf } from './workload-flags.ts';
import { grantExport } from './workload-grant.ts';
import { computeObjects, installCompute } from './workload-install.ts';
import { connectKcp, type Kcp } from './workload-kcp.ts';
import { makeSyncTarget } from './workload-sync.ts';

const PATIENCE: Patience = { every: 250, atMost: 60_000 };

const ACTIONS: Readonly<Record<Verb, (kcp: Kcp, flags: WorkloadFlags) => Promise<void>>> = {
  install: installCompute,
  sync: makeSyncTarget,
  bind: bindConsumer,
  grant: grantExport,
};

/** `kcp-vw workload`. Returns the exit code; why it is 1 is one sentence on standard error. */
export async function workload(argv: readonly string[], patience = PATIENCE): Promise<number> {
  try {
    const flags = workloadFlagsOf(argv);
    if (flags === undefined) process.stdout.write(USAGE);
    else if (flags.isPrinted) process.stdout.write(printed(flags));
    else await act(flags, patience);
    return 0;
  } catch (error) {
    return fail(error);
  }
}

async function act(flags: WorkloadFlags, patience: Patience): Promise<void> {
  const kcp = await connectKcp(flags.kubeconfig, flags.context, patience);
  try {
    await ACTIONS[flags.verb](kcp, flags);
  } finally {
    await kcp.close();
  }
}

/** The grant in `root` is a comment: it names a logical cluster, which no file can know, and is for another workspace. */
function printed(flags: WorkloadFlags): string {
  const grant = documents(shardsGrant('<the logical cluster of the workspace>'));
  const remark = `For the workspace root, once ${flags.workspace} is there:\n${grant}`;
  return `${documents(computeObjects(flags))}---\n${remark.trimEnd().replaceAll(/^/gm, '# ')}\n`;
}

/** By way of JSON, so that what two fields share is written out for each. */
const documents = (objects: readonly KubeObject[]): string =>
  objects.map(object => printYaml(JSON.parse(JSON.stringify(object)))).join('---\n');
