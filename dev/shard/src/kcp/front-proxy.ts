import { sendStatus, sendText } from '@kcp-vw/shared/answer/send.ts';
import { GROUP_MASTERS, type Identity, isLifecycleGroup } from '@kcp-vw/shared/authn/identity.ts';
import { forbidden, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { requestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import { certifiedUser } from './authentication.ts';
import { LOGICAL_CLUSTER_ADMIN_GROUP } from './bootstrap-policy.ts';
import { clusterTarget } from './cluster-target.ts';
import type { Mappings } from './front-proxy-mappings.ts';

/** Groups that nobody carries through a front proxy. */
const isDropped = (group: string): boolean =>
  group === GROUP_MASTERS || group === LOGICAL_CLUSTER_ADMIN_GROUP || isLifecycleGroup(group);

/** The shard that has the logical cluster of a path. */
export type FindShard = (path: string) => ShardBehind | undefined;

/** A shard, as the front proxy reaches it, asked about that logical cluster. `user` is whom the proxy vouches for. */
export type ShardBehind = (exchange: Exchange, user: Identity | undefined) => Promise<void>;

/**
 * The role of kcp's front proxy: finds the shard and the logical cluster of a path, and takes from certificates what must not reach a
 * shard. Tokens it passes on unread. A path that is mapped goes elsewhere, and only its logical cluster has to exist.
 */
export async function handleFrontProxyRequest(exchange: Exchange, find: FindShard, mappings?: Mappings): Promise<void> {
  try {
    const target = parseTarget(exchange.url);
    const [first] = target.segments;
    if (first !== undefined && ['readyz', 'livez', 'healthz'].includes(first)) return sendText(exchange, 200, 'ok');
    const mapped = mappings?.find(target.segments);
    if (mapped && (isAnybodys(mapped.cluster) || find(mapped.cluster)))
      return await mapped.forward(exchange, proxiedUser(exchange));
    const { cluster } = clusterTarget(target);
    if (cluster === undefined) return sendText(exchange, 404, '404 page not found\n');
    const shard = cluster === '*' ? undefined : find(cluster);
    if (shard === undefined) {
      // kcp looks for the logical cluster before it knows who asks.
      throw forbidden('', requestInfoOf(exchange, target), 'workspace access not permitted');
    }
    await shard(exchange, proxiedUser(exchange));
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    sendStatus(exchange, error);
  }
}

/** What kcp's front proxy does not look for where a path is mapped: the server must refuse it, where it is not for everybody. */
const isAnybodys = (cluster: string | undefined): cluster is '*' | undefined => cluster === undefined || cluster === '*';

/** It reads the whole path, where a shard reads what is below the logical cluster: no resource is ever found in it. */
const requestInfoOf = (exchange: Exchange, target: ReturnType<typeof parseTarget>) => requestInfo(exchange.method, target);

/** Whom the proxy vouches for. The groups are a set there, which is written in order. */
function proxiedUser({ peer }: Exchange): Identity | undefined {
  const user = certifiedUser(peer);
  return user && { ...user, groups: user.groups.filter(group => !isDropped(group)).sort() };
}
