/** The load generator: takes one job after the other from its parent and answers with what it has measured. */
import { runFanOut } from './fan-out.ts';
import { runIdle } from './idle.ts';
import type { Job, Measurement, Report } from './job.ts';
import { runRequests } from './requests.ts';

function run(job: Job): Promise<Measurement> {
  switch (job.kind) {
    case 'requests':
      return runRequests(job);
    case 'fan-out':
      return runFanOut(job);
    case 'idle':
      return runIdle(job);
  }
}

function answer(report: Report): void {
  process.send?.(report);
}

process.on('message', job => {
  run(job as Job).then(
    measurement => answer({ measurement }),
    error => answer({ failed: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
