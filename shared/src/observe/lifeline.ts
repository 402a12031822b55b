import { UsageError } from '../config/flags-values.ts';
import { type ChildMessage, EXIT_CONFIGURATION } from './child-messages.ts';
import { isProgrammingError, startupSentence } from './startup-error.ts';

/** What whatever runs a service is told by it, and tells it. */
export interface ProcessHooks {
  /** Requests are taken at `address`: a socket's path, or `host:port`. */
  listening(address: string, views?: readonly string[]): void;
  /** Everything that is needed is there. */
  ready(): void;
  /** What readiness still waits for; shown once as long as it stays the same. */
  waiting(what: string): void;
  /** `drain` is run once, when the process is to end; it ends when the promise settles. */
  onTerminate(drain: () => Promise<void>): void;
}

export interface SupervisedProcess extends ProcessHooks {
  /** Runs the start of the process. What it throws becomes one sentence for the user, and ends the process. */
  guard(start: () => Promise<void>): Promise<void>;
}

/**
 * This process as a child of the supervisor: tells it what happens, drains on SIGTERM and never outlives it. Started by hand, without a
 * supervisor, the same on standard error.
 */
export function childOf(name: string): SupervisedProcess {
  let drain: (() => Promise<void>) | undefined;
  let terminating = false;
  let told = '';

  const terminate = (): void => {
    if (terminating) return;
    terminating = true;
    (drain?.() ?? Promise.resolve()).then(
      () => process.exit(0),
      error => {
        write(name, `could not drain: ${stackOf(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', terminate);
  if (dieWithParent() === 'alone') process.on('SIGINT', terminate);

  return {
    listening: (socket, views = []) => tell({ type: 'listening', socket, views }),
    ready: () => tell({ type: 'ready' }),
    waiting(what) {
      if (what !== told) tell({ type: 'waiting', for: what });
      told = what;
    },
    onTerminate(run) {
      drain = run;
    },
    async guard(start) {
      try {
        await start();
      } catch (error) {
        if (isProgrammingError(error)) write(name, stackOf(error));
        await tellFatal(name, startupSentence(error));
        process.exit(error instanceof UsageError ? EXIT_CONFIGURATION : 1);
      }
    },
  };
}

/**
 * Ends this process when its parent is gone, however that went: the kernel closes the channel. Between the two, signals of the terminal
 * (which go to everybody in front of it) are the parent's to answer, who knows in which order to stop.
 *
 * A process whose event loop is blocked does not see the channel close; the supervisor's watchdog ends that one (cli/src/watchdog.ts).
 */
export function dieWithParent(): 'supervised' | 'alone' {
  if (!process.send) return 'alone';
  if (!process.connected) process.exit(1);
  process.once('disconnect', () => process.exit(1));
  for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => undefined);
  return 'supervised';
}

function tell(message: ChildMessage): void {
  // A channel that breaks is the parent's death, which `dieWithParent` answers.
  process.send?.(message, undefined, undefined, () => undefined);
}

function tellFatal(name: string, sentence: string): Promise<void> {
  return new Promise(resolve => {
    if (!process.send) {
      write(name, sentence);
      resolve();
    } else {
      process.send({ type: 'fatal', message: sentence } satisfies ChildMessage, undefined, undefined, () => resolve());
    }
  });
}

const write = (name: string, text: string): void => void process.stderr.write(`${name}: ${text}\n`);
const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
