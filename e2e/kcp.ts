/** Runs the end-to-end tests on a real kcp, with our virtual workspaces in place of kcp's own. */
import { findBinaries } from './harness/binaries.ts';
import { startKcp } from './harness/kcp-stage.ts';
import { finish, runEndToEnd, say } from './harness/run.ts';

const binaries = findBinaries(process.env);
if (!binaries.found) {
  say(`SKIPPED: the end-to-end tests need a real kcp v0.32.3, and there is ${binaries.why}.`);
  say("Build kcp's programs and name their folder in KCP_BIN to run them.");
  finish({ passed: 0, failed: 0, skipped: 1 });
}
await runEndToEnd({ name: 'kcp', shards: 1, timeLimit: 25 * 60_000, start: options => startKcp(binaries, options) });
