/**
 * A service provider's controller: it offers the API of greetings.yaml, and serves everyone who binds it. It knows its own workspace, by a
 * kubeconfig, and follows the URLs that kcp publishes in the export's APIExportEndpointSlice: one for each shard with consumers, which come
 * and go with these.
 */
import { parseArgs } from 'node:util';
import { loadKubeconfig } from '@kcp-vw/shared/config/kubeconfig.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import { createInformer } from '@kcp-vw/shared/informer/informer.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { createUpstream, type ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import { startGreeter } from './greeter.ts';

interface EndpointSlice extends KubeObject {
  status?: { endpoints?: { url: string }[] };
}

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    context: { type: 'string', default: '' },
    slice: { type: 'string', default: 'greetings' },
  },
});
if (values.kubeconfig === undefined) throw new Error('--kubeconfig is required: how to reach the workspace of the export');
const say = (text: string): void => void process.stdout.write(`${text}\n`);

// The same credentials are good for kcp and for the virtual workspaces.
const { server, ca = '', cert = '', key = '', token } = await loadKubeconfig(values.kubeconfig, { context: values.context });
const connect = (url: URL): ManagedUpstream =>
  createUpstream({
    origin: new URL(url.origin),
    tls: { ca, cert, key },
    limits: DEFAULT_LIMITS,
    ...(token && { authorization: () => token }),
  });

const served = new Map<string, { stop(): void }>();

function serve(url: string): void {
  const upstream = connect(new URL(url));
  const greeter = startGreeter(new URL(url), upstream, say);
  served.set(url, {
    stop() {
      greeter.stop();
      void upstream.close();
    },
  });
  say(`serving ${url}`);
}

function follow(urls: readonly string[]): void {
  for (const url of urls) if (!served.has(url)) serve(url);
  for (const [url, greeter] of served) {
    if (urls.includes(url)) continue;
    greeter.stop();
    served.delete(url);
    say(`no longer serving ${url}`);
  }
}

const workspace = connect(server);
const slices = createInformer<EndpointSlice>({
  name: 'apiexportendpointslices',
  upstream: workspace,
  path: `${server.pathname.replace(/\/$/, '')}/apis/apis.kcp.io/v1alpha1/apiexportendpointslices`,
  onError: error => say(`${server.href}: ${error.message}`),
});
slices.onEvent(({ type, object }) => {
  if (object.metadata?.name !== values.slice) return;
  follow(type === 'DELETED' ? [] : (object.status?.endpoints ?? []).map(({ url }) => url));
});
slices.start();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    slices.stop();
    follow([]);
    void workspace.close();
  });
}
