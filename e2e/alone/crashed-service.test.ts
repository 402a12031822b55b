/** A service that is killed under load costs the requests that were in flight in it. It runs alone, since it kills the service. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { atVirtualWorkspaces, masters } from '../support/identities.ts';
import { processes, stateOf } from '../support/operations.ts';
import { SteadyLoad } from '../support/steady-load.ts';

const WORKERS = 8;
const SERVICE = 'initializer-vw';
const LIST = '/services/initializingworkspaces/root:nobody/clusters/*/apis/core.kcp.io/v1alpha1/logicalclusters?limit=1';

const describeFleet = processes.includes(SERVICE) ? describe : describe.skip;

describeFleet('a service killed by SIGKILL under load', () => {
  test('fails only what was in flight in it, and is back by itself', async () => {
    const front = await stateOf('front-proxy');
    const { pid } = await stateOf(SERVICE);
    const lists = new SteadyLoad(WORKERS, () => atVirtualWorkspaces(masters), LIST);
    const probes = new SteadyLoad(WORKERS, () => atVirtualWorkspaces(masters), '/readyz/ping');
    await sleep(1_000);

    process.kill(pid, 'SIGKILL');
    const killed = performance.now();
    const back = await eventually('the return of the service', async () => {
      const state = await stateOf(SERVICE);
      if (state.pid === pid) throw new Error('it is still the old process');
      const first = lists.answers.find(({ at, status }) => at > killed + 50 && status === 200);
      if (first === undefined) throw new Error('no request has been answered yet');
      return first.at - killed;
    });
    await sleep(1_000);
    await Promise.all([lists.stop(), probes.stop()]);

    const failed = lists.answers.filter(({ status }) => status !== 200);
    process.stdout.write(
      `killed under load: ${failed.length} of ${lists.answers.length} requests failed, first answer after ${Math.round(back)} ms\n`,
    );
    expect(failed.length).toBeLessThanOrEqual(WORKERS);
    expect(failed.every(({ status }) => status === 502 || status === 503)).toBe(true);
    expect(probes.answers.every(({ status }) => status === 200)).toBe(true);
    expect((await stateOf('front-proxy')).pid).toBe(front.pid);
  });
});
