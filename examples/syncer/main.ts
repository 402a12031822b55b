/**
 * A syncer: it brings the objects that workspaces have given to its SyncTarget into a physical cluster, and their status, and what has come
 * of them there, back. It knows the workspace of its SyncTarget, by one kubeconfig, and the physical cluster, by another.
 */
import { parseArgs } from 'node:util';
import { loadKubeconfig } from '@kcp-vw/shared/config/cluster-access.ts';
import { parseDuration } from '@kcp-vw/shared/config/flags-values.ts';
import { dieWithParent } from '@kcp-vw/shared/observe/lifeline.ts';
import { runSyncer } from './syncer.ts';

const isAlone = dieWithParent() === 'alone';
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
if (isAlone) process.once('SIGINT', () => stopping.abort());

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: 'string' },
      context: { type: 'string', default: '' },
      'sync-target': { type: 'string' },
      'sync-target-uid': { type: 'string' },
      'downstream-kubeconfig': { type: 'string' },
      'downstream-context': { type: 'string', default: '' },
      resources: { type: 'string' },
      heartbeat: { type: 'string', default: '20s' },
    },
  });
  const { kubeconfig, 'sync-target': name, 'downstream-kubeconfig': downstream } = values;
  if (kubeconfig === undefined) throw new Error('--kubeconfig is required: how to reach the workspace of the SyncTarget');
  if (name === undefined) throw new Error('--sync-target is required: the name of the SyncTarget');
  if (downstream === undefined) throw new Error('--downstream-kubeconfig is required: how to reach the physical cluster');
  const heartbeat = parseDuration(values.heartbeat);
  if (!heartbeat) throw new Error(`--heartbeat is no duration like 20s: ${values.heartbeat}`);
  await runSyncer({
    access: await loadKubeconfig(kubeconfig, { context: values.context }),
    downstreamAccess: await loadKubeconfig(downstream, { context: values['downstream-context'] }),
    ...{ name, heartbeat, say, signal: stopping.signal },
    uid: values['sync-target-uid'],
    wanted: values.resources === undefined ? undefined : new Set(values.resources.split(',')),
  });
}

try {
  await run();
  process.exit(0);
} catch (error) {
  process.stderr.write(`syncer: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(stopping.signal.aborted ? 0 : 1);
}
