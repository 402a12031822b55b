import { setTimeout as sleep } from 'node:timers/promises';
import { createDrain } from '@kcp-vw/shared/answer/drain.ts';
import { readServiceArguments } from '@kcp-vw/shared/config/flags-service.ts';
import { UsageError } from '@kcp-vw/shared/config/flags-values.ts';
import { FRONT_PROXY } from '@kcp-vw/shared/config/options.ts';
import { createHealth } from '@kcp-vw/shared/observe/health.ts';
import { childOf } from '@kcp-vw/shared/observe/lifeline.ts';
import { createLogger } from '@kcp-vw/shared/observe/log.ts';
import { startOps } from '@kcp-vw/shared/observe/ops.ts';
import { reportReadiness } from '@kcp-vw/shared/observe/readiness-report.ts';
import { createBackends } from './backends.ts';
import { fileAddresses } from './file-addresses.ts';
import { frontMetrics } from './front.ts';
import { followReadiness } from './readiness.ts';
import { createRouter } from './router.ts';
import { startFrontProxy } from './server.ts';

const supervisor = childOf(FRONT_PROXY);

await supervisor.guard(async () => {
  const { options, ops, addresses } = readServiceArguments(process.argv.slice(2));
  if (addresses === undefined) throw new UsageError('--addresses is missing: this program is started by kcp-vw up');
  const log = createLogger({ name: FRONT_PROXY, verbosity: options.verbosity });
  const health = createHealth();
  const metrics = frontMetrics();
  const drain = createDrain();

  const source = fileAddresses(addresses, err => log.warn({ err }, 'the addresses of the services could not be read'));
  const backends = createBackends(source, options.limits, err => log.warn({ err }, 'a connection to a service failed'));
  const readiness = followReadiness(options.services, backends);
  health.addReadinessOf(() => readiness.checks());

  const front = await startFrontProxy({ options, router: createRouter(backends, drain), log, metrics, health });
  const opsServer = ops && (await startOps({ address: ops, health, registry: metrics.registry }));
  supervisor.listening(front.address);
  const stopReporting = reportReadiness(health, supervisor);
  supervisor.onTerminate(async () => {
    stopReporting();
    health.setDraining();
    await sleep(options.limits.shutdownDelay);
    drain.begin();
    await front.drain();
    readiness.stop();
    source.close();
    await backends.close();
    await opsServer?.close();
  });
});
