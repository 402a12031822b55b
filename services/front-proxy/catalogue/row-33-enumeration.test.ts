/**
 * Row 33: who may nothing learns what there is. kcp-front-proxy looks a workspace up before it authenticates, so that strangers tell
 * existing ones from others by the answer. Here nobody behind is asked before somebody has been authorized, and a stranger gets one answer.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, protocols } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import { respondWith } from './recording.fixture.ts';

const fleet = await startFleet();
beforeEach(() => {
  fleet.forget();
  // Known, unknown and unavailable, if somebody asked.
  fleet.shard.respond = (request, response) => {
    const code = request.url.includes('unknown') ? 404 : request.url.includes('unavailable') ? 503 : 200;
    respondWith(code, { kind: 'Status' })(request, response);
  };
});
afterAll(cleanUp);

const clusters = ['known', 'unknown', 'unavailable', 'root:org:known', '*'];
const pathOf = (cluster: string): string => `/services/mirror/clusters/${cluster}/api/v1/namespaces/default/configmaps/x`;

describe.each(protocols)('over HTTP/%s', protocol => {
  test.each([
    ['nobody', {}, 403],
    ['who brings a wrong token', { token: 'wrong' }, 401],
  ])('%s gets one answer for every workspace, and none is looked up', async (_, credentials, code) => {
    const answers = await Promise.all(
      clusters.map(async cluster => {
        const { status, body, headers } = await ask(fleet.port, protocol, { ...credentials, path: pathOf(cluster) });
        const { date: _date, 'audit-id': _id, ...same } = headers;
        return JSON.stringify([status, body.replaceAll(cluster, '<cluster>'), same]);
      }),
    );
    expect(new Set(answers).size).toBe(1);
    expect(JSON.parse(answers[0] as string)[0]).toBe(code);
    expect([fleet.shard.requests, fleet.service.requests]).toEqual([[], []]);
  });

  test('who brings a wrong token cannot tell a view that is there from one that is not', async () => {
    const bodies = await Promise.all(
      ['mirror', 'recorded', 'none', ''].map(async view => {
        const { status, body } = await ask(fleet.port, protocol, { token: 'wrong', path: `/services/${view}${view && '/'}x` });
        return [status, body];
      }),
    );
    expect(new Set(bodies.map(answer => JSON.stringify(answer))).size).toBe(1);
    expect([fleet.shard.requests, fleet.service.requests]).toEqual([[], []]);
  });
});
