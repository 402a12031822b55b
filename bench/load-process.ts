import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Job, Measurement, Report } from './load/job.ts';

/** Beyond what any job takes, the slowest server included; a run must not hang for a server that does. */
const TIME_LIMIT = 180_000;

/** The load generator, in a process of its own: measuring and being measured must not share an event loop. */
export class LoadProcess {
  #child: ChildProcess | undefined;

  /** Throws when the job failed, with its reason. One at a time. */
  run(job: Job): Promise<Measurement> {
    const child = this.#running();
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        clearTimeout(limit);
        child.off('exit', onExit).off('message', onMessage);
        outcome();
      };
      const onExit = (code: number | null, signal: string | null): void =>
        settle(() => reject(new Error(`the load generator ended with ${signal ?? `code ${code}`}`)));
      const onMessage = (message: unknown): void => {
        const report = message as Report;
        settle(() => ('failed' in report ? reject(new Error(report.failed)) : resolve(report.measurement)));
      };
      const limit = setTimeout(() => {
        this.end();
        child.kill('SIGKILL');
        settle(() => reject(new Error(`nothing was measured within ${TIME_LIMIT / 1000} s`)));
      }, TIME_LIMIT);
      child.once('exit', onExit).once('message', onMessage);
      child.send(job, error => {
        if (error !== null) settle(() => reject(error));
      });
    });
  }

  end(): void {
    if (this.#child?.connected) this.#child.disconnect();
    this.#child = undefined;
  }

  /** One that has died with a job is replaced for the next. */
  #running(): ChildProcess {
    if (this.#child?.connected) return this.#child;
    this.#child = fork(join(import.meta.dirname, 'load', 'main.ts'), {
      // Ctrl-C reaches the whole terminal; this one ends when it is told to, or when its parent has gone.
      detached: true,
    });
    return this.#child;
  }
}
