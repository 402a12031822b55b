import { createDrain } from '@kcp-vw/shared/answer/drain.ts';
import type { Options } from '@kcp-vw/shared/config/options.ts';
import type { Health } from '@kcp-vw/shared/observe/health.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Metrics } from '@kcp-vw/shared/observe/metrics.ts';
import { openSources } from './addresses/sources.ts';
import { createBackends } from './backends/backends.ts';
import { fleetMetrics } from './backends/fleet-metrics.ts';
import { followReadiness } from './backends/readiness.ts';
import { followSelfTest } from './backends/self-test.ts';
import { loadServiceCredentials } from './backends/service-credentials.ts';
import { createRouter, type Router } from './router.ts';

export interface RoutingOptions {
  readonly options: Options;
  /** The file that says where the views are; absent: the registry does. */
  readonly addresses?: string | undefined;
  /** The services that have to be ready; absent: those in the file, and none of those that register. */
  readonly services?: readonly string[] | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
}

/** The way to services in other processes, wherever they are. */
export interface Routing {
  readonly router: Router;
  /** Ends what lasts. */
  drain(): void;
  close(): Promise<void>;
}

/** Finds services as the options say, and keeps connections to them. Throws when a file cannot be used. */
export function openRouting({ options, addresses, services, log, metrics, health }: RoutingOptions): Routing {
  const drain = createDrain();
  const credentials = loadServiceCredentials(options.serviceAccess, {
    onError: err =>
      log.error({ err }, 'the files to reach the services with have changed and cannot be used; the last ones stay'),
  });
  const sources = openSources({ options, addresses, credentials, log });
  const backends = createBackends({
    source: sources.source,
    credentials,
    limits: options.limits,
    onError: err => log.warn({ err }, 'a connection to a service failed'),
    test: (upstream, onResult) => followSelfTest(upstream, { log, onResult }),
  });
  const readiness = followReadiness(backends, () => services ?? sources.required());
  health.addReadinessOf(() => readiness.checks());
  const { registry } = sources;
  if (registry) health.addReadiness('registry', () => registry.check());
  fleetMetrics({ register: metrics.registry, source: sources.source, backends, registered: registry?.registered });
  return {
    router: createRouter(backends, drain),
    drain: () => drain.begin(),
    async close() {
      readiness.stop();
      await sources.close();
      credentials?.close();
      await backends.close();
    },
  };
}
