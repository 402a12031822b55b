/** The load generator: takes one job after the other from its parent and answers with what it has measured. */
import { runFanOut } from '../load/fan-out.ts';
import type { Measurement, Report } from '../load/job.ts';
import { runRequests } from '../load/requests.ts';
import type { SyncerJob } from './job.ts';
import { runStatuses } from './statuses.ts';

function run(job: SyncerJob): Promise<Measurement> {
  switch (job.kind) {
    case 'requests':
      return runRequests(job);
    case 'fan-out':
      return runFanOut(job);
    case 'statuses':
      return runStatuses(job);
  }
}

process.on('message', job => {
  const answer = (report: Report): void => void process.send?.(report);
  run(job as SyncerJob).then(
    measurement => answer({ measurement }),
    error => answer({ failed: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
