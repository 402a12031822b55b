import type { ClusterAccess } from '../config/cluster-access.ts';
import { DEFAULT_LIMITS } from '../config/options.ts';
import type { KubeObject } from '../kube/objects.ts';
import { createUpstream, type ManagedUpstream } from '../upstream/pool.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { createInformer } from './informer.ts';

/** An APIExportEndpointSlice: a URL for each shard on which somebody has bound the export. */
export interface EndpointSlice extends KubeObject {
  readonly status?: { readonly endpoints?: readonly { readonly url: string }[] };
}

export const ENDPOINT_SLICES_PATH = '/apis/apis.kcp.io/v1alpha1/apiexportendpointslices';
export const urlsOfSlice = ({ status }: EndpointSlice): readonly string[] => (status?.endpoints ?? []).map(({ url }) => url);

/** A WorkspaceType: for each shard, where the workspaces are that wait for its initializer, and for its terminator. */
export interface WorkspaceType extends KubeObject {
  readonly status?: { readonly virtualWorkspaces?: readonly { readonly url: string; readonly type: string }[] };
}

export const WORKSPACE_TYPES_PATH = '/apis/tenancy.kcp.io/v1alpha1/workspacetypes';
export const urlsOfType =
  (lifecycle: 'initializing' | 'terminating') =>
  ({ status }: WorkspaceType): readonly string[] =>
    (status?.virtualWorkspaces ?? []).filter(({ type }) => type === lifecycle).map(({ url }) => url);

export interface FollowUrlsOptions<T extends KubeObject> {
  /** The workspace that has the object. The same credentials are good behind the URLs. */
  readonly access: ClusterAccess;
  /** Of the collection, below the workspace: `ENDPOINT_SLICES_PATH`. */
  readonly path: string;
  /** Of the object. */
  readonly name: string;
  /** What its status publishes; pure. */
  readonly urlsOf: (object: T) => readonly string[];
  /** Told every state of the object, before its URLs are followed; undefined: it is deleted. Must not throw. */
  readonly onObject?: (object: T | undefined) => void;
  /** Begins the work behind a URL; `upstream` is connected to its server, and closed after `stop`. */
  readonly serve: (url: URL, upstream: Upstream) => { stop(): void };
  /** Told in a sentence what begins, ends and fails. */
  readonly say: (text: string) => void;
  /** Default: with the certificate or the token of `access`. */
  readonly connect?: (url: URL) => ManagedUpstream;
}

/**
 * Follows the URLs that kcp publishes in the status of an object: work begins behind each as it comes and ends as it goes. Shards come and
 * go, and endpoint slices name only those with consumers, so whoever reads the URLs once misses workspaces later.
 */
export function followUrls<T extends KubeObject>(options: FollowUrlsOptions<T>): { stop(): Promise<void> } {
  const { access, path, name, urlsOf, onObject, serve, say, connect = connectWith(access) } = options;
  const served = new Map<string, () => Promise<void>>();

  function begin(text: string): void {
    const url = new URL(text);
    const upstream = connect(url);
    const work = serve(url, upstream);
    served.set(text, () => {
      work.stop();
      return upstream.close();
    });
    say(`serving ${text}`);
  }

  async function end(text: string, stop: () => Promise<void>): Promise<void> {
    served.delete(text);
    say(`no longer serving ${text}`);
    try {
      await stop();
    } catch (error) {
      say(`${text}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async function follow(urls: readonly string[]): Promise<void> {
    for (const url of urls) if (!served.has(url)) begin(url);
    await Promise.all([...served].filter(([url]) => !urls.includes(url)).map(([url, stop]) => end(url, stop)));
  }

  const workspace = connect(access.server);
  const informer = createInformer<T>({
    name: `${path.slice(path.lastIndexOf('/') + 1)} at ${access.server.host}`,
    upstream: workspace,
    path: access.server.pathname.replace(/\/$/, '') + path,
    fieldSelector: `metadata.name=${name}`,
    onError: error => say(`${access.server.href}: ${error.message}`),
  });
  informer.onEvent(({ type, object }) => {
    if (object.metadata?.name !== name) return;
    const present = type === 'DELETED' ? undefined : object;
    onObject?.(present);
    void follow(present ? urlsOf(present) : []);
  });
  informer.start();
  return {
    async stop() {
      informer.stop();
      await follow([]);
      await workspace.close();
    },
  };
}

/** Connections to servers that believe the same credentials. */
export const connectWith =
  ({ ca, cert, key, token }: ClusterAccess): ((url: URL) => ManagedUpstream) =>
  url =>
    createUpstream({
      origin: new URL(url.origin),
      tls: { ca: ca ?? '', cert: cert ?? '', key: key ?? '' },
      limits: DEFAULT_LIMITS,
      ...(token && { authorization: () => token }),
    });
