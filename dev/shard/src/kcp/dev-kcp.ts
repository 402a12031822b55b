import { loadServingTls, type ServingTls } from '@kcp-vw/shared/listener/tls.ts';
import type { StorageRef } from '../store/definition.ts';
import { CacheServer } from './cache-server.ts';
import { DevShard, type ShardOptions, type Surroundings } from './dev-shard.ts';
import { handleFrontProxyRequest, type ShardBehind } from './front-proxy.ts';
import { type Mapping, Mappings, type ProxyTls } from './front-proxy-mappings.ts';
import { ROOT, SECRETS, SERVICE_ACCOUNTS, SHARDS } from './refs.ts';
import { newIdentities, registerShard } from './seed.ts';
import { type Bound, ServiceAccountTokens } from './service-account-tokens.ts';
import { listenAsShard, type ShardListener } from './shard-listener.ts';
import { findCluster } from './workspace-paths.ts';

export interface FrontProxyOptions {
  readonly port: number;
  /** Paths that lead to other servers than the shards; the first that fits counts. */
  readonly mappings: readonly Mapping[];
}

export interface DevKcpOptions extends Pick<Surroundings, 'host' | 'bindAddress' | 'onError'> {
  /** The first is the one that kcp's own objects name. */
  readonly frontProxies: readonly [FrontProxyOptions, ...FrontProxyOptions[]];
  /** How front proxies reach the servers of their mappings. */
  readonly proxyTls: ProxyTls;
  /** Paths of PEM files. */
  readonly files: {
    readonly servingCertificate: string;
    readonly servingKey: string;
    readonly clientAuthority: string;
    readonly requestHeaderAuthority: string;
  };
  /** The root shard first. */
  readonly shards: readonly [ShardOptions, ...ShardOptions[]];
  /** Milliseconds that the cache lags behind the shards; default 20. */
  readonly cacheDelay?: number;
}

const DEFAULT_CACHE_DELAY = 20;

/** Shards with a cache server between them and a front proxy before them, all listening. */
export class DevKcp {
  readonly shards: readonly [DevShard, ...DevShard[]];
  readonly #serving: ServingTls;
  readonly #frontProxies: (ShardListener | Mappings)[] = [];

  private constructor(options: DevKcpOptions) {
    const { host, bindAddress, frontProxies, files, cacheDelay = DEFAULT_CACHE_DELAY, onError } = options;
    this.#serving = loadServingTls(
      {
        certFile: files.servingCertificate,
        keyFile: files.servingKey,
        clientCAFile: files.clientAuthority,
        requestHeaderCAFile: files.requestHeaderAuthority,
      },
      { onError: error => onError(error, 'certificates') },
    );
    const surroundings: Surroundings = {
      host,
      bindAddress,
      externalURL: `https://${host}:${frontProxies[0].port}`,
      serving: this.#serving,
      cache: new CacheServer(),
      cacheDelay,
      // Kept when a shard loses its state: the others would go on with the old ones.
      identities: newIdentities(),
      serviceAccounts: new ServiceAccountTokens(bound => this.#isThere(bound)),
      others: {
        objectsOf: name => this.#shardOf(name).state.objects,
        tellOwner: (cluster, workspace) => {
          for (const { state } of this.shards) state.lookAtWorkspace(cluster, workspace);
        },
      },
      onNewState: shard => this.#register(shard, surroundings.externalURL),
      onError,
    };
    const [root, ...others] = options.shards;
    this.shards = [new DevShard(root, surroundings), ...others.map(one => new DevShard(one, surroundings))];
  }

  /** Rejects when a port is taken or a file cannot be used. */
  static async start(options: DevKcpOptions): Promise<DevKcp> {
    const kcp = new DevKcp(options);
    try {
      for (const shard of kcp.shards) await shard.start();
      for (const frontProxy of options.frontProxies) await kcp.#startFrontProxy(frontProxy, options);
    } catch (error) {
      await kcp.stop();
      throw error;
    }
    return kcp;
  }

  async stop(): Promise<void> {
    for (const frontProxy of this.#frontProxies) await frontProxy.close();
    for (const shard of this.shards) await shard.stop();
    this.#serving.close();
  }

  async #startFrontProxy({ port, mappings }: FrontProxyOptions, { bindAddress: host, proxyTls, onError }: DevKcpOptions) {
    const mapped = new Mappings(mappings, proxyTls);
    this.#frontProxies.push(mapped);
    const listener = await listenAsShard({
      ...{ host, port, tls: this.#serving },
      handler: exchange => handleFrontProxyRequest(exchange, path => this.#find(path), mapped),
      onError: error => onError(error, 'a request to the front proxy'),
    });
    this.#frontProxies.push(listener);
  }

  /** Throws while the shard is away, or when there is none of that name. */
  #shardOf(name: string): DevShard {
    const shard = this.shards.find(one => one.name === name);
    if (shard === undefined || !shard.isThere) throw new Error(`the shard ${name} cannot be reached`);
    return shard;
  }

  /** Of a shard that is away nobody knows: kcp's remember for a while what they have seen. */
  #isThere({ clusterName, namespace, serviceaccount, secret }: Bound): boolean {
    return this.shards.some(({ isThere, state: { objects } }) => {
      if (!isThere) return true;
      const has = (ref: StorageRef, wanted: { readonly name: string; readonly uid: string }): boolean =>
        objects.get(ref, clusterName, wanted.name, namespace)?.metadata?.uid === wanted.uid;
      return has(SERVICE_ACCOUNTS, serviceaccount) && (secret === undefined || has(SECRETS, secret));
    });
  }

  /** The index of the front proxy: over the shards that are known in root. */
  #find(path: string): ShardBehind | undefined {
    const [root] = this.shards;
    const known = this.shards.filter(({ name }) => root.state.objects.get(SHARDS, ROOT, name) !== undefined);
    const found = findCluster(
      known.map(({ state }) => state.objects),
      path,
    );
    const shard = found && known.find(({ state }) => state.objects === found.shard);
    return shard && ((exchange, user) => shard.handleProxied(exchange, { cluster: found.cluster, user }));
  }

  /** A root that has lost its state knows no shard any more. kcp's would have to be restarted then, too. */
  #register(begun: DevShard, externalURL: string): void {
    const [root] = this.shards;
    this.shards.forEach((shard, i) => {
      if (shard !== begun && begun !== root) return;
      const { name, baseURL, virtualWorkspaceURL } = shard;
      registerShard(root.state.objects, name, i, { baseURL, externalURL, virtualWorkspaceURL });
    });
  }
}
