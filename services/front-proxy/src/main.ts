import { readServiceArguments } from '@kcp-vw/shared/config/flags-service.ts';
import { UsageError } from '@kcp-vw/shared/config/flags-values.ts';
import { FRONT_PROXY } from '@kcp-vw/shared/config/options.ts';
import { childOf } from '@kcp-vw/shared/observe/lifeline.ts';
import { createLogger } from '@kcp-vw/shared/observe/log.ts';
import { runFrontProxy } from './process.ts';

const supervisor = childOf(FRONT_PROXY);

await supervisor.guard(async () => {
  const { options, ops, addresses } = readServiceArguments(process.argv.slice(2));
  if (addresses === undefined) throw new UsageError('--addresses is missing: this program is started by kcp-vw up');
  const log = createLogger({ name: FRONT_PROXY, verbosity: options.verbosity });
  await runFrontProxy({ options, addresses, services: options.services, ops, log, hooks: supervisor });
});
