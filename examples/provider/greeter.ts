import { createInformer } from '@kcp-vw/shared/informer/informer.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';

interface Greeting extends KubeObject {
  spec?: { to: string };
  status?: { text?: string };
}

const RETRY_MS = 500;

/**
 * The controller behind one URL, which is one shard: it sees the Greetings of all logical clusters there at once, and writes into each of
 * them. For every Greeting it keeps a ConfigMap with the text, and the text in the status.
 */
export function startGreeter(url: URL, upstream: Upstream, say: (text: string) => void): { stop(): void } {
  const greetings = createInformer<Greeting>({
    name: `greetings at ${url.host}`,
    upstream,
    path: `${url.pathname}/clusters/*/apis/example.dev/v1/greetings`,
    onError: error => say(`${url.host}: ${error.message}`),
  });
  const retries = new Set<NodeJS.Timeout>();
  const underWay = new Set<string>();
  let stopped = false;

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

  /** One at a time per object, with its latest state, again until it works. */
  async function reconcile(cluster: string, name: string, namespace: string): Promise<void> {
    const key = `${cluster} ${namespace}/${name}`;
    if (stopped || underWay.has(key)) return;
    underWay.add(key);
    const before = greetings.get(cluster, name, namespace);
    let again = 0;
    try {
      if (before) await greet(before);
    } catch (error) {
      if (!stopped) say(`${key}: ${error instanceof Error ? error.message : String(error)}; trying again`);
      again = RETRY_MS;
    }
    underWay.delete(key);
    if (again === 0 && greetings.get(cluster, name, namespace) === before) return;
    const timer = setTimeout(() => {
      retries.delete(timer);
      void reconcile(cluster, name, namespace);
    }, again);
    retries.add(timer);
  }

  greetings.onEvent(({ type, object }) => {
    const { name = '', namespace = '' } = object.metadata ?? {};
    if (type !== 'DELETED') void reconcile(clusterOf(object), name, namespace);
  });
  greetings.start();
  return {
    stop() {
      stopped = true;
      greetings.stop();
      for (const timer of retries) clearTimeout(timer);
    },
  };
}
