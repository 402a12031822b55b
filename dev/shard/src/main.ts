import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dieWithParent } from '@kcp-vw/shared/observe/lifeline.ts';
import { type StartOptions, startShard } from './start.ts';

const HELP = `An in-memory kcp shard with its front proxy, for development and tests. All state is lost when it ends.

  --folder=<path>                 certificates and kubeconfigs; default: a new one, removed at the end
  --shard-port=<port>             default 6444
  --front-proxy-port=<port>       default 6443
  --virtual-workspace-url=<url>   default https://127.0.0.1:7444
`;

const HOST = '127.0.0.1';

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    'shard-port': { type: 'string', default: '6444' },
    'front-proxy-port': { type: 'string', default: '6443' },
    'virtual-workspace-url': { type: 'string', default: `https://${HOST}:7444` },
    help: { type: 'boolean', default: false },
  },
});

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

async function main(): Promise<void> {
  const own = values.folder === undefined ? mkdtempSync(join(tmpdir(), 'kcp-dev-shard-')) : undefined;
  const { shard, folder, shardURL, frontProxyURL } = await startShard({
    folder: values.folder ?? own ?? '',
    host: HOST,
    shardPort: Number(values['shard-port']),
    frontProxyPort: Number(values['front-proxy-port']),
    virtualWorkspaceURL: new URL(values['virtual-workspace-url']),
    onError,
  });
  say(`shard ${shardURL}, front proxy ${frontProxyURL}`);
  say(`export KUBECONFIG=${folder.file('admin.kubeconfig')}`);
  say('ready');

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await shard.stop();
    if (own !== undefined) rmSync(own, { recursive: true });
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
}

if (values.help) say(HELP);
else {
  // Where another program of Node has started this one, as `kcp-vw dev` does.
  dieWithParent();
  await main();
}
