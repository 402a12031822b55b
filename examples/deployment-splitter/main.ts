/**
 * One Deployment of seven replicas, divided among two physical clusters, west and east: their SyncTargets and syncers, and workspaces in the
 * place of the clusters themselves.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connectKcp, type Kcp } from '@kcp-vw/cli/workload-kcp.ts';
import { runSyncer } from '@kcp-vw/example-syncer/syncer.ts';
import { loadKubeconfig } from '@kcp-vw/shared/config/cluster-access.ts';
import { dieWithParent } from '@kcp-vw/shared/observe/lifeline.ts';
import { physicalClusterOf, setUp, TARGETS, type Target } from './set-up.ts';
import { simulateCluster } from './simulated-cluster.ts';

const HEARTBEAT_MS = 20_000;

const isAlone = dieWithParent() === 'alone';
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
if (isAlone) process.once('SIGINT', () => stopping.abort());

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function run(): Promise<void> {
  const { values } = parseArgs({ options: { kubeconfig: { type: 'string' }, context: { type: 'string', default: '' } } });
  const { kubeconfig, context } = values;
  if (kubeconfig === undefined) throw new Error('--kubeconfig is required: kcp-admin, at the front proxy of kcp');
  const kcp = await connectKcp(kubeconfig, context, { every: 100, atMost: 60_000 });
  const folder = mkdtempSync(join(tmpdir(), 'deployment-splitter-'));
  // However it ends: there are credentials in it.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await Promise.race([setUp({ kcp, kubeconfig, context, folder }), once(stopping.signal, 'abort')]);
  if (stopping.signal.aborted) return;
  await Promise.all(TARGETS.map(target => serve(target, kcp, join(folder, `${target}.kubeconfig`))));
  await kcp.close();
}

/** A physical cluster and its syncer, which has an account of its own. One whose SyncTarget is deleted ends, and the other goes on. */
async function serve(target: Target, kcp: Kcp, kubeconfig: string): Promise<void> {
  const tell = (text: string): void => say(`${target}: ${text}`);
  const path = physicalClusterOf(target);
  const { upstream, basePath } = kcp.workspace(path);
  const cluster = simulateCluster(upstream, basePath, tell);
  try {
    await runSyncer({
      ...{ access: await loadKubeconfig(kubeconfig, { context: '' }), name: target },
      ...{ downstreamAccess: kcp.access(path), wanted: undefined, heartbeat: HEARTBEAT_MS, say: tell },
      signal: stopping.signal,
    });
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
  } finally {
    cluster.stop();
  }
}

try {
  await run();
  process.exit(0);
} catch (error) {
  process.stderr.write(`deployment-splitter: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(stopping.signal.aborted ? 0 : 1);
}
