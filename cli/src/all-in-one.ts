import { setTimeout as sleep } from 'node:timers/promises';
import { frontMetrics } from '@kcp-vw/front-proxy/front.ts';
import type { Router } from '@kcp-vw/front-proxy/router.ts';
import { startFrontProxy } from '@kcp-vw/front-proxy/server.ts';
import { opsAddressOf } from '@kcp-vw/shared/config/flags-service.ts';
import { FRONT_PROXY, type Options } from '@kcp-vw/shared/config/options.ts';
import { createHealth } from '@kcp-vw/shared/observe/health.ts';
import type { ProcessHooks } from '@kcp-vw/shared/observe/lifeline.ts';
import { createLogger } from '@kcp-vw/shared/observe/log.ts';
import { startOps } from '@kcp-vw/shared/observe/ops.ts';
import { reportReadiness } from '@kcp-vw/shared/observe/readiness-report.ts';
import { type RunningService, startService } from '@kcp-vw/shared/view/service.ts';
import { definitionOf } from './services.ts';

/** `--topology=single`: the front proxy and every service in this process, without the hop between them. */
export async function runSingle(options: Options, hooks: ProcessHooks): Promise<void> {
  const log = createLogger({ name: FRONT_PROXY, verbosity: options.verbosity });
  const health = createHealth();
  const metrics = frontMetrics();

  const services: RunningService[] = [];
  for (const name of options.services) {
    const definition = await definitionOf(name);
    services.push(await startService(definition, { options, log: log.child({ service: name }), metrics, health }));
  }
  const front = await startFrontProxy({ options, router: localRouter(services), log, metrics, health });
  const opsAddress = opsAddressOf(options);
  const ops = opsAddress && (await startOps({ address: opsAddress, health, registry: metrics.registry }));
  hooks.listening(
    front.address,
    services.flatMap(({ views }) => views.map(view => view.name)),
  );
  const stopReporting = reportReadiness(health, hooks);
  hooks.onTerminate(async () => {
    stopReporting();
    health.setDraining();
    await sleep(options.limits.shutdownDelay);
    for (const service of services) service.drain();
    await front.drain();
    for (const service of services) await service.stop();
    await ops?.close();
  });
}

function localRouter(services: readonly RunningService[]): Router {
  const hosts = new Map(services.flatMap(({ views, host }) => views.map(view => [view.name, host] as const)));
  return async (exchange, caller, target, record) => {
    const host = hosts.get(target.segments[1] ?? '');
    if (host === undefined) return 'unknown';
    await host(exchange, caller, target, record);
    return 'done';
  };
}
