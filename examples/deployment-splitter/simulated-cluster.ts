import { isDeepStrictEqual } from 'node:util';
import { createClient, isRefused, MERGE_PATCH } from '@kcp-vw/example-syncer/client.ts';
import { createInformer } from '@kcp-vw/shared/informer/informer.ts';
import { reconcileObjects } from '@kcp-vw/shared/informer/reconcile.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';

interface Deployment extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: Readonly<Record<string, unknown>>;
}

/** In the place of a cluster's controllers and nodes: all pods of every Deployment are there as soon as they are asked for. */
export function simulateCluster(upstream: Upstream, base: string, say: (text: string) => void): { stop(): void } {
  const client = createClient(upstream, base);
  const deployments = createInformer<Deployment>({
    name: `deployments of ${base}`,
    upstream,
    path: `${base}/apis/apps/v1/deployments`,
    onError: error => say(error.message),
  });

  async function report(deployment: Deployment): Promise<void> {
    const status = statusOf(deployment);
    if (isDeepStrictEqual(deployment.status, status)) return;
    const { namespace, name, resourceVersion } = deployment.metadata ?? {};
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}/status`;
    try {
      await client.send('PATCH', path, { metadata: { resourceVersion }, status }, MERGE_PATCH);
    } catch (error) {
      // It is gone.
      if (!isRefused(error, 404)) throw error;
    }
  }

  const end = reconcileObjects(deployments, {
    reconcile: report,
    onError: (error, { metadata }) => say(`status of ${metadata?.name}: ${error.message}; trying again`),
  });
  deployments.start();
  return {
    stop() {
      end();
      deployments.stop();
    },
  };
}

function statusOf({ metadata, spec: { replicas = 1 } = {} }: Deployment): Readonly<Record<string, unknown>> {
  return {
    observedGeneration: metadata?.generation,
    ...{ replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas },
    conditions: [{ type: 'Available', status: 'True' }],
  };
}
