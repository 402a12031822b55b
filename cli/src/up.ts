import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { shardPorts } from '@kcp-vw/front-proxy/door/shard-of.ts';
import { UsageError } from '@kcp-vw/shared/config/flags.ts';
import { awaited, FRONT_PROXY, type Options, SERVICES } from '@kcp-vw/shared/config/options.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import { fail, runCommand } from '@kcp-vw/shared/observe/run-command.ts';
import { optionsOf } from './own-identity.ts';
import { createRuntimeFolder } from './runtime-folder.ts';
import { shardSetsOf } from './shards.ts';
import { runSingleProcess } from './single.ts';
import { type Fleet, type Program, socketsOf, startFleet } from './supervisor.ts';

const USAGE = `Serves kcp's virtual workspaces. In place of kcp's binary: virtual-workspaces [flags]

Usage:
  kcp-vw up --kubeconfig=<file> [flags]

`;

/** Where the programs are; tests have their own. */
export interface Installation {
  /** The main module of a program by name. */
  readonly entryOf: (name: string) => string;
  /** The module of `--topology=single`, with a `runSingle`. */
  readonly single: string;
}

const services = new URL('../../services/', import.meta.url);
const INSTALLED: Installation = {
  entryOf: name => fileURLToPath(new URL(`${name}/src/main.ts`, services)),
  single: new URL('./all-in-one.ts', import.meta.url).href,
};

/** Runs until it is told to stop. Returns the exit code; a reason is one sentence on standard error. */
export const up = (argv: readonly string[], installation: Installation = INSTALLED): Promise<number> =>
  runCommand({
    command: 'up',
    usage: USAGE,
    name: 'kcp-vw',
    argv,
    async run(options, log) {
      shardSetsOf(options);
      for (const port of [options.securePort, ...shardPorts(options)]) await checkPort(options.bindAddress, port);
      return options.topology === 'single'
        ? runSingleProcess(options, installation.single, log)
        : runFleet(options, installation, log);
    },
  });

/**
 * Whether a public port is free, told before anything is started. The front proxy, which binds it for good, finds out by itself when
 * somebody takes it in between.
 */
async function checkPort(host: string, port: number): Promise<void> {
  const server = createServer(socket => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, resolve);
  });
  await new Promise(resolve => server.close(resolve));
}

async function runFleet(options: Options, installation: Installation, log: Logger): Promise<number> {
  const [frontProxy, ...services] = await programsOf(options, installation);
  const folder = await createRuntimeFolder({
    sockets: [frontProxy, ...services].flatMap(({ name }) => Object.values(socketsOf(name))),
    onAbandoned: (path, err) =>
      err ? log.warn({ err, path }, 'an old folder stays') : log.info({ path }, 'removed the folder of a killed predecessor'),
  });
  const fleet = startFleet({ options, services, frontProxy, folder: folder.path, log });
  stopOnSignals(fleet, log);
  const end = await fleet.ended;
  folder.remove();
  return end.reason === 'fatal' ? fail(new Error(end.sentence)) : 0;
}

/** The front proxy, and every service once for each shard, or once for all. */
async function programsOf(options: Options, installation: Installation): Promise<readonly [Program, ...Program[]]> {
  const services: Program[] = [];
  for (const { shard, options: own, suffix } of shardSetsOf(options)) {
    for (const service of own.services) {
      const configured = await optionsOf(service, own);
      services.push({
        ...programOf(service, installation),
        name: `${service}${suffix}`,
        ...(shard !== undefined && { shard }),
        ...(configured !== options && { options: configured }),
      });
    }
  }
  const frontProxy = programOf(FRONT_PROXY, installation);
  // It is ready when all of these are.
  const names = awaited(services.map(({ name }) => name));
  const isAsGiven = isDeepStrictEqual(names, options.services);
  return [{ ...frontProxy, ...(!isAsGiven && { options: { ...options, services: names } }) }, ...services];
}

function programOf(name: string, { entryOf }: Installation): Program {
  const entry = entryOf(name);
  if (!existsSync(entry)) throw new UsageError(`${name} is not part of this installation: ${entry} does not exist`);
  return { name, entry, views: SERVICES[name]?.views ?? [] };
}

/** The first signal drains, a second one does not wait. */
function stopOnSignals(fleet: Fleet, log: Logger): void {
  let asked = false;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      log.info({ signal }, asked ? 'stopping at once' : 'draining');
      if (asked) fleet.kill();
      else fleet.stop();
      asked = true;
    });
  }
}
