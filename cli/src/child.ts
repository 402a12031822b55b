import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { type ChildMessage, EXIT_CONFIGURATION, readChildMessage } from '@kcp-vw/shared/observe/child-messages.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';

/** A program to keep running. */
export interface ChildSpec {
  readonly name: string;
  /** Path of its main module. */
  readonly entry: string;
  readonly args: readonly string[];
  /** Unix sockets that it listens on; a killed process leaves their files, in the way of the next one. */
  readonly sockets: readonly string[];
}

/** Milliseconds between an end and the next start: doubling from `first` to `max`, from `first` again after `stable` of running. */
export interface RestartPolicy {
  readonly first: number;
  readonly max: number;
  readonly stable: number;
}

export const RESTART_POLICY: RestartPolicy = { first: 100, max: 10_000, stable: 30_000 };

export interface ChildEvents {
  /** A process was started, or has ended. */
  onProcess(): void;
  onListening(pid: number, socket: string, views: readonly string[]): void;
  onReady(): void;
  /** The process that was listening is gone. */
  onDown(): void;
  /** Starting it again will not help. */
  onFatal(sentence: string): void;
}

export interface Child {
  readonly name: string;
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  /** Does not start it again, and asks it to drain. Resolves when there is no process any more. */
  stop(): Promise<void>;
  /** Does not start it again, and ends it at once. */
  kill(): void;
}

/** Milliseconds after a process has ended until its channel is not waited for any more. */
const CHANNEL_GRACE = 1_000;

/** Starts a program, and starts it again whenever it ends, until it is stopped or says that this is pointless. */
export function superviseChild(spec: ChildSpec, policy: RestartPolicy, parentLog: Logger, events: ChildEvents): Child {
  const log = parentLog.child({ service: spec.name });
  let running: ChildProcess | undefined;
  let restart: NodeJS.Timeout | undefined;
  let failures = 0;
  let listened = false;
  let stopping = false;
  const { promise: ended, resolve: gone } = Promise.withResolvers<void>();

  function start(): void {
    for (const socket of spec.sockets) rmSync(socket, { force: true });
    const startedAt = performance.now();
    const child = spawn(process.execPath, [spec.entry, ...spec.args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    running = child;
    let fatal: string | undefined;
    let over = false;

    const end = (how: string, code: number | null): void => {
      if (over) return;
      over = true;
      running = undefined;
      if (performance.now() - startedAt >= policy.stable) failures = 0;
      events.onDown();
      events.onProcess();
      if (stopping) {
        log.info({ how }, 'ended');
        gone();
      } else if (code === EXIT_CONFIGURATION || (fatal !== undefined && !listened)) {
        stopping = true;
        gone();
        events.onFatal(fatal ?? `${spec.name} refuses its configuration`);
      } else {
        const delay = Math.min(policy.max, policy.first * 2 ** failures++);
        log.error({ how, ...(fatal !== undefined && { said: fatal }), restartInMs: delay }, 'ended unexpectedly');
        restart = setTimeout(start, delay);
      }
    };

    child.on('message', value => {
      const message = readChildMessage(value);
      if (message?.type === 'fatal') fatal = message.message;
      else if (message) told(message, child.pid ?? 0);
    });
    child.once('exit', (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      if (!child.connected) return end(how, code);
      // Its last messages may still be in the channel.
      const waited = setTimeout(() => end(how, code), CHANNEL_GRACE);
      child.once('disconnect', () => {
        clearTimeout(waited);
        end(how, code);
      });
    });
    child.once('error', error => {
      if (child.pid === undefined) end(error.message, null);
      else log.warn({ err: error }, 'could not be reached');
    });
    log.info({ child: child.pid }, 'started');
    events.onProcess();
  }

  function told(message: Exclude<ChildMessage, { type: 'fatal' }>, pid: number): void {
    if (message.type === 'listening') {
      listened = true;
      log.info({ child: pid, socket: message.socket, views: message.views }, 'listening');
      events.onListening(pid, message.socket, message.views);
    } else if (message.type === 'waiting') {
      log.info({ child: pid }, `waiting for ${message.for}`);
    } else {
      log.info({ child: pid }, 'ready');
      events.onReady();
    }
  }

  function stopRestarting(): void {
    stopping = true;
    clearTimeout(restart);
    if (!running) gone();
  }

  start();
  return {
    name: spec.name,
    get pid() {
      return running?.pid;
    },
    stop() {
      stopRestarting();
      running?.kill('SIGTERM');
      return ended;
    },
    kill() {
      stopRestarting();
      running?.kill('SIGKILL');
    },
  };
}
