import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dieWithParent } from '@kcp-vw/shared/observe/lifeline.ts';
import { HELP, parseFlags } from './flags.ts';
import { prepareFolder, type StartOptions, startKcp } from './start.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** One line per sentence: the first failures of a start are expected, while the virtual workspaces are not there yet. */
const told = new Set<string>();
const onError: StartOptions['onError'] = (error, what) => {
  const line = `${what}: ${error instanceof Error ? error.message : String(error)}`;
  if (told.has(line)) return;
  // Not for ever: what comes back after an hour is news.
  if (told.size > 1_000) told.clear();
  told.add(line);
  process.stderr.write(`${line}\n`);
};

const flags = parseFlags(process.argv.slice(2));

function makeFolder(): void {
  if (flags.folder === undefined) throw new Error('--make-folder-only needs --folder');
  say(`certificates and kubeconfigs are in ${prepareFolder({ ...flags, folder: flags.folder }).folder.path}`);
}

async function main(): Promise<void> {
  const own = flags.folder === undefined ? mkdtempSync(join(tmpdir(), 'kcp-dev-shard-')) : undefined;
  const { kcp, shards, folder, frontProxyURL } = await startKcp({ ...flags, folder: flags.folder ?? own ?? '', onError });
  for (const { name, url } of shards) say(`shard ${name} ${url}`);
  say(`front proxy ${frontProxyURL}`);
  say(`export KUBECONFIG=${folder.file('admin.kubeconfig')}`);
  say('ready');

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await kcp.stop();
    if (own !== undefined) rmSync(own, { recursive: true });
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
}

if (flags.help) say(HELP);
else if (flags.makeFolderOnly) makeFolder();
else {
  // Where another program of Node has started this one, as `kcp-vw dev` does.
  dieWithParent();
  await main();
}
