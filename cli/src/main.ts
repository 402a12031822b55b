import { readFileSync } from 'node:fs';
import { dieWithParent } from '@kcp-vw/shared/observe/lifeline.ts';

const HELP = `kcp's virtual workspaces as a fleet of services behind a front proxy.

Usage:
  kcp-vw up [flags]                 serve everything on this host until stopped (kcp-vw up --help lists the flags)
  kcp-vw front-proxy [flags]        serve the public port only, in front of services that run by themselves
  kcp-vw serve <service> [flags]    serve the views of one service only, to a front proxy elsewhere
  kcp-vw install [flags]            make known to a kcp which views there are and who may serve them
  kcp-vw workload <verb> [flags]    syncing: install it, make SyncTargets, bind workspaces (kcp-vw workload --help lists the verbs)
  kcp-vw health <url> [flags]       ask a server whether it is well
  kcp-vw dev                        a dev shard, the fleet and a demo controller, to try it
  kcp-vw version
  kcp-vw help
`;

/** Loaded when asked for: a health check should not wait for what serves. */
const COMMANDS: Readonly<Record<string, () => Promise<(argv: readonly string[]) => Promise<number>>>> = {
  up: async () => (await import('./up.ts')).up,
  'front-proxy': async () => (await import('./front-proxy.ts')).frontProxy,
  serve: async () => (await import('./serve.ts')).serve,
  install: async () => (await import('./install.ts')).install,
  workload: async () => (await import('./workload.ts')).workload,
  health: async () => (await import('./health.ts')).health,
  dev: async () => (await import('./dev/dev.ts')).dev,
  version: async () => async () => version(),
  help: async () => async () => print(HELP),
};

const ALIASES: Readonly<Record<string, string>> = { '--version': 'version', '--help': 'help', '-h': 'help' };

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
  const [first = 'help', ...rest] = argv;
  const name = Object.hasOwn(ALIASES, first) ? (ALIASES[first] ?? first) : first;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return (await command())(rest);
  if (first.startsWith('-')) return main(['up', ...argv]);
  process.stderr.write(`kcp-vw: there is no command ${JSON.stringify(first)}: ${Object.keys(COMMANDS).join(', ')}\n`);
  return 1;
}

if (import.meta.main) {
  // Where another program of Node has started this one, as `kcp-vw dev` does.
  dieWithParent();
  process.exit(await main(process.argv.slice(2)));
}
