import { loadKubeconfig } from '@kcp-vw/shared/config/kubeconfig.ts';
import { type Options, SERVICES } from '@kcp-vw/shared/config/options.ts';

/**
 * What a service is configured with that belongs to a set with these options. One with credentials of its own gets none of masters, and
 * is told which shard it serves. Rejects when the kubeconfig of the shard cannot be read.
 */
export async function optionsOf(service: string, options: Options): Promise<Options> {
  if (!SERVICES[service]?.ownIdentity) return options;
  const { externalLogicalClusterAdminKubeconfig: _, cacheKubeconfig: __, authenticationKubeconfig: ___, ...rest } = options;
  const { server } = await loadKubeconfig(options.kubeconfig, { context: options.context });
  return { ...rest, kubeconfig: options.syncerKubeconfig ?? '', context: '', shardServer: server.origin };
}
