import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Measurement, Report } from '../load/job.ts';
import type { SyncerJob } from './job.ts';

/** The load generator, in a process of its own: measuring and being measured must not share an event loop. */
export class SyncerLoad {
  // Ctrl-C reaches the whole terminal; this one ends when it is told to, or when its parent has gone.
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'load.ts'), { detached: true });

  /** Throws when the job failed, with its reason. One at a time. */
  run(job: SyncerJob): Promise<Measurement> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        child.off('exit', onExit).off('message', onMessage);
        outcome();
      };
      const onExit = (code: number | null, signal: string | null): void =>
        settle(() => reject(new Error(`the load generator ended with ${signal ?? `code ${code}`}`)));
      const onMessage = (message: unknown): void => {
        const report = message as Report;
        settle(() => ('failed' in report ? reject(new Error(report.failed)) : resolve(report.measurement)));
      };
      child.once('exit', onExit).once('message', onMessage);
      child.send(job, error => {
        if (error !== null) settle(() => reject(error));
      });
    });
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
