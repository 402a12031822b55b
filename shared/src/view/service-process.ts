import { trustEveryone } from '../authn/front-proxy-peer.ts';
import { readServiceArguments } from '../config/flags-service.ts';
import { UsageError } from '../config/flags-values.ts';
import { childOf } from '../observe/lifeline.ts';
import { createLogger } from '../observe/log.ts';
import type { ServiceDefinition } from './service.ts';
import { serveViews } from './service-server.ts';

/** The whole life of a service's process: started by the supervisor, reached by the front proxy over a Unix socket. */
export async function runServiceProcess(definition: ServiceDefinition): Promise<void> {
  const supervisor = childOf(definition.name);
  await supervisor.guard(async () => {
    const { options, socket, ops } = readServiceArguments(process.argv.slice(2));
    if (socket === undefined) throw new UsageError('--socket is missing: this program is started by kcp-vw up');
    await serveViews(definition, {
      options,
      log: createLogger({
        name: options.shard === undefined ? definition.name : `${definition.name}@${options.shard}`,
        verbosity: options.verbosity,
      }),
      address: { socketPath: socket },
      distrustOf: trustEveryone,
      ...(ops && { ops }),
      hooks: supervisor,
    });
  });
}
