import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports.ts';
import { untilReady } from './probe.ts';
import { type RunningProgram, startProgram } from './program.ts';

const HOST = '127.0.0.1';
const DRAIN_SECONDS = 2;
const GRACE_MS = 8_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const sourceOf = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** `kcp-vw dev`: a dev shard, the fleet and two demos, until Ctrl-C. Leaves nothing behind. Returns the exit code. */
export async function dev(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'kcp-vw-dev-'));
  const programs: RunningProgram[] = [];
  const interrupted = new Promise<number>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(0));
  });
  try {
    return await Promise.race([interrupted, run(folder, programs)]);
  } catch (error) {
    process.stderr.write(`kcp-vw dev: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    say('stopping');
    // The last first: what still answers may be needed by what asks.
    for (const program of programs.reverse()) await program.stop(GRACE_MS);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts one after the other, each told to the user. Resolves when one of them ends, which none should. */
async function run(folder: string, programs: RunningProgram[]): Promise<number> {
  const [shardPort, frontProxyPort, viewsPort] = [await freePort(6444), await freePort(6443), await freePort(7444)];
  const shardFolder = join(folder, 'shard');
  const file = (name: string): string => join(shardFolder, name);
  const start = async (name: string, entry: string, parameters: readonly string[], url?: string): Promise<void> => {
    const since = performance.now();
    const program = startProgram(name, sourceOf(entry), parameters, join(folder, `${name}.log`));
    programs.push(program);
    if (url !== undefined) {
      say(`${name}: starting, waiting for ${url}`);
      await untilReady(`${url}/readyz`, file('serving-ca.crt'), program);
    }
    say(`${name}: ${url === undefined ? 'started' : `ready after ${((performance.now() - since) / 1000).toFixed(1)} s`}`);
  };

  await start(
    'dev-shard',
    'dev/shard/src/main.ts',
    [
      `--folder=${shardFolder}`,
      `--shard-port=${shardPort}`,
      `--front-proxy-port=${frontProxyPort}`,
      `--virtual-workspace-url=https://${HOST}:${viewsPort}`,
      // As with kcp's own front proxy: who lists workspaces is shown those that he may enter.
      `--mapping=/clusters/{cluster}/apis/tenancy.kcp.io/v1alpha1/workspaces=https://${HOST}:${viewsPort}`,
    ],
    `https://${HOST}:${shardPort}`,
  );
  await start(
    'virtual-workspaces',
    'cli/src/main.ts',
    ['up', ...fleetFlags(file, folder, viewsPort)],
    `https://${HOST}:${viewsPort}`,
  );
  const admin = file('admin.kubeconfig');
  await start('demo-controller', 'examples/initializer/initializer.ts', [
    `--kubeconfig=${admin}`,
    '--context=root',
    '--type=demo',
  ]);
  // The fleet is ready without the views of syncers, which wait for the account that this makes.
  const base = [`--kubeconfig=${admin}`, '--context=base'];
  const install = ['workload', 'install', ...base, `--write-kubeconfigs=${folder}`];
  await start('workload-install', 'cli/src/main.ts', install);
  await programs.at(-1)?.done();
  programs.pop();
  await start('deployment-splitter', 'examples/deployment-splitter/main.ts', base);
  say(instructions(admin, folder, { viewsPort, frontProxyPort }));
  return untilOneEnds(programs);
}

const fleetFlags = (file: (name: string) => string, folder: string, port: number): string[] => [
  `--kubeconfig=${file('virtual-workspaces.kubeconfig')}`,
  `--external-logical-cluster-admin-kubeconfig=${file('external-admin.kubeconfig')}`,
  `--authentication-kubeconfig=${file('authentication.kubeconfig')}`,
  `--client-ca-file=${file('client-ca.crt')}`,
  `--requestheader-client-ca-file=${file('requestheader-ca.crt')}`,
  `--tls-cert-file=${file('virtual-workspaces.crt')}`,
  `--tls-private-key-file=${file('virtual-workspaces.key')}`,
  `--bind-address=${HOST}`,
  `--secure-port=${port}`,
  '--views=workspaces,syncer',
  `--syncer-kubeconfig=${join(folder, 'syncer-vw.kubeconfig')}`,
  `--drain-timeout=${DRAIN_SECONDS}s`,
  `--audit-log-path=${join(folder, 'audit.log')}`,
];

interface Ports {
  readonly viewsPort: number;
  readonly frontProxyPort: number;
}

const instructions = (kubeconfig: string, folder: string, { viewsPort: port, frontProxyPort }: Ports): string => `
A kcp with virtual workspaces is running. In another terminal:

  export KUBECONFIG=${kubeconfig}
  kubectl get workspacetypes                     # the type "demo" belongs to the demo controller
  kubectl create -f - <<< '{"apiVersion": "tenancy.kcp.io/v1alpha1", "kind": "Workspace", "metadata": {"name": "first"}, "spec": {"type": {"name": "demo", "path": "root"}}}'
  kubectl get workspaces                         # Ready: the controller has been there, through the view
  kubectl --server=$(kubectl get workspace first -o jsonpath='{.spec.URL}') get configmap welcome -n default -o yaml

  # workspaces that wait for the demo controller, as it sees them:
  kubectl --server="https://${HOST}:${port}/services/initializingworkspaces/root:demo/clusters/*" get logicalclusters
  # all workspaces that you may enter, wherever they are:
  kubectl --server="https://${HOST}:${port}/services/workspaces/*" get workspaces

  # one Deployment of seven replicas, and what the clusters west and east have of it: four and three
  kcp=https://${HOST}:${frontProxyPort}/clusters
  kubectl --server=$kcp/root:team get deployments
  view() { kubectl --server=$kcp/root:compute get synctarget $1 -o jsonpath='{.status.virtualWorkspaces[0].syncerURL}/clusters/*'; }
  kubectl --server="$(view west)" get deployments -A     # as its syncer sees it
  kubectl --server="$(view east)" get deployments -A
  kubectl --server=$kcp/root:west-cluster get deployments -A
  # drain west: east gets all of them. With "unschedulable": false and "evictAfter": null it takes part again
  kubectl --server=$kcp/root:compute patch synctarget west --type=merge -p '{"spec": {"unschedulable": true, "evictAfter": "2026-01-01T00:00:00Z"}}'

Logs and the audit log are in ${folder}. Ctrl-C ends everything.
`;

function untilOneEnds(programs: readonly RunningProgram[]): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setInterval(() => {
      const gone = programs.find(({ ended }) => ended !== undefined);
      if (gone === undefined) return;
      clearInterval(timer);
      reject(new Error(`${gone.name} ended: ${gone.ended}\n${gone.tail()}`));
    }, 250);
    timer.unref();
  });
}
