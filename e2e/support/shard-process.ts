import { readdirSync, readFileSync } from 'node:fs';
import { target } from './identities.ts';

/** The process of a shard that kcp's test server has started, to be stopped and continued; undefined: the shards are no processes of their own. */
export function processOfShard(name: string): number | undefined {
  const { testServerPid } = target;
  if (testServerPid === undefined) return undefined;
  const found = readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .map(Number)
    // There may be shards of another kcp.
    .find(pid => parentOf(pid) === testServerPid && wordsOf(pid).includes(`--shard-name=${name}`));
  if (found === undefined) throw new Error(`process ${testServerPid} has no child that is the shard ${name}`);
  return found;
}

/** Empty for what has ended since the folder was read. */
function contentOf(pid: number, file: 'stat' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

const wordsOf = (pid: number): string[] => contentOf(pid, 'cmdline').split('\0');

/** After the name, which may have anything in it: its state and its parent. */
const parentOf = (pid: number): number => Number(/\) \S (\d+) /.exec(contentOf(pid, 'stat'))?.[1]);
