import { isDeepStrictEqual } from 'node:util';
import { createUpstream, type ManagedUpstream, type UpstreamCredentials } from '../upstream/pool.ts';
import { type ClusterAccess, loadKubeconfig } from './cluster-access.ts';
import { type FileWatch, watchFiles } from './files.ts';
import type { Limits } from './options.ts';

export { type ClusterAccess, type LoadKubeconfigOptions, loadKubeconfig } from './cluster-access.ts';

export interface UpstreamForOptions {
  /** Told when changed files cannot be used; the credentials in use stay. Default: a process warning. */
  readonly onError?: (error: Error) => void;
  /** Milliseconds between two looks at the files. */
  readonly intervalMs?: number;
}

export interface ConnectKubeconfigOptions extends UpstreamForOptions {
  /** Empty or absent: the file's current context. */
  readonly context?: string;
  /** What the server is to us, and the upstream's name in messages: `shard`, `cache`. */
  readonly role: string;
  readonly limits: Pick<Limits, 'watchStreams'>;
}

/** Before an exec plugin's credentials expire they are asked for again. */
const RENEW_BEFORE_MS = 60_000;
/** After a failed renewal, and never more often. */
const RENEW_PAUSE_MS = 10_000;
/** `setTimeout` runs at once when asked to wait longer. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

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
  { onError = error => process.emitWarning(error), intervalMs = 10_000 }: UpstreamForOptions = {},
): ManagedUpstream {
  let current = access;
  let files: FileWatch;
  let renewal: NodeJS.Timeout | undefined;
  let closed = false;
  const upstream = createUpstream({ name, origin: access.server, limits, ...credentialsOf(access) });

  const reload = async (): Promise<void> => {
    const next = await loadKubeconfig(current.file, { context: current.context });
    if (closed) return;
    if (next.server.href !== current.server.href) {
      throw new Error(`kubeconfig ${current.file}: its server changed to ${next.server.href}, which takes effect with a restart`);
    }
    upstream.setCredentials(credentialsOf(next));
    const sameFiles = isDeepStrictEqual(next.files, current.files);
    current = next;
    if (!sameFiles) {
      files.close();
      files = watch();
    }
    planRenewal();
  };
  const watch = (): FileWatch => watchFiles(current.files, reload, { intervalMs, onError });
  const planRenewal = (): void => {
    clearTimeout(renewal);
    if (current.expires === undefined) return;
    const wait = Math.max(current.expires - RENEW_BEFORE_MS - Date.now(), RENEW_PAUSE_MS);
    renewal = setTimeout(renew, Math.min(wait, LONGEST_TIMEOUT_MS));
    renewal.unref();
  };
  const renew = (): void => {
    reload().catch(error => {
      onError(error);
      if (!closed) planRenewal();
    });
  };

  files = watch();
  planRenewal();
  return {
    ...upstream,
    async close() {
      closed = true;
      files.close();
      clearTimeout(renewal);
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
