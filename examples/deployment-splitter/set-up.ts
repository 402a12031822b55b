import { applyAll, applyObject, waitFor } from '@kcp-vw/cli/install-apply.ts';
import { workload } from '@kcp-vw/cli/workload.ts';
import { type Kcp, makeWorkspace } from '@kcp-vw/cli/workload-kcp.ts';
import { type Client, createClient, isRefused } from '@kcp-vw/example-syncer/client.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { customResources } from './custom-resources.ts';

/** The SyncTargets, which are in the workspace of the exports: they are given the objects of all that bind those. */
export const TARGETS = ['west', 'east'] as const;
export type Target = (typeof TARGETS)[number];
/** The workspace whose Deployment is divided. */
const TEAM = 'root:team';
const NAMESPACE = 'default';
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
const REPLICAS = 7;

/** The workspace in the place of the physical cluster of a SyncTarget. */
export const physicalClusterOf = (target: Target): string => `root:${target}-cluster`;

export interface SetUpOptions {
  readonly kcp: Kcp;
  readonly kubeconfig: string;
  readonly context: string;
  /** Where the kubeconfigs of the syncers are written, as `west.kubeconfig`. */
  readonly folder: string;
}

/** Makes all that the demo needs and that is not there yet. */
export async function setUp(options: SetUpOptions): Promise<void> {
  const { kcp, folder } = options;
  const targets = async (): Promise<void> => {
    for (const target of TARGETS) await command(options, 'sync', target, `--write-kubeconfigs=${folder}`);
  };
  await Promise.all([
    targets(),
    makeTeam(options),
    ...TARGETS.map(target => makePhysicalCluster(kcp, physicalClusterOf(target))),
  ]);
  await makeDeployment(kcp);
}

/** What a user does with `kcp-vw workload`. */
async function command({ kubeconfig, context }: SetUpOptions, ...words: readonly string[]): Promise<void> {
  const code = await workload([...words, `--kubeconfig=${kubeconfig}`, `--context=${context}`]);
  if (code !== 0) throw new Error(`kcp-vw workload ${words[0]} has failed`);
}

async function makePhysicalCluster(kcp: Kcp, path: string): Promise<void> {
  await makeWorkspace(kcp, path);
  await applyAll(kcp.workspace(path), customResources(), () => undefined);
}

async function makeTeam(options: SetUpOptions): Promise<void> {
  const { kcp } = options;
  await makeWorkspace(kcp, TEAM);
  // Before it binds: its objects go to both from the beginning.
  const annotations = { 'placement.workload.kcp.io/spread': String(TARGETS.length) };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, annotations } };
  await applyObject(kcp.workspace(TEAM), namespace);
  await command(options, 'bind', `--workspace=${TEAM}`);
}

async function makeDeployment(kcp: Kcp): Promise<void> {
  const workspace = kcp.workspace(TEAM);
  const client = createClient(workspace.upstream, workspace.basePath);
  // A server that has just bound an API may take a moment to serve it.
  await waitFor(workspace, 'Deployments to be served', () => created(client, deployment('web')));
}

async function created(client: Client, object: KubeObject): Promise<true | undefined> {
  try {
    await client.send('POST', DEPLOYMENTS, object);
    return true;
  } catch (error) {
    if (isRefused(error, 409)) return true;
    if (isRefused(error, 404)) return undefined;
    throw error;
  }
}

const deployment = (name: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: REPLICAS,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'registry.k8s.io/pause:3.10' }] },
    },
  },
});
