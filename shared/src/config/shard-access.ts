/** The credentials of one shard, shown to the other shards: they know each other's certificates. */
import type { TlsMaterial } from '../upstream/endpoint.ts';
import type { ClusterAccess } from './cluster-access.ts';

/**
 * `access`, when it has a client certificate. A token would be told to servers that it is not for, and they would not know it. `otherwise` is
 * the end of the sentence that is thrown: what the certificate is needed for, and the way out.
 */
export function withCertificate(access: ClusterAccess, otherwise: string): ClusterAccess {
  if (access.cert && access.key) return access;
  throw new Error(`kubeconfig ${access.file} has no client certificate, ${otherwise}`);
}

/** For a shard at `server`. Its certificate is judged by the authority of the kubeconfig, or anybody who can write to the cache could stand in for it. */
export function shardTls({ ca, cert, key, server, servername }: ClusterAccess, at: URL): TlsMaterial {
  // The name in a kubeconfig is that of its own server.
  const isItself = server.origin === at.origin;
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...(isItself && servername && { servername }) };
}
