/**
 * Runs the end-to-end tests on the dev shard, with our virtual workspaces in front of it. Nothing else is needed, and any free ports do.
 */
import { DevServers } from './harness/dev-servers.ts';
import { runEndToEnd } from './harness/run.ts';

await runEndToEnd({
  name: 'dev shard',
  shards: 2,
  timeLimit: 20 * 60_000,
  start: options => DevServers.start(options),
});
