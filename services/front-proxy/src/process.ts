import { setTimeout as sleep } from 'node:timers/promises';
import { createDrain } from '@kcp-vw/shared/answer/drain.ts';
import type { OpsAddress } from '@kcp-vw/shared/config/flags-service.ts';
import type { Options } from '@kcp-vw/shared/config/options.ts';
import { createHealth } from '@kcp-vw/shared/observe/health.ts';
import type { ProcessHooks } from '@kcp-vw/shared/observe/lifeline.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import { startOps } from '@kcp-vw/shared/observe/ops.ts';
import { reportReadiness } from '@kcp-vw/shared/observe/readiness-report.ts';
import { openSources } from './addresses/sources.ts';
import { createBackends } from './backends/backends.ts';
import { fleetMetrics } from './backends/fleet-metrics.ts';
import { followReadiness } from './backends/readiness.ts';
import { followSelfTest } from './backends/self-test.ts';
import { loadServiceCredentials } from './backends/service-credentials.ts';
import { frontMetrics } from './door/front.ts';
import { shardNames } from './door/shard-of.ts';
import { createRouter } from './router.ts';
import { startFrontProxy } from './server.ts';

export interface FrontProxyProcessOptions {
  readonly options: Options;
  /** The file that says where the views are; absent: the registry does. */
  readonly addresses?: string | undefined;
  /** The services that have to be ready; absent: those in the file, and none of those that register. */
  readonly services?: readonly string[];
  readonly ops?: OpsAddress | undefined;
  readonly log: Logger;
  readonly hooks: ProcessHooks;
}

/** The front proxy as a process, until the hooks end it. Rejects, with a sentence, when it cannot start. */
export async function runFrontProxy({ options, addresses, services, ops, log, hooks }: FrontProxyProcessOptions): Promise<void> {
  const health = createHealth();
  const metrics = frontMetrics(shardNames(options));
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

  const front = await startFrontProxy({ options, router: createRouter(backends, drain), log, metrics, health }).catch(
    async error => {
      // What follows a registry would keep the process from ending.
      await sources.close();
      throw error;
    },
  );
  const opsServer = ops && (await startOps({ address: ops, health, registry: metrics.registry }));
  hooks.listening(front.address);
  const stopReporting = reportReadiness(health, hooks);
  hooks.onTerminate(async () => {
    stopReporting();
    health.setDraining();
    await sleep(options.limits.shutdownDelay);
    drain.begin();
    await front.drain();
    readiness.stop();
    await sources.close();
    credentials?.close();
    await backends.close();
    await opsServer?.close();
  });
}
