import { readServiceArguments, type ServiceArguments } from '@kcp-vw/shared/config/flags-service.ts';
import { FRONT_PROXY, SERVICES } from '@kcp-vw/shared/config/options.ts';
import { createDrain } from '@kcp-vw/shared/answer/drain.ts';
import { createHealth } from '@kcp-vw/shared/observe/health.ts';
import { childOf } from '@kcp-vw/shared/observe/lifeline.ts';
import { createLogger } from '@kcp-vw/shared/observe/log.ts';
import { createMetrics } from '@kcp-vw/shared/observe/metrics.ts';
import { startOps } from '@kcp-vw/shared/observe/ops.ts';
import { createBackends } from './backends.ts';
import { fileAddresses } from './file-addresses.ts';
import { followReadiness } from './readiness.ts';
import { createRouter } from './router.ts';
import { startFrontProxy } from './server.ts';

const supervisor = childOf(FRONT_PROXY);

await supervisor.guard(async () => {
  const { options, ops, addresses } = requireAddresses(readServiceArguments(process.argv.slice(2)));
  const log = createLogger({ name: FRONT_PROXY, verbosity: options.verbosity });
  const health = createHealth();
  const metrics = createMetrics({ views: Object.values(SERVICES).flatMap(({ views }) => views) });
  const drain = createDrain();

  const source = fileAddresses(addresses, err => log.warn({ err }, 'the addresses of the services could not be read'));
  const backends = createBackends(source, options.limits, err => log.warn({ err }, 'a connection to a service failed'));
  const readiness = followReadiness(options.services, backends);
  for (const service of options.services) health.addReadiness(service, () => readiness.missing(service));

  const router = createRouter(backends, drain);
  const front = await startFrontProxy({ options, router, log, metrics, health });
  const opsServer = ops && (await startOps({ address: ops, health, registry: metrics.registry }));
  log.info({ address: front.listener.address() }, 'serving');
  supervisor.listening();
  supervisor.onTerminate(async () => {
    health.setDraining();
    drain.begin();
    await front.listener.drain();
    await front.stop();
    readiness.stop();
    source.close();
    await backends.close();
    await opsServer?.close();
  });
});

function requireAddresses(args: ServiceArguments): ServiceArguments & { readonly addresses: string } {
  if (args.addresses === undefined) throw new Error('--addresses is missing: this program is started by kcp-vw up');
  return { ...args, addresses: args.addresses };
}
