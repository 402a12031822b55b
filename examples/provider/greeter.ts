import { createInformer } from '@kcp-vw/shared/informer/informer.ts';
import { reconcileObjects } from '@kcp-vw/shared/informer/reconcile.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';

interface Greeting extends KubeObject {
  spec?: { to: string };
  status?: { text?: string };
}

/**
 * The controller behind one URL, which is one shard: it sees the Greetings of all logical clusters there at once, and writes into each of
 * them. For every Greeting it keeps a ConfigMap with the text, and the text in the status.
 */
export function startGreeter(url: URL, upstream: Upstream, say: (text: string) => void): { stop(): void } {
  async function send(method: string, path: string, accepted: readonly number[], body: object, type: string): Promise<void> {
    const headers = ['content-type', type];
    const response = await requestJson<{ message?: string }>(upstream, { method, path: `${url.pathname}${path}`, headers, body });
    if (!accepted.includes(response.status)) throw new Error(`${method} ${path}: ${response.status} ${response.body.message}`);
  }

  async function greet(greeting: Greeting): Promise<void> {
    const { name = '', namespace = '' } = greeting.metadata ?? {};
    const text = `Hello, ${greeting.spec?.to}!`;
    if (greeting.status?.text === text) return;
    const workspace = `/clusters/${clusterOf(greeting)}`;
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `greeting-${name}`, namespace }, data: { text } };
    const at = `${workspace}/api/v1/namespaces/${namespace}/configmaps/greeting-${name}?fieldManager=greeter&force=true`;
    await send('PATCH', at, [200, 201], configMap, 'application/apply-patch+yaml');
    const status = `${workspace}/apis/example.dev/v1/namespaces/${namespace}/greetings/${name}/status`;
    await send('PATCH', status, [200], { status: { text } }, 'application/merge-patch+json');
    say(`${clusterOf(greeting)}: ${namespace}/${name} says ${JSON.stringify(text)}`);
  }

  const greetings = createInformer<Greeting>({
    name: `greetings at ${url.host}`,
    upstream,
    path: `${url.pathname}/clusters/*/apis/example.dev/v1/greetings`,
    onError: error => say(`${url.host}: ${error.message}`),
  });
  const end = reconcileObjects(greetings, {
    reconcile: greet,
    onError: (error, { metadata }) => say(`${metadata?.namespace}/${metadata?.name}: ${error.message}; trying again`),
  });
  greetings.start();
  return {
    stop() {
      end();
      greetings.stop();
    },
  };
}
