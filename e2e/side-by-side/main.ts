/**
 * Sends the same requests to kcp's own server of virtual workspaces and to ours, both before one kcp, and compares the answers.
 *
 * Parameters: `--go-only` puts a second server of kcp in our place (its answers must not differ: it proves the comparison), `--only=TEXT`
 * sends only requests with the text in `subject/name`, `--topology=single` starts ours as one process, `--hold` leaves the servers
 * running afterwards until the run is interrupted.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findBinaries } from '../harness/binaries.ts';
import { ProcessGroup } from '../harness/process-group.ts';
import { say } from '../harness/run.ts';
import { type Started, withServers } from './servers.ts';

/** Milliseconds for everything. */
const TIME_LIMIT = 30 * 60_000;

const { values } = parseArgs({
  options: {
    'go-only': { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    topology: { type: 'string', default: 'fleet' },
    hold: { type: 'boolean', default: false },
  },
});

async function compare({ file, workDir }: Started, stop: AbortSignal): Promise<boolean> {
  const comparison = new ProcessGroup(process.execPath, [join(import.meta.dirname, 'compare.ts'), `--only=${values.only}`], {
    environment: { ...process.env, E2E_TARGET: file },
    directory: workDir,
  });
  await comparison.untilEnded(stop);
  const succeeded = comparison.ended === 'exited with code 0';
  await comparison.end();
  if (values.hold) {
    say(`the servers stay; again: E2E_TARGET=${file} node ${join(import.meta.dirname, 'compare.ts')}`);
    while (!stop.aborted) await sleep(500);
  }
  return succeeded;
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort());
const stop = values.hold ? interrupted.signal : AbortSignal.any([interrupted.signal, AbortSignal.timeout(TIME_LIMIT)]);

const binaries = findBinaries(process.env);
if (!binaries.found) {
  say(`SKIPPED: the comparison needs a real kcp v0.32.3, and there is ${binaries.why}.`);
  process.exit(0);
}
const second = values['go-only'] ? 'kcp' : 'ours';
const succeeded = await withServers({ binaries, second, topology: values.topology, stop }, started => compare(started, stop));
process.exit(succeeded ? 0 : 1);
