import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatOpsAddress, type OpsAddress, opsAddressOf } from '@kcp-vw/shared/config/flags-service.ts';
import type { Options } from '@kcp-vw/shared/config/options.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import { type AddressFile, createAddressFile } from './address-file.ts';
import { type Child, RESTART_POLICY, type RestartPolicy, superviseChild } from './child.ts';
import { startWatchdog } from './watchdog.ts';

/** A program of the fleet. */
export interface Program {
  /** Of the process: that of its service, and where there are several shards, `service@shard`. */
  readonly name: string;
  /** Path of its main module. */
  readonly entry: string;
  /** Views that it is expected to announce. */
  readonly views: readonly string[];
  /** The shard that it serves, if that has a name. */
  readonly shard?: string;
  /** What it is configured with, where that is not what the fleet is. */
  readonly options?: Options;
}

export interface FleetOptions {
  readonly options: Options;
  readonly services: readonly Program[];
  readonly frontProxy: Program;
  /** A private folder, for this fleet alone. */
  readonly folder: string;
  readonly log: Logger;
  readonly restart?: RestartPolicy;
}

/** How the fleet ended: because it was asked to, or because a program cannot run as it is configured. */
export type FleetEnd = { readonly reason: 'stopped' } | { readonly reason: 'fatal'; readonly sentence: string };

export interface Fleet {
  /** Resolves when no process is left. */
  readonly ended: Promise<FleetEnd>;
  /** Lets running requests finish: the front proxy first, then the services behind it. */
  stop(): void;
  /** Ends every process at once. */
  kill(): void;
}

/** Milliseconds that processes get beyond the drain time of their requests. */
const EXIT_GRACE = 5_000;
/** Milliseconds that the others get to leave when one cannot start. */
const FATAL_GRACE = 500;

export const socketsOf = (name: string): { readonly views: string; readonly ops: string } => ({
  views: `${name}.sock`,
  ops: `${name}.ops.sock`,
});

/** Starts every program as a process of its own and keeps it running. */
export function startFleet({ options, services, frontProxy, folder, log, restart = RESTART_POLICY }: FleetOptions): Fleet {
  const write = (name: string, content: Options): string => {
    const file = join(folder, name);
    writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
    return file;
  };
  const optionsFile = write('options.json', options);
  const addresses = createAddressFile(join(folder, 'addresses.json'), [...new Set(services.flatMap(({ views }) => views))], err =>
    log.error({ err }, 'the addresses of the services cannot be written; trying again'),
  );
  const watchdog = startWatchdog({
    folder,
    onError: err => log.warn({ err }, 'no watchdog: a blocked process could outlive a killed supervisor'),
  });
  const children: Child[] = [];
  const ready = new Set<string>();
  let fatal: string | undefined;
  let stopping = false;
  const { promise: ended, resolve: end } = Promise.withResolvers<FleetEnd>();

  function stop(grace: number, order: () => Promise<void>): void {
    if (stopping) return;
    stopping = true;
    const hard = setTimeout(() => {
      log.error('processes did not end in time and are killed');
      for (const child of children) child.kill();
    }, grace);
    order().then(() => {
      clearTimeout(hard);
      watchdog.close();
      end(fatal === undefined ? { reason: 'stopped' } : { reason: 'fatal', sentence: fatal });
    });
  }
  const stopAll = async (): Promise<void> => void (await Promise.all(children.map(child => child.stop())));
  const drain = async (): Promise<void> => {
    // The services are needed until the last request has passed the front proxy.
    await children.find(({ name }) => name === frontProxy.name)?.stop();
    await stopAll();
  };

  function run(program: Program, index: number): Child {
    const { name, shard } = program;
    const spec = specOf(
      program,
      opsAddressOf(options, index),
      folder,
      program.options ? write(`${name}.options.json`, program.options) : optionsFile,
      program === frontProxy ? addresses : undefined,
    );
    return superviseChild(spec, restart, log, {
      onProcess: () => watchdog.watch(children.flatMap(({ pid }) => pid ?? [])),
      onListening: (pid, socketPath, views) => {
        if (views.length === 0) return;
        const shardOfIt = shard !== undefined && { shard };
        addresses.up({ service: name, instance: String(pid), ...shardOfIt, socketPath }, views);
      },
      onReady() {
        ready.add(name);
        if (ready.size === services.length + 1) log.info('every process is ready');
      },
      onDown() {
        ready.delete(name);
        addresses.down(name, shard);
      },
      onFatal(sentence) {
        fatal ??= sentence;
        stop(FATAL_GRACE, stopAll);
      },
    });
  }
  for (const [index, program] of [frontProxy, ...services].entries()) children.push(run(program, index));
  watchdog.watch(children.flatMap(({ pid }) => pid ?? []));

  return {
    ended,
    stop: () => stop(options.limits.shutdownDelay + options.limits.drain + EXIT_GRACE, drain),
    kill() {
      for (const child of children) child.kill();
      stop(EXIT_GRACE, stopAll);
    },
  };
}

function specOf(
  { name, entry }: Program,
  opsAddress: OpsAddress | undefined,
  folder: string,
  optionsFile: string,
  addresses: AddressFile | undefined,
) {
  const sockets = socketsOf(name);
  const socket = join(folder, sockets.views);
  const ops = opsAddress ?? { path: join(folder, sockets.ops) };
  return {
    name,
    entry,
    args: [
      `--options=${optionsFile}`,
      addresses ? `--addresses=${addresses.path}` : `--socket=${socket}`,
      `--ops=${formatOpsAddress(ops)}`,
    ],
    sockets: [socket, ...('path' in ops ? [ops.path] : [])],
  };
}
