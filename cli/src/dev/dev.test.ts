import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { loadKubeconfig } from '@kcp-vw/shared/config/kubeconfig.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import { createUpstream, type ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import { requestText } from '@kcp-vw/shared/upstream/text.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const WORKSPACES = '/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspaces';

const SYNC_TARGETS = '/clusters/root:compute/apis/workload.kcp.io/v1alpha1/synctargets';
const DEPLOYMENTS = '/apis/apps/v1/deployments';

interface Workspace {
  status?: { phase?: string };
}

interface SyncTargets {
  items?: { status?: { virtualWorkspaces?: { syncerURL: string }[] } }[];
}

interface Deployments {
  items?: { spec: { replicas: number }; status?: { readyReplicas?: number } }[];
}

test('kcp-vw dev brings up a kcp whose workspaces the demo controller initializes and whose Deployment is divided, and leaves nothing behind', async () => {
  const program = spawn(process.execPath, [MAIN, 'dev'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(program, 'exit');
  let output = '';
  for (const stream of [program.stdout, program.stderr]) stream.on('data', text => (output += text));
  try {
    while (!output.includes('Ctrl-C')) {
      if (program.exitCode !== null) throw new Error(`it ended:\n${output}`);
      await sleep(100);
    }
    const kubeconfig = /KUBECONFIG=(\S+)/.exec(output)?.[1] ?? '';
    const { server, ca = '', cert = '', key = '' } = await loadKubeconfig(kubeconfig, { context: 'base' });
    const kcp = createUpstream({ origin: server, tls: { ca, cert, key }, limits: DEFAULT_LIMITS });
    const workspace = { apiVersion: 'tenancy.kcp.io/v1alpha1', kind: 'Workspace', metadata: { name: 'first' } };
    const spec = { type: { name: 'demo', path: 'root' } };
    let created = 0;
    // The demo controller makes its type when it starts.
    while (created !== 201) {
      created = (await requestJson(kcp, { method: 'POST', path: WORKSPACES, body: { ...workspace, spec } })).status;
      await sleep(100);
    }
    let phase: string | undefined;
    while (phase !== 'Ready') {
      phase = (await requestJson<Workspace>(kcp, { method: 'GET', path: `${WORKSPACES}/first` })).body.status?.phase;
      await sleep(100);
    }
    const welcome = '/clusters/root:first/api/v1/namespaces/default/configmaps/welcome';
    expect(await requestJson(kcp, { method: 'GET', path: welcome })).toMatchObject({
      status: 200,
      body: { data: { text: 'Welcome to a workspace of type demo!' } },
    });
    expect(
      await dividedReplicas(kcp, url => createUpstream({ origin: url, tls: { ca, cert, key }, limits: DEFAULT_LIMITS })),
    ).toEqual([3, 4]);
    await kcp.close();

    program.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
    expect(existsSync(dirname(dirname(kubeconfig)))).toBe(false);
  } finally {
    program.kill('SIGKILL');
  }
}, 90_000);

/** What the views of west and east show of the Deployment, once their clusters have told that all of its pods are ready. */
async function dividedReplicas(kcp: Upstream, connect: (url: URL) => ManagedUpstream): Promise<readonly number[]> {
  for (;;) {
    const { status, body } = await requestText(kcp, { method: 'GET', path: `/clusters/root:team${DEPLOYMENTS}` });
    // Before it is bound, the API is not there.
    if (status === 200 && (JSON.parse(body) as Deployments).items?.[0]?.status?.readyReplicas === 7) break;
    await sleep(100);
  }
  const { items = [] } = (await requestJson<SyncTargets>(kcp, { method: 'GET', path: SYNC_TARGETS })).body;
  const urls = items.map(({ status }) => new URL(status?.virtualWorkspaces?.[0]?.syncerURL ?? ''));
  const shown = urls.map(async url => {
    const views = connect(url);
    const path = `${url.pathname}/clusters/*${DEPLOYMENTS}`;
    const { items: seen = [] } = (await requestJson<Deployments>(views, { method: 'GET', path })).body;
    await views.close();
    return seen.map(({ spec }) => spec.replicas);
  });
  return (await Promise.all(shown)).flat().sort();
}
