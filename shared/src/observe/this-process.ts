import type { Options } from '../config/options.ts';
import type { ProcessHooks } from './lifeline.ts';
import type { Logger } from './log.ts';

/** Milliseconds that the process gets beyond the drain time of its requests. */
const EXIT_GRACE = 5_000;

/**
 * Runs what `start` starts in this process, without a supervisor, until a signal: the first drains, a second one does not wait. Returns
 * the exit code. Rejects when `start` does.
 */
export async function runInThisProcess(
  options: Options,
  log: Logger,
  start: (hooks: ProcessHooks) => Promise<void>,
): Promise<number> {
  const { promise: ended, resolve: end } = Promise.withResolvers<number>();
  const drains: (() => Promise<void>)[] = [];
  let stopping = false;

  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      end(1);
      return;
    }
    stopping = true;
    log.info({ signal }, 'draining');
    const hard = setTimeout(
      () => {
        log.error('requests did not end in time');
        end(1);
      },
      options.limits.shutdownDelay + options.limits.drain + EXIT_GRACE,
    );
    Promise.all(drains.map(drain => drain())).then(
      () => {
        clearTimeout(hard);
        end(0);
      },
      err => {
        log.error({ err }, 'could not drain');
        end(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);

  await start(localHooks(log, drain => void drains.push(drain)));
  return ended;
}

/** Tells the log what a child of the supervisor tells the supervisor. */
function localHooks(log: Logger, onTerminate: ProcessHooks['onTerminate']): ProcessHooks {
  let told = '';
  return {
    listening: (address, views = []) => log.info({ address, views }, 'listening'),
    ready: () => log.info('ready'),
    waiting(what) {
      if (what !== told) log.info(`waiting for ${what}`);
      told = what;
    },
    onTerminate,
  };
}
