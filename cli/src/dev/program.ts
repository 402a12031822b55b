import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

const TAIL_LINES = 15;
const DONE = 'exit code 0';

/** A program that runs beside us, with its output in a file. It ends when we do, however that is. */
export interface RunningProgram {
  readonly name: string;
  /** How it ended; undefined while it runs. */
  readonly ended: string | undefined;
  /** The last lines of its output. */
  tail(): string;
  /** Resolves when it has done what it is for. Rejects, with the last lines of its output, when it ends otherwise. */
  done(): Promise<void>;
  /** Asks it to end, and ends it after `grace` milliseconds. */
  stop(grace: number): Promise<void>;
}

/** Starts a program of Node. The IPC channel is its lifeline (`dieWithParent`). */
export function startProgram(name: string, entry: string, parameters: readonly string[], logFile: string): RunningProgram {
  const output = openSync(logFile, 'a');
  const child: ChildProcess = spawn(process.execPath, [entry, ...parameters], { stdio: ['ignore', output, output, 'ipc'] });
  closeSync(output);
  let ended: string | undefined;
  const gone = new Promise<void>(resolve => {
    child.once('error', error => {
      ended ??= error.message;
      resolve();
    });
    child.once('exit', (code, signal) => {
      ended ??= signal ?? `exit code ${code}`;
      resolve();
    });
  });
  const tail = (): string => readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  return {
    name,
    get ended() {
      return ended;
    },
    tail,
    async done() {
      await gone;
      if (ended !== DONE) throw new Error(`${name} ended: ${ended}\n${tail()}`);
    },
    async stop(grace) {
      if (ended !== undefined) return;
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), grace);
      await gone;
      clearTimeout(hard);
    },
  };
}
