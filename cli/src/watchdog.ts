import { spawn } from 'node:child_process';

/** Ends processes that outlive this one. */
export interface Watchdog {
  /** The processes there are now. */
  watch(pids: readonly number[]): void;
  /** There is nothing left to watch. */
  close(): void;
}

/**
 * Reads lines of pids, the last of which counts, until the writer is gone. Then gives those processes `GRACE` seconds to notice it
 * themselves, kills what is left of them, and removes the folder. That a pid is still ours is told by its command line, which has the
 * folder's random name in it.
 */
const SCRIPT = `
trap '' INT TERM HUP
pids=
while read -r line; do pids=$line; done
[ -z "$pids" ] && exit 0
sleep "$2"
for pid in $pids; do
  if [ -r "/proc/$pid/cmdline" ]; then grep -qF -- "$1" "/proc/$pid/cmdline" && kill -9 "$pid"
  elif [ ! -d /proc/self ]; then ps -o args= -p "$pid" | grep -qF -- "$1" && kill -9 "$pid"
  fi
done
rm -rf -- "$1"
`;

export interface WatchdogOptions {
  /** A folder whose path is an argument of every watched process. */
  readonly folder: string;
  readonly graceSeconds?: number;
  readonly onError: (error: Error) => void;
}

/**
 * SIGKILL of the supervisor leaves it no last word. Its children end when their channel closes, but one that is blocked does not see that;
 * so a shell waits for the end of a pipe. It costs a megabyte once, where a thread in every process would cost ten each.
 */
export function startWatchdog({ folder, graceSeconds = 2, onError }: WatchdogOptions): Watchdog {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'kcp-vw-watchdog', folder, String(graceSeconds)], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.once('error', onError);
  shell.stdin.on('error', onError);
  shell.unref();
  return {
    watch: pids => void shell.stdin.write(`${pids.join(' ')}\n`),
    close: () => void shell.stdin.end('\n'),
  };
}
