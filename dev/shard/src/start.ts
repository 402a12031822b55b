import { readFileSync } from 'node:fs';
import { DevKcp, type FrontProxyOptions } from './kcp/dev-kcp.ts';
import type { DevShard, ShardOptions } from './kcp/dev-shard.ts';
import type { Mapping } from './kcp/front-proxy-mappings.ts';
import { ROOT_SHARD } from './kcp/refs.ts';
import { writeKubeconfigs } from './kubeconfigs.ts';
import { openTokens, type ShardTokens, tokenUsers } from './tokens.ts';
import { openWorkFolder, type WorkFolder } from './work-folder.ts';

export interface FolderOptions {
  /** Gets certificates and kubeconfigs; made if it is not there, and used again if it is. */
  readonly folder: string;
  /** The name or address that URLs lead to, in kubeconfigs and in objects. */
  readonly host: string;
  /** Further names and addresses that the serving certificates are for. */
  readonly sans?: readonly string[];
  /** Of the shards, the root shard first. */
  readonly shardPorts: readonly [number, ...number[]];
  readonly frontProxyPort: number;
}

export interface StartOptions extends FolderOptions {
  /** The address to listen on; absent: `host`. */
  readonly bindAddress?: string;
  /** The base URLs of the virtual workspaces that serve the shards, in their order. */
  readonly virtualWorkspaceURLs: readonly URL[];
  readonly cacheDelay?: number;
  /** Paths that lead from the front proxy to other servers than the shards. */
  readonly mappings?: readonly Mapping[];
  /** Another front proxy, with mappings of its own. */
  readonly secondFrontProxy?: FrontProxyOptions;
  readonly onError: (error: unknown, what: string) => void;
}

export interface PreparedShard {
  readonly name: string;
  /** Its part of the work folder, with a slash at the end; '' for the root shard's. */
  readonly folder: string;
  readonly port: number;
  readonly url: string;
  readonly tokens: ShardTokens;
}

export interface PreparedFolder {
  readonly folder: WorkFolder;
  readonly frontProxyURL: string;
  readonly shards: readonly [PreparedShard, ...PreparedShard[]];
}

export interface StartedKcp extends PreparedFolder {
  readonly kcp: DevKcp;
  readonly root: DevShard;
}

/** Makes the certificates and the kubeconfigs that lead to shards and front proxy, as far as they are not there. */
export function prepareFolder({ folder: path, host, sans = [], shardPorts, frontProxyPort }: FolderOptions): PreparedFolder {
  const places = shardPorts.map((port, i) => ({
    ...{ port, name: i === 0 ? ROOT_SHARD : `shard-${i}`, folder: i === 0 ? '' : `shard-${i}/` },
    url: `https://${host}:${port}`,
  }));
  const folder = openWorkFolder({ path, hosts: [host, ...sans], shards: places.map(place => place.folder) });
  const frontProxyURL = `https://${host}:${frontProxyPort}`;
  const [root, ...others] = places.map(place => ({ ...place, tokens: openTokens(folder, place.folder) }));
  if (root === undefined) throw new Error('there is no kcp without a shard');
  for (const { folder: shardFolder, url: shardURL, tokens } of [root, ...others]) {
    writeKubeconfigs(folder, { shardFolder, shardURL, frontProxyURL, cacheURL: root.url, tokens });
  }
  return { folder, frontProxyURL, shards: [root, ...others] };
}

/** Prepares the folder and starts shards and front proxy. */
export async function startKcp(options: StartOptions): Promise<StartedKcp> {
  const { host, bindAddress = host, frontProxyPort, virtualWorkspaceURLs, cacheDelay, onError } = options;
  const { mappings = [], secondFrontProxy } = options;
  const prepared = prepareFolder(options);
  const { file } = prepared.folder;
  const text = (name: string): string => readFileSync(file(name), 'utf8');
  const optionsOf = ({ name, folder, port, tokens }: PreparedShard, i: number): ShardOptions => {
    const virtualWorkspaceURL = virtualWorkspaceURLs[i];
    if (virtualWorkspaceURL === undefined) throw new Error(`the shard ${name} has no URL of its virtual workspaces`);
    const tls = {
      ca: text('serving-ca.crt'),
      cert: text(`${folder}shard-client.crt`),
      key: text(`${folder}shard-client.key`),
    };
    return { name, port, virtualWorkspaceURL, tls, tokens: tokenUsers(tokens) };
  };
  const [root, ...others] = prepared.shards;
  const kcp = await DevKcp.start({
    host,
    bindAddress,
    frontProxies: [{ port: frontProxyPort, mappings }, ...(secondFrontProxy === undefined ? [] : [secondFrontProxy])],
    proxyTls: { ca: text('serving-ca.crt'), cert: text('front-proxy.crt'), key: text('front-proxy.key') },
    ...(cacheDelay !== undefined && { cacheDelay }),
    onError,
    files: {
      servingCertificate: file('shard.crt'),
      servingKey: file('shard.key'),
      clientAuthority: file('client-ca.crt'),
      requestHeaderAuthority: file('requestheader-ca.crt'),
    },
    shards: [optionsOf(root, 0), ...others.map((shard, i) => optionsOf(shard, i + 1))],
  });
  return { ...prepared, kcp, root: kcp.shards[0] };
}
