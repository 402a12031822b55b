import { setTimeout as sleep } from 'node:timers/promises';
import type { OpsAddress } from '@kcp-vw/shared/config/flags-service.ts';
import type { Options } from '@kcp-vw/shared/config/options.ts';
import { createHealth } from '@kcp-vw/shared/observe/health.ts';
import type { ProcessHooks } from '@kcp-vw/shared/observe/lifeline.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import { startOps } from '@kcp-vw/shared/observe/ops.ts';
import { reportReadiness } from '@kcp-vw/shared/observe/readiness-report.ts';
import { frontMetrics } from './door/front.ts';
import { shardNames } from './door/shard-of.ts';
import { openRouting } from './routing.ts';
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
  const routing = openRouting({ options, addresses, services, log, metrics, health });
  const front = await startFrontProxy({ options, router: routing.router, log, metrics, health }).catch(async error => {
    // What follows a registry would keep the process from ending.
    await routing.close();
    throw error;
  });
  const opsServer = ops && (await startOps({ address: ops, health, registry: metrics.registry }));
  hooks.listening(front.address);
  const stopReporting = reportReadiness(health, hooks);
  hooks.onTerminate(async () => {
    stopReporting();
    health.setDraining();
    await sleep(options.limits.shutdownDelay);
    routing.drain();
    await front.drain();
    await routing.close();
    await opsServer?.close();
  });
}
