import { sendStatus } from '@kcp-vw/shared/answer/send.ts';
import { isMasters } from '@kcp-vw/shared/authn/identity.ts';
import { forbiddenBecause, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import type { ServingTls } from '@kcp-vw/shared/listener/tls.ts';
import type { ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import type { ApiBinderOptions } from './api-binder.ts';
import { authenticate, Tokens, type TokenUser } from './authentication.ts';
import type { CacheServer } from './cache-server.ts';
import { FAULTS_PATH, type FaultActions, FaultInjector, handleFaultsRequest } from './faults.ts';
import type { OtherShards } from './other-shards.ts';
import { ROOT_SHARD } from './refs.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';
import { connectVirtualWorkspaces } from './services-proxy.ts';
import { listenAsShard, type ShardListener } from './shard-listener.ts';
import { handleShardRequest, type Proxied, type ShardContext } from './shard-requests.ts';
import { createShardState, type ShardState } from './shard-state.ts';

/** What distinguishes one shard from another. */
export interface ShardOptions {
  /** The first is `root`. */
  readonly name: string;
  readonly port: number;
  readonly virtualWorkspaceURL: URL;
  /** PEM: the shard's own client certificate, one of masters, and what verifies the virtual workspaces. */
  readonly tls: ApiBinderOptions['tls'];
  readonly tokens: readonly TokenUser[];
}

/** What all shards of a kcp share. */
export interface Surroundings {
  /** The name or address in URLs that lead here, and the address to listen on. */
  readonly host: string;
  readonly bindAddress: string;
  readonly externalURL: string;
  readonly serving: ServingTls;
  readonly cache: CacheServer;
  readonly cacheDelay: number;
  readonly identities: Readonly<Record<string, string>>;
  readonly others: OtherShards;
  readonly serviceAccounts: ServiceAccountTokens;
  /** A shard has begun anew, without what it had: it must be made known again, or make others known. */
  readonly onNewState: (shard: DevShard) => void;
  readonly onError: (error: unknown, what: string) => void;
}

/** Milliseconds that a restarting shard is away. */
const RESTART_PAUSE = 300;

/** One shard, listening. */
export class DevShard {
  readonly name: string;
  readonly baseURL: string;
  readonly #options: ShardOptions;
  readonly #surroundings: Surroundings;
  readonly #tokens: Tokens;
  readonly #injector = new FaultInjector();
  readonly #virtualWorkspaces: ManagedUpstream;
  /** What the front proxy has handed over and is not answered yet. */
  readonly #proxied = new Set<Exchange>();
  #state: ShardState;
  #listener: ShardListener | undefined;

  constructor(options: ShardOptions, surroundings: Surroundings) {
    this.name = options.name;
    this.baseURL = `https://${surroundings.host}:${options.port}`;
    this.#options = options;
    this.#surroundings = surroundings;
    this.#tokens = new Tokens(options.tokens, surroundings.serviceAccounts);
    this.#virtualWorkspaces = connectVirtualWorkspaces(options.virtualWorkspaceURL, options.tls);
    this.#state = this.#newState();
  }

  /** What the shard holds, for its neighbours and for tests in the same process. */
  get state(): ShardState {
    return this.#state;
  }

  get virtualWorkspaceURL(): string {
    return this.#options.virtualWorkspaceURL.origin;
  }

  /** False: it is restarting. */
  get isThere(): boolean {
    return this.#listener !== undefined;
  }

  /** Rejects when the port is taken. */
  async start(): Promise<void> {
    await this.#listen();
    this.#startState();
  }

  async stop(): Promise<void> {
    await this.#state.stop();
    await this.#cutConnections();
    await this.#virtualWorkspaces.close();
  }

  /** A request that the front proxy passes on. */
  async handleProxied(exchange: Exchange, proxied: Proxied): Promise<void> {
    if (!this.isThere) {
      // As Go's reverse proxy answers for a backend that it cannot reach.
      exchange.writeHead(502, ['content-length', '0']);
      exchange.end();
      return;
    }
    this.#proxied.add(exchange);
    exchange.onClose(() => this.#proxied.delete(exchange));
    if (await this.#injector.inject(exchange)) return;
    await handleShardRequest(exchange, this.#context(), proxied);
  }

  #newState(): ShardState {
    const { name: shardName, virtualWorkspaceURL, tls } = this.#options;
    return createShardState({ ...this.#surroundings, shardName, virtualWorkspaceURL, tls, tokens: this.#tokens });
  }

  #startState(): void {
    this.#state.start();
    this.#surroundings.onNewState(this);
  }

  async #listen(): Promise<void> {
    const { bindAddress: host, serving: tls, onError } = this.#surroundings;
    const { port } = this.#options;
    const handler = (exchange: Exchange): Promise<void> => this.#handle(exchange);
    this.#listener = await listenAsShard({
      host,
      port,
      tls,
      handler,
      onError: error => onError(error, `a request to ${this.name}`),
    });
  }

  async #cutConnections(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    for (const exchange of this.#proxied) exchange.abort();
    await listener?.close();
  }

  async #handle(exchange: Exchange): Promise<void> {
    if (exchange.url === FAULTS_PATH || exchange.url.startsWith(`${FAULTS_PATH}/`)) return this.#handleFaults(exchange);
    if (await this.#injector.inject(exchange)) return;
    await handleShardRequest(exchange, this.#context());
  }

  async #handleFaults(exchange: Exchange): Promise<void> {
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
        await this.#cutConnections();
        await this.#listen();
      },
      restart: async keepState => {
        await this.#cutConnections();
        if (!keepState) await this.#state.stop();
        await new Promise(resolve => setTimeout(resolve, RESTART_PAUSE));
        if (!keepState) {
          this.#surroundings.cache.forget(this.name);
          this.#state = this.#newState();
        }
        await this.#listen();
        if (!keepState) this.#startState();
      },
    };
  }

  #context(): ShardContext {
    const { host, cache } = this.#surroundings;
    const { endings } = this.#state;
    return {
      state: this.#state,
      tokens: this.#tokens,
      virtualWorkspaces: this.#virtualWorkspaces,
      serverAddress: `${host}:${this.#options.port}`,
      until: cluster => end => endings.until(cluster, end),
      ...(this.name === ROOT_SHARD && { cache }),
    };
  }
}
