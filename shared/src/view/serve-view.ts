import { basename } from 'node:path';
import { refuseSharedAuthority } from '../config/flags-files.ts';
import { runCommand } from '../observe/run-command.ts';
import { runInThisProcess } from '../observe/this-process.ts';
import type { ServiceContext, ServiceDefinition } from './service.ts';
import { runServiceAlone } from './service-alone.ts';
import type { View } from './view.ts';

/** One view, several, or how they come to be, for those that need informers or reviews. */
export type Servable = View | readonly View[] | ((context: ServiceContext) => Promise<View | readonly View[]>);

/**
 * Serves views as a whole process: with the flags of `kcp-vw serve`, registered where `--advertised-url` says that it is reached, until a
 * signal ends it. What is in the way of the start is one sentence on standard error and exit code 1. Ends the process.
 */
export async function serveView(what: Servable, argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  const name = nameOf(what);
  const definition: ServiceDefinition = {
    name,
    start: async context => listOf(typeof what === 'function' ? await what(context) : what),
  };
  const code = await runCommand({
    command: 'serve',
    usage: usageOf(what, name),
    name,
    argv,
    program: name,
    run(options, log) {
      refuseSharedAuthority(options);
      return runInThisProcess(options, log, hooks => runServiceAlone(definition, options, log, hooks));
    },
  });
  process.exit(code);
}

const listOf = (views: View | readonly View[]): readonly View[] => ('answer' in views ? [views] : views);

/** That of the first view; of the program, where views are only known once they are made. */
function nameOf(what: Servable): string {
  const first = typeof what === 'function' ? undefined : listOf(what)[0];
  return first?.name ?? basename(process.argv[1] ?? 'view').replace(/\.[cm]?[jt]s$/, '');
}

function usageOf(what: Servable, name: string): string {
  const served =
    typeof what === 'function'
      ? name
      : listOf(what)
          .map(view => `/services/${view.name}`)
          .join(', ');
  return `Serves ${served} by itself, to a front proxy that proves who it is with a certificate.

Usage:
  ${basename(process.argv[1] ?? name)} --kubeconfig=<file> --requestheader-client-ca-file=<file> --requestheader-allowed-names=<name> [flags]

With --advertised-url=<https://host:port> it registers itself with the front proxies; without, they need it in their file.

`;
}
