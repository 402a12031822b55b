import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { anonymous, atShard, masters, target } from '../support/identities.ts';

/**
 * Ends the root shard by force and starts it again with what it had. kcp's test server, which would end everything when one of its
 * processes ends, is stopped for the rest of the run.
 */
export async function restartRootShard(): Promise<void> {
  if (target.testServerPid === undefined) (await atShard(masters).post('/faults/restart', {})).expect(200, 202);
  else await restartProcess(target.testServerPid);
  await eventually('the root shard', async () => (await atShard(anonymous).get('/readyz')).expect(200), 120_000);
}

async function restartProcess(testServer: number): Promise<void> {
  const folder = dirname(process.env.E2E_TARGET ?? '');
  const pidFile = join(folder, 'restarted-root-shard.pid');
  const shard = existsSync(pidFile)
    ? Number(readFileSync(pidFile, 'utf8'))
    : childrenOf(testServer).find(pid => wordsOf(pid, 'cmdline').includes('--shard-name=root'));
  if (shard === undefined) throw new Error(`process ${testServer} has no child that is the root shard`);
  const [program = '', ...parameters] = wordsOf(shard, 'cmdline');
  const directory = readlinkSync(`/proc/${shard}/cwd`);
  const environment = Object.fromEntries(
    wordsOf(shard, 'environ').map(word => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
  process.kill(testServer, 'SIGSTOP');
  // It reads what its children write, who would wait for ever once their pipes are full.
  for (const pipe of pipesOf(testServer)) spawn('cat', [pipe], { detached: true, stdio: 'ignore' }).unref();
  process.kill(shard, 'SIGKILL');
  // It carries the mark by which everything of the run is ended.
  const log = openSync(join(folder, 'logs', 'restarted-root-shard.log'), 'a');
  const started = spawn(program, parameters, { cwd: directory, env: environment, detached: true, stdio: ['ignore', log, log] });
  started.unref();
  closeSync(log);
  // Another test may want to do it again, and it is nobody's child then.
  writeFileSync(pidFile, String(started.pid));
}

/** The words of a file of /proc, which end with a NUL each. */
const wordsOf = (pid: number, file: 'cmdline' | 'environ'): string[] =>
  readFileSync(`/proc/${pid}/${file}`, 'utf8')
    .split('\0')
    .filter(word => word !== '');

/** Those that the process reads, as files that can be opened. */
const pipesOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`)
    .filter(fd => readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('pipe:'))
    .filter(fd => /^flags:\s+\d*0$/m.test(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')))
    .map(fd => `/proc/${pid}/fd/${fd}`);

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  try {
    // After the name, which may have anything in it: its state and its parent.
    return Number(/\) \S (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    // It has ended since the folder was read.
    return undefined;
  }
}
