import { setTimeout as sleep } from 'node:timers/promises';
import { createDrain } from '@kcp-vw/shared/answer/drain.ts';
import type { OpsAddress } from '@kcp-vw/shared/config/flags-service.ts';
import type { Options } from '@kcp-vw/shared/config/options.ts';
import { createHealth } from '@kcp-vw/shared/observe/health.ts';
import type { ProcessHooks } from '@kcp-vw/shared/observe/lifeline.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import { startOps } from '@kcp-vw/shared/observe/ops.ts';
import { reportReadiness } from '@kcp-vw/shared/observe/readiness-report.ts';
import { createBackends } from './backends.ts';
import { fileAddresses } from './file-addresses.ts';
import { frontMetrics } from './front.ts';
import { followReadiness } from './readiness.ts';
import { createRouter } from './router.ts';
import { startFrontProxy } from './server.ts';
import { loadServiceCredentials } from './service-credentials.ts';

export interface FrontProxyProcessOptions {
  readonly options: Options;
  /** The file that says where the views are. */
  readonly addresses: string;
  /** The services that have to be ready; absent: those in the file. */
  readonly services?: readonly string[];
  readonly ops?: OpsAddress | undefined;
  readonly log: Logger;
  readonly hooks: ProcessHooks;
}

/** The front proxy as a process, until the hooks end it. Rejects, with a sentence, when it cannot start. */
export async function runFrontProxy({ options, addresses, services, ops, log, hooks }: FrontProxyProcessOptions): Promise<void> {
  const health = createHealth();
  const metrics = frontMetrics();
  const drain = createDrain();

  const credentials = loadServiceCredentials(options.serviceAccess, {
    onError: err =>
      log.error({ err }, 'the files to reach the services with have changed and cannot be used; the last ones stay'),
  });
  const source = fileAddresses({ file: addresses, withUrls: credentials !== undefined }, err =>
    log.warn({ err }, 'the addresses of the services could not be read'),
  );
  const backends = createBackends({
    source,
    credentials,
    limits: options.limits,
    onError: err => log.warn({ err }, 'a connection to a service failed'),
  });
  const readiness = followReadiness(backends, services);
  health.addReadinessOf(() => readiness.checks());

  const front = await startFrontProxy({ options, router: createRouter(backends, drain), log, metrics, health });
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
    source.close();
    credentials?.close();
    await backends.close();
    await opsServer?.close();
  });
}
