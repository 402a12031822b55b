import { setTimeout as sleep } from 'node:timers/promises';
import { createDrain } from '../answer/drain.ts';
import { createEngine } from '../answer/engine.ts';
import { loadKubeconfig, upstreamFor } from '../config/kubeconfig.ts';
import type { Options } from '../config/options.ts';
import type { Informer } from '../informer/informer.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Health } from '../observe/health.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { ManagedUpstream } from '../upstream/pool.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { createApiDocuments } from './documents.ts';
import { createViewHost, type ViewHost } from './host.ts';
import type { View } from './view.ts';

/** A service of the fleet: its name, and how its views come to be. */
export interface ServiceDefinition {
  /** The folder below `services/`: `initializer-vw`. */
  readonly name: string;
  /** Its credentials are its own, and may be made when others run already: it starts as soon as there are any. */
  readonly awaitsCredentials?: boolean;
  start(context: ServiceContext): Promise<readonly View[]>;
}

/** What a service gets to build its views from. */
export interface ServiceContext {
  readonly options: Options;
  /** The local shard, with the service's own credentials, for what callers ask. */
  readonly shard: Upstream;
  /** The same, for the service's own questions: informers, reviews. Callers cannot use up its connections and streams. */
  readonly control: Upstream;
  /**
   * Another server, by kubeconfig: credentials are re-read as the file changes, connections end with the service. `role` is what it is
   * for: `cache`. Rejects with an Error that names the file when it cannot be used.
   */
  connect(file: string, role: string): Promise<ManagedUpstream>;
  /** Starts an informer, shows it in the metrics, stops it with the service. */
  run<T extends KubeObject>(informer: Informer<T>): Informer<T>;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>;
  readonly metrics: Pick<Metrics, 'accessReview' | 'observeInformer' | 'observeUpstream'>;
  /** Called when the service stops, the last first. */
  onStop(stop: () => void | Promise<void>): void;
}

/** What a process lends to its services: one service in a fleet, all of them in a single process. */
export interface ServiceEnvironment {
  readonly options: Options;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
}

export interface RunningService {
  readonly views: readonly View[];
  readonly host: ViewHost;
  /** The shard, for questions of the service's own. */
  readonly control: Upstream;
  /** Ends long-running answers. */
  drain(): void;
  stop(): Promise<void>;
}

/** Connects, starts the views, and returns as soon as requests can be taken: what is not ready yet says so in `/readyz`. */
export async function startService(definition: ServiceDefinition, environment: ServiceEnvironment): Promise<RunningService> {
  const { options, log, metrics, health } = environment;
  const stops: (() => void | Promise<void>)[] = [];
  const connect = async (file: string, role: string, context = ''): Promise<ManagedUpstream> => {
    const access = await loadKubeconfig(file, { context });
    const upstream = upstreamFor(access, options.limits, role, {
      onError: err => log.warn({ err, file }, 'a kubeconfig has changed and cannot be used; the last good one stays in force'),
    });
    log.info({ role, server: access.server.href }, 'using a server');
    metrics.observeUpstream(role, upstream);
    stops.push(() => upstream.close());
    return upstream;
  };

  if (definition.awaitsCredentials) await untilUsable(options, log);
  const shard = await connect(options.kubeconfig, 'shard', options.context);
  const control = await connect(options.kubeconfig, 'shard control', options.context);
  const drain = createDrain();
  const views = await definition.start({
    options,
    shard,
    control,
    connect,
    run(informer) {
      informer.start();
      metrics.observeInformer(informer.name, () => ({ synced: informer.synced(), relists: informer.status.relists }));
      stops.push(() => informer.stop());
      return informer;
    },
    log,
    metrics,
    onStop: stop => stops.push(stop),
  });
  for (const view of views) {
    for (const [name, check] of Object.entries(view.ready ?? {})) health.addReadiness(name, check);
  }

  const host = createViewHost({
    views,
    engine: createEngine({ shard, drain }),
    documents: createApiDocuments(`${options.bindAddress}:${options.securePort}`),
    onError: (err, record) => log.error({ err, request: record }, 'a request could not be answered'),
  });
  return {
    views,
    host,
    control,
    drain: () => drain.begin(),
    async stop() {
      for (const stop of stops.reverse()) await stop();
    },
  };
}

/** Milliseconds between two looks, and between two words about it. */
const LOOK_AGAIN_MS = 1_000;
const SAY_AGAIN_MS = 60_000;

/** Resolves when there is a kubeconfig that can be used. */
async function untilUsable({ kubeconfig, context }: Options, log: Pick<Logger, 'warn'>): Promise<void> {
  let saidAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    try {
      await loadKubeconfig(kubeconfig, { context });
      return;
    } catch (err) {
      if (performance.now() - saidAt >= SAY_AGAIN_MS) {
        saidAt = performance.now();
        log.warn({ err }, 'waiting for credentials');
      }
      await sleep(LOOK_AGAIN_MS);
    }
  }
}
