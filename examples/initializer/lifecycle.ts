import { createInformer } from '@kcp-vw/shared/informer/informer.ts';
import { reconcileObjects } from '@kcp-vw/shared/informer/reconcile.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';

const LOGICAL_CLUSTERS = '/apis/core.kcp.io/v1alpha1/logicalclusters';

interface LogicalCluster extends KubeObject {
  status?: { initializers?: string[]; terminators?: string[] };
}

/** Sends a request into a workspace. Rejects with the server's message when the answer is another than the accepted ones. */
export type Send = <T extends KubeObject>(method: string, path: string, accepted: readonly number[], body?: object) => Promise<T>;

/** What the owner of a type does with a workspace that waits for it. */
export interface Duty {
  /** Where its name stands until it is done. */
  readonly list: 'initializers' | 'terminators';
  /** May be called again for a workspace: the first attempt may have got only half the way. */
  readonly work: (send: Send) => Promise<void>;
  /** How it is told: `is initialized`. */
  readonly done: string;
}

/** Does the duty behind one URL, which is one shard: in every workspace there that waits, and takes the own name from its list then. */
export function startLifecycle(
  url: URL,
  upstream: Upstream,
  { list, work, done }: Duty,
  say: (text: string) => void,
): { stop(): void } {
  // The name of the initializer, or of the terminator, is the last part of the URL.
  const name = decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
  const sendInto =
    (cluster: string): Send =>
    async <T extends KubeObject>(method: string, path: string, accepted: readonly number[], body?: object) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const headers = body ? ['content-type', type] : [];
      const at = `${url.pathname}/clusters/${cluster}${path}`;
      const response = await requestJson<T & { message?: string }>(upstream, { method, path: at, body, headers });
      if (!accepted.includes(response.status)) throw new Error(`${method} ${path}: ${response.status} ${response.body.message}`);
      return response.body;
    };

  async function attend(logicalCluster: LogicalCluster): Promise<void> {
    // Labels, by which the view selects, follow the status a moment later: a workspace that is done may be seen once more.
    if (!logicalCluster.status?.[list]?.includes(name)) return;
    const cluster = clusterOf(logicalCluster);
    const send = sendInto(cluster);
    await work(send);
    const path = `${LOGICAL_CLUSTERS}/cluster`;
    const { metadata, status } = await send<LogicalCluster>('GET', path, [200]);
    const remaining = (status?.[list] ?? []).filter(one => one !== name);
    // With its version, since others take their names from the same list: a conflict is tried again.
    const patch = { metadata: { resourceVersion: metadata?.resourceVersion }, status: { [list]: remaining } };
    await send('PATCH', `${path}/status`, [200], patch);
    say(`workspace ${cluster} ${done}`);
  }

  const waiting = createInformer<LogicalCluster>({
    name: `${list} at ${url.host}`,
    upstream,
    path: `${url.pathname}/clusters/*${LOGICAL_CLUSTERS}`,
    onError: error => say(`${url.host}: ${error.message}`),
  });
  const end = reconcileObjects(waiting, {
    reconcile: attend,
    onError: (error, object) => say(`workspace ${clusterOf(object)}: ${error.message}; trying again`),
  });
  waiting.start();
  return {
    stop() {
      end();
      waiting.stop();
    },
  };
}
