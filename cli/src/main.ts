import { readFileSync } from 'node:fs';
import { dieWithParent } from '@kcp-vw/shared/observe/lifeline.ts';
import { dev } from './dev/dev.ts';
import { up } from './up.ts';

const HELP = `kcp's virtual workspaces as a fleet of services behind a front proxy.

Usage:
  kcp-vw up [flags]    serve until stopped (kcp-vw up --help lists the flags)
  kcp-vw dev           a dev shard, the fleet and a demo controller, to try it
  kcp-vw version
  kcp-vw help
`;

const print = (text: string): number => {
  process.stdout.write(text);
  return 0;
};

function version(): number {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version: own } = JSON.parse(text) as { version: string };
  return print(`kcp-vw ${own} (node ${process.version}, flags of kcp v0.32.3)\n`);
}

/** Runs a command line and returns the exit code. Flags without a command are those of `up`, as kcp's own binary takes them. */
export async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  switch (command) {
    case 'up':
      return up(rest);
    case 'dev':
      return dev();
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      return print(HELP);
    case 'version':
    case '--version':
      return version();
    default:
      if (command.startsWith('-')) return up(argv);
      process.stderr.write(`kcp-vw: there is no command ${JSON.stringify(command)}: up, dev, version or help\n`);
      return 1;
  }
}

if (import.meta.main) {
  // Where another program of Node has started this one, as `kcp-vw dev` does.
  dieWithParent();
  process.exit(await main(process.argv.slice(2)));
}
