import { runFrontProxy } from '@kcp-vw/front-proxy/process.ts';
import { opsAddressOf } from '@kcp-vw/shared/config/flags-service.ts';
import { FRONT_PROXY } from '@kcp-vw/shared/config/options.ts';
import { runCommand } from '@kcp-vw/shared/observe/run-command.ts';
import { runInThisProcess } from '@kcp-vw/shared/observe/this-process.ts';

const USAGE = `Authenticates callers and routes them to services that run by themselves.

Usage:
  kcp-vw front-proxy --authentication-kubeconfig=<file> [--addresses=<file>] [flags]

`;

/** `kcp-vw front-proxy [flags]`. Returns the exit code. */
export const frontProxy = (argv: readonly string[]): Promise<number> =>
  runCommand({
    command: 'front-proxy',
    usage: USAGE,
    name: FRONT_PROXY,
    argv,
    run(options, log) {
      // Flags have been judged: without a file it is the registry that says where the services are.
      const { addressesFile: addresses } = options;
      return runInThisProcess(options, log, hooks =>
        runFrontProxy({ options, addresses, ops: opsAddressOf(options), log, hooks }),
      );
    },
  });
