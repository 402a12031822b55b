/**
 * A controller as a service team would write it: it owns the WorkspaceType `demo` in `root`, and fills each new workspace of that type
 * with a ConfigMap before the workspace becomes Ready. It knows kcp's address and the URL that kcp publishes in the type's status, no more.
 */
import { parseArgs } from 'node:util';
import { loadKubeconfig } from '@kcp-vw/shared/config/kubeconfig.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import { createInformer } from '@kcp-vw/shared/informer/informer.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { dieWithParent } from '@kcp-vw/shared/observe/lifeline.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import { createUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';

const TYPE = 'demo';
const TYPES = '/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspacetypes';
const LOGICAL_CLUSTERS = '/apis/core.kcp.io/v1alpha1/logicalclusters';
const RETRY_MS = 500;

interface LogicalCluster extends KubeObject {
  status?: { initializers?: string[] };
}

interface WorkspaceType extends KubeObject {
  status?: { virtualWorkspaces?: { url: string; type: string }[] };
}

dieWithParent();
const { values } = parseArgs({ options: { kubeconfig: { type: 'string' } } });
if (values.kubeconfig === undefined) throw new Error('--kubeconfig is required');
const { server, ca = '', cert = '', key = '' } = await loadKubeconfig(values.kubeconfig, { context: 'base' });
const to = (origin: URL): Upstream => createUpstream({ origin, tls: { ca, cert, key }, limits: DEFAULT_LIMITS });
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Sends a request. Throws with the server's message when the answer is another than the accepted ones. */
async function send<T>(
  upstream: Upstream,
  method: string,
  path: string,
  accepted: number[],
  body?: object,
  type = 'application/json',
) {
  const response = await requestJson<T & KubeObject>(upstream, {
    method,
    path,
    body,
    headers: body ? ['content-type', type] : [],
  });
  if (!accepted.includes(response.status)) throw new Error(`${method} ${path}: ${response.status} ${response.body.message}`);
  return response.body;
}

/** The URL of the initializing view, as kcp publishes it. */
async function publishedURL(kcp: Upstream): Promise<URL> {
  const type = {
    apiVersion: 'tenancy.kcp.io/v1alpha1',
    kind: 'WorkspaceType',
    metadata: { name: TYPE },
    spec: { initializer: true },
  };
  await send(kcp, 'POST', TYPES, [201, 409], type);
  for (;;) {
    const { status } = await send<WorkspaceType>(kcp, 'GET', `${TYPES}/${TYPE}`, [200]);
    const url = status?.virtualWorkspaces?.find(({ type }) => type === 'initializing')?.url;
    if (url !== undefined) return new URL(url);
    await new Promise(resolve => setTimeout(resolve, RETRY_MS));
  }
}

const url = await publishedURL(to(server));
const view = to(new URL(url.origin));
const name = decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
say(`initializing workspaces of type ${TYPE} through ${url.href}`);

/** Fills one workspace, and takes the own name from its list when that is done. */
async function initialize(cluster: string): Promise<void> {
  const workspace = `${url.pathname}/clusters/${cluster}`;
  const welcome = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'welcome' }, data: { from: 'the demo controller' } };
  await send(view, 'POST', `${workspace}/api/v1/namespaces`, [201, 409], {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'default' },
  });
  await send(view, 'POST', `${workspace}/api/v1/namespaces/default/configmaps`, [201, 409], welcome);

  const path = `${workspace}${LOGICAL_CLUSTERS}/cluster`;
  const { metadata, status } = await send<LogicalCluster>(view, 'GET', path, [200]);
  const initializers = (status?.initializers ?? []).filter(initializer => initializer !== name);
  const patch = { metadata: { resourceVersion: metadata?.resourceVersion }, status: { initializers } };
  await send(view, 'PATCH', `${path}/status`, [200], patch, 'application/merge-patch+json');
  say(`workspace ${cluster} is initialized`);
}

/** One at a time per workspace, again until it works: a conflict, or the shard's own initializer, may come first. */
const underWay = new Set<string>();
async function reconcile(cluster: string): Promise<void> {
  if (underWay.has(cluster)) return;
  underWay.add(cluster);
  try {
    await initialize(cluster);
  } catch (error) {
    say(`workspace ${cluster}: ${error instanceof Error ? error.message : String(error)}; trying again`);
    setTimeout(() => {
      if (pending.get(cluster, 'cluster') !== undefined) void reconcile(cluster);
    }, RETRY_MS);
  } finally {
    underWay.delete(cluster);
  }
}

const pending = createInformer<LogicalCluster>({
  name: 'logicalclusters',
  upstream: view,
  path: `${url.pathname}/clusters/*${LOGICAL_CLUSTERS}`,
  onError: error => say(`the view: ${error.message}`),
});
pending.onEvent(({ type, object }) => {
  // Labels, by which the view selects, follow the status a moment later: a workspace that is done may be seen once more.
  if (type !== 'DELETED' && object.status?.initializers?.includes(name)) void reconcile(clusterOf(object));
});
pending.start();
