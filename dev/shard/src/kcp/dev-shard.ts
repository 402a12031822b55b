import { sendStatus } from '@kcp-vw/shared/answer/send.ts';
import { isMasters } from '@kcp-vw/shared/authn/identity.ts';
import { forbiddenBecause, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { Exchange, Handler } from '@kcp-vw/shared/listener/exchange.ts';
import { loadServingTls, type ServingTls } from '@kcp-vw/shared/listener/tls.ts';
import type { ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import { authenticate, Tokens, type TokenUser } from './authentication.ts';
import { FAULTS_PATH, type FaultActions, FaultInjector, handleFaultsRequest } from './faults.ts';
import { handleFrontProxyRequest } from './front-proxy.ts';
import { connectVirtualWorkspaces } from './services-proxy.ts';
import { listenAsShard, type ShardListener } from './shard-listener.ts';
import { handleShardRequest, type ShardContext } from './shard-requests.ts';
import { createShardState, type ShardState } from './shard-state.ts';

export interface DevShardOptions {
  readonly shardName?: string;
  /** Loopback address; ports of the shard and of the front proxy. */
  readonly host: string;
  readonly shardPort: number;
  readonly frontProxyPort: number;
  readonly virtualWorkspaceURL: URL;
  /** Paths of PEM files. */
  readonly files: {
    readonly servingCertificate: string;
    readonly servingKey: string;
    readonly clientAuthority: string;
    readonly requestHeaderAuthority: string;
  };
  /** PEM: the shard's own client certificate, one of masters, and what verifies the virtual workspaces. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly tokens: readonly TokenUser[];
  readonly onError: (error: unknown, what: string) => void;
}

/** Milliseconds that a restarting shard is away. */
const RESTART_PAUSE = 300;

/** A shard with its front proxy, listening. */
export class DevShard {
  readonly #options: DevShardOptions;
  readonly #tokens: Tokens;
  readonly #serving: ServingTls;
  readonly #injector = new FaultInjector();
  readonly #virtualWorkspaces: ManagedUpstream;
  #state: ShardState;
  #listeners: readonly ShardListener[] = [];

  private constructor(options: DevShardOptions) {
    this.#options = options;
    this.#tokens = new Tokens(options.tokens);
    const { files, tls, virtualWorkspaceURL, onError } = options;
    this.#serving = loadServingTls(
      {
        certFile: files.servingCertificate,
        keyFile: files.servingKey,
        clientCAFile: files.clientAuthority,
        requestHeaderCAFile: files.requestHeaderAuthority,
      },
      { onError: error => onError(error, 'certificates') },
    );
    this.#virtualWorkspaces = connectVirtualWorkspaces(virtualWorkspaceURL, tls);
    this.#state = this.#newState();
  }

  /** Rejects when a port is taken or a file cannot be used. */
  static async start(options: DevShardOptions): Promise<DevShard> {
    const shard = new DevShard(options);
    await shard.#listen();
    shard.#state.start();
    return shard;
  }

  /** What the shard holds, for tests in the same process. */
  get state(): ShardState {
    return this.#state;
  }

  async stop(): Promise<void> {
    await this.#state.stop();
    await this.#closeListeners();
    await this.#virtualWorkspaces.close();
    this.#serving.close();
  }

  #newState(): ShardState {
    const { shardName = 'root', host, shardPort, frontProxyPort, virtualWorkspaceURL, tls, onError } = this.#options;
    return createShardState({
      shardName,
      baseURL: `https://${host}:${shardPort}`,
      externalURL: `https://${host}:${frontProxyPort}`,
      virtualWorkspaceURL,
      tokens: this.#tokens,
      tls,
      onError,
    });
  }

  async #listen(): Promise<void> {
    const { host, shardPort, frontProxyPort, onError } = this.#options;
    const listen = (port: number, handler: Handler): Promise<ShardListener> =>
      listenAsShard({ host, port, tls: this.#serving, handler, onError: error => onError(error, `a request to port ${port}`) });
    this.#listeners = [
      await listen(shardPort, exchange => this.#atShard(exchange)),
      await listen(frontProxyPort, exchange => this.#atFrontProxy(exchange)),
    ];
  }

  async #closeListeners(): Promise<void> {
    await Promise.all(this.#listeners.map(listener => listener.close()));
    this.#listeners = [];
  }

  async #atShard(exchange: Exchange): Promise<void> {
    if (exchange.url === FAULTS_PATH || exchange.url.startsWith(`${FAULTS_PATH}/`)) return this.#atFaults(exchange);
    if (await this.#injector.inject(exchange)) return;
    await handleShardRequest(exchange, this.#context());
  }

  async #atFrontProxy(exchange: Exchange): Promise<void> {
    if (await this.#injector.inject(exchange)) return;
    await handleFrontProxyRequest(exchange, this.#state.objects, (one, user) => handleShardRequest(one, this.#context(), user));
  }

  async #atFaults(exchange: Exchange): Promise<void> {
    try {
      const caller = authenticate(exchange.headers, exchange.peer, this.#tokens);
      if (!isMasters(caller)) throw forbiddenBecause(`forbidden: User "${caller.name}" may not make faults`);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      sendStatus(exchange, error);
      return;
    }
    await handleFaultsRequest(exchange, this.#injector, this.#actions());
  }

  #actions(): FaultActions {
    return {
      compact: () => this.#state.store.compact(),
      disconnect: async () => {
        await this.#closeListeners();
        await this.#listen();
      },
      restart: async keepState => {
        await this.#closeListeners();
        if (!keepState) await this.#state.stop();
        await new Promise(resolve => setTimeout(resolve, RESTART_PAUSE));
        if (!keepState) {
          this.#state = this.#newState();
          this.#state.start();
        }
        await this.#listen();
      },
    };
  }

  #context(): ShardContext {
    const { host, shardPort } = this.#options;
    const { endings } = this.#state;
    return {
      state: this.#state,
      tokens: this.#tokens,
      virtualWorkspaces: this.#virtualWorkspaces,
      serverAddress: `${host}:${shardPort}`,
      until: cluster => end => endings.until(cluster, end),
    };
  }
}
