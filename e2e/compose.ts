/**
 * Runs the end-to-end tests from outside on docker-compose.yml: the dev shard, the front proxy and each service in a container of its own.
 * `E2E_BASE_IMAGE` names another base of the images, `E2E_EXTRA_CA_FILE` further CAs for their build; `E2E_IMAGE` and `E2E_DEV_IMAGE`
 * are images that are there already.
 */
import { findCompose } from './harness/compose-command.ts';
import { ComposeServers } from './harness/compose-servers.ts';
import { finish, runEndToEnd, say } from './harness/run.ts';

const compose = findCompose();
if (!compose.found) {
  say(`SKIPPED: the end-to-end tests on containers need Docker and Docker Compose, and there is ${compose.why}.`);
  finish({ passed: 0, failed: 0, skipped: 1 });
}
await runEndToEnd({
  name: 'containers',
  shards: 1,
  timeLimit: 25 * 60_000,
  start: options => ComposeServers.start({ ...options, compose }),
});
