import { setTimeout as sleep } from 'node:timers/promises';
import { frontMetrics } from '@kcp-vw/front-proxy/door/front.ts';
import { shardNames } from '@kcp-vw/front-proxy/door/shard-of.ts';
import type { Router } from '@kcp-vw/front-proxy/router.ts';
import { openRouting } from '@kcp-vw/front-proxy/routing.ts';
import { startFrontProxy } from '@kcp-vw/front-proxy/server.ts';
import { opsAddressOf } from '@kcp-vw/shared/config/flags-service.ts';
import { FRONT_PROXY, type Options, SERVICES } from '@kcp-vw/shared/config/options.ts';
import { createHealth, type Health } from '@kcp-vw/shared/observe/health.ts';
import type { ProcessHooks } from '@kcp-vw/shared/observe/lifeline.ts';
import { createLogger } from '@kcp-vw/shared/observe/log.ts';
import { startOps } from '@kcp-vw/shared/observe/ops.ts';
import { reportReadiness } from '@kcp-vw/shared/observe/readiness-report.ts';
import { startService } from '@kcp-vw/shared/view/service.ts';
import { type LocalService, localRouter } from './local-router.ts';
import { optionsOf } from './own-identity.ts';
import { definitionOf } from './services.ts';
import { shardSetsOf } from './shards.ts';

/** `--topology=single`: the front proxy and every service, once for each shard that it is of, in this process, without the hop between them. */
export async function runSingle(options: Options, hooks: ProcessHooks): Promise<void> {
  const log = createLogger({ name: FRONT_PROXY, verbosity: options.verbosity });
  const health = createHealth();
  const metrics = frontMetrics(shardNames(options));

  const services: LocalService[] = [];
  const coming: string[] = [];
  for (const { shard, options: own, suffix } of shardSetsOf(options)) {
    const environment = { metrics, health: suffixed(health, suffix) };
    for (const name of own.services) {
      const definition = await definitionOf(name);
      const configured = { ...environment, options: await optionsOf(name, own), log: log.child({ service: `${name}${suffix}` }) };
      const starting = startService(definition, configured).then(service => {
        services.push({ ...(shard !== undefined && { shard }), service });
      });
      if (!definition.awaitsCredentials) await starting;
      else {
        coming.push(...(SERVICES[name]?.views ?? []));
        starting.catch((err: unknown) => {
          log.fatal({ err, service: name }, 'a service cannot start');
          process.exit(1);
        });
      }
    }
  }
  // Views of others: what is in this process is served here.
  const elsewhere =
    options.registration.kubeconfig === undefined ? undefined : openRouting({ options, services: [], log, metrics, health });
  const router = elsewhere ? firstOf(localRouter(services, coming), elsewhere.router) : localRouter(services, coming);
  const front = await startFrontProxy({ options, router, log, metrics, health });
  const opsAddress = opsAddressOf(options);
  const ops = opsAddress && (await startOps({ address: opsAddress, health, registry: metrics.registry }));
  const views = [...services.flatMap(({ service }) => service.views.map(view => view.name)), ...coming];
  hooks.listening(front.address, [...new Set(views)]);
  const stopReporting = reportReadiness(health, hooks);
  hooks.onTerminate(async () => {
    stopReporting();
    health.setDraining();
    await sleep(options.limits.shutdownDelay);
    for (const { service } of services) service.drain();
    elsewhere?.drain();
    await front.drain();
    await elsewhere?.close();
    for (const { service } of services) await service.stop();
    await ops?.close();
  });
}

/** The second one has what the first does not know. */
const firstOf =
  (first: Router, second: Router): Router =>
  async (...request) => {
    const routed = await first(...request);
    return routed === 'done' ? routed : second(...request);
  };

/** The checks of one shard's services beside those of the others, which have the same names. */
const suffixed = (health: Health, suffix: string): Health => ({
  ...health,
  addReadiness: (name, check) => health.addReadiness(`${name}${suffix}`, check),
  addLiveness: (name, check) => health.addLiveness(`${name}${suffix}`, check),
});
