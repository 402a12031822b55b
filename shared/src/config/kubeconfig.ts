import { createUpstream, type ManagedUpstream, type UpstreamCredentials } from '../upstream/pool.ts';
import { type ClusterAccess, loadKubeconfig } from './cluster-access.ts';
import { type FollowAccessOptions, followAccess } from './follow-access.ts';
import type { Limits } from './options.ts';

export { type ClusterAccess, type LoadKubeconfigOptions, loadKubeconfig } from './cluster-access.ts';

export interface ConnectKubeconfigOptions extends FollowAccessOptions {
  /** Empty or absent: the file's current context. */
  readonly context?: string;
  /** What the server is to us, and the upstream's name in messages: `shard`, `cache`. */
  readonly role: string;
  readonly limits: Pick<Limits, 'watchStreams'>;
}

/** `loadKubeconfig` and `upstreamFor` in one: rejects when the file cannot be used now, and follows it from then on. */
export async function connectKubeconfig(file: string, options: ConnectKubeconfigOptions): Promise<ManagedUpstream> {
  const { context = '', role, limits, ...rest } = options;
  return upstreamFor(await loadKubeconfig(file, { context }), limits, role, rest);
}

/**
 * The server of a kubeconfig as an upstream. Certificates and tokens follow their files; streams in flight are not disturbed. A changed
 * server URL is an error, since an upstream is one server: the process has to start anew.
 */
export function upstreamFor(
  access: ClusterAccess,
  limits: Pick<Limits, 'watchStreams'>,
  name: string,
  following: FollowAccessOptions = {},
): ManagedUpstream {
  const upstream = createUpstream({ name, origin: access.server, limits, ...credentialsOf(access) });
  const use = (next: ClusterAccess): void => {
    if (next.server.href !== access.server.href) {
      throw new Error(`kubeconfig ${access.file}: its server changed to ${next.server.href}, which takes effect with a restart`);
    }
    upstream.setCredentials(credentialsOf(next));
  };
  const stop = followAccess(access, use, following);
  return {
    ...upstream,
    async close() {
      stop();
      await upstream.close();
    },
  };
}

function credentialsOf({ ca, cert, key, servername, token }: ClusterAccess): UpstreamCredentials {
  return {
    tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...(servername && { servername }) },
    ...(token && { authorization: () => token }),
  };
}
