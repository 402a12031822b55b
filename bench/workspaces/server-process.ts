import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Command, Done, Filled, Measured, Reply, ServerOptions, Write } from './protocol.ts';

/** The measured process, as it is asked from outside. One question at a time. */
export interface ServerProcess {
  readonly filled: Filled;
  /** Each a change of its own, in one go. */
  write(...writes: readonly Write[]): Promise<Done>;
  burst(index: number, revision: number, count: number): Promise<Done>;
  measure(): Promise<Measured>;
  /** Milliseconds of CPU so far. */
  cpu(): Promise<number>;
  /** Resolves when it has gone. */
  end(): Promise<void>;
}

/** Resolves when the index is filled and the view is served. `flags` are Node's. */
export async function startServer(options: ServerOptions, flags: readonly string[] = []): Promise<ServerProcess> {
  const child = fork(join(import.meta.dirname, 'server.ts'), [JSON.stringify(options)], {
    execArgv: ['--expose-gc', '--max-old-space-size=8192', ...flags],
  });
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const end = (): Promise<void> => {
    if (child.connected) child.disconnect();
    return gone;
  };
  try {
    const reply = await replyOf(child);
    if (!('filled' in reply)) throw unexpected(reply);
    return {
      filled: reply.filled,
      write: (...writes) => doneOf(child, { do: 'write', writes }),
      burst: (index, revision, count) => doneOf(child, { do: 'burst', index, revision, count }),
      async measure() {
        const measured = await ask(child, { do: 'measure' });
        if ('measured' in measured) return measured.measured;
        throw unexpected(measured);
      },
      async cpu() {
        const account = await ask(child, { do: 'account' });
        if ('cpu' in account) return account.cpu;
        throw unexpected(account);
      },
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function doneOf(child: ChildProcess, command: Command): Promise<Done> {
  const reply = await ask(child, command);
  if ('done' in reply) return reply.done;
  throw unexpected(reply);
}

function ask(child: ChildProcess, command: Command): Promise<Reply> {
  const reply = replyOf(child);
  child.send(command);
  return reply;
}

function replyOf(child: ChildProcess): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null): void => {
      child.off('message', onMessage);
      reject(new Error(`the measured process ended with ${signal ?? `code ${code}`}`));
    };
    const onMessage = (reply: unknown): void => {
      child.off('exit', onExit);
      resolve(reply as Reply);
    };
    child.once('exit', onExit).once('message', onMessage);
  });
}

const unexpected = (reply: Reply): Error =>
  new Error('failed' in reply ? reply.failed : `the measured process answered ${Object.keys(reply).join()}`);
