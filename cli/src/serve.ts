import { asksForHelp } from '@kcp-vw/shared/config/flags.ts';
import { refuseSharedAuthority } from '@kcp-vw/shared/config/flags-files.ts';
import { fail, runCommand } from '@kcp-vw/shared/observe/run-command.ts';
import { runInThisProcess } from '@kcp-vw/shared/observe/this-process.ts';
import { runServiceAlone } from '@kcp-vw/shared/view/service-alone.ts';
import { definitionOf, serviceNames } from './services.ts';

const usage = (): string => `Serves the views of one service by itself, to a front proxy that proves who it is with a certificate.

Usage:
  kcp-vw serve <service> --kubeconfig=<file> --requestheader-client-ca-file=<file> --requestheader-allowed-names=<name> [flags]

With --advertised-url=<https://host:port> it registers itself with the front proxies; without, they need it in their file.

Services: ${serviceNames().join(', ')}

`;

/** `kcp-vw serve <service> [flags]`. Returns the exit code. */
export async function serve([name = '', ...argv]: readonly string[]): Promise<number> {
  if (name.startsWith('-') || name === '') {
    if (!asksForHelp([name, ...argv])) return fail(`serve needs the name of a service: ${serviceNames().join(', ')}`);
    return runCommand({ command: 'serve', usage: usage(), name: 'serve', argv: ['--help'], run: async () => 0 });
  }
  return runCommand({
    command: 'serve',
    usage: usage(),
    name,
    argv,
    async run(options, log) {
      refuseSharedAuthority(options);
      const definition = await definitionOf(name);
      return runInThisProcess(options, log, hooks => runServiceAlone(definition, options, log, hooks));
    },
  });
}
