/**
 * Row 28: a request that runs in circles: a service's address, or an endpoint in some object's status, is that of a proxy which sends it
 * there again. One request then takes all connections there are.
 */
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp, eventually } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, askUntil, PATH, protocols, RECORDED } from './clients.fixture.ts';
import { FRONT_PROXY, startFleet } from './fleet.fixture.ts';
import { RecordingServer, valuesOf } from './recording.fixture.ts';

// The front proxy believes its own certificate: what comes round is not stopped for want of credentials.
const fleet = await startFleet({ flags: [`--requestheader-allowed-names=${FRONT_PROXY}`] });
const LOOP = '/services/loop/x';
/** Passes the self-test as a service does, and sends all else to the front proxy again. */
const roundabout = await RecordingServer.start({ socketPath: join(fleet.folder, 'roundabout.sock') }, (recorded, response) => {
  const hops = valuesOf(recorded, 'x-kcp-virtual-resource-hops').join();
  const headers = { 'audit-id': valuesOf(recorded, 'audit-id').join(), 'x-kcp-virtual-resource-hops': hops };
  void ask(fleet.port, '1.1', { token: 'alice-token', path: recorded.url, headers }).then(({ status, body }) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
});
fleet.writeViews({
  loop: [{ service: 'loop-vw', instance: '1', socketPath: join(fleet.folder, 'roundabout.sock') }],
  self: [{ service: 'self-vw', instance: '1', url: `https://127.0.0.1:${fleet.port}` }],
});
await askUntil(fleet.port, { token: 'alice-token', path: LOOP }, ({ status }) => status === 502);
beforeEach(() => {
  fleet.forget();
  roundabout.requests.length = 0;
});
afterAll(cleanUp);

const HOPS = 'x-kcp-virtual-resource-hops';

describe.each(protocols)('over HTTP/%s', protocol => {
  test.each([LOOP, `${LOOP}?watch=true`])('%s, which leads to the front proxy itself, ends at the fourth hop', async path => {
    const id = `${protocol}-${path.length}`;
    const { status, body } = await ask(fleet.port, protocol, { token: 'alice-token', path, headers: { 'audit-id': id } });
    expect([status, JSON.parse(body).message]).toEqual([502, expect.stringContaining('it runs in a loop')]);
    const passed = (): number => fleet.audit().split(`"auditID":"${id}"`).length - 1;
    await eventually(() => passed() >= 4);
    expect(roundabout.requests.filter(({ url }) => url === path).length).toBeLessThanOrEqual(5);
  });

  test('an address that is its own gets nothing at all: it does not pass for a service', async () => {
    const { status, body } = await ask(fleet.port, protocol, { token: 'alice-token', path: '/services/self/x' });
    expect([status, JSON.parse(body).message]).toEqual([502, expect.stringContaining('has failed its self-test')]);
  });

  test.each(['4', '5', '999'])('a request that has passed %s proxies goes no further', async hops => {
    for (const path of [PATH, RECORDED]) {
      const { status } = await ask(fleet.port, protocol, { token: 'alice-token', path, headers: { [HOPS]: hops } });
      expect(status).toBe(502);
    }
    expect([fleet.shard.requests, fleet.service.requests]).toEqual([[], []]);
  });

  test.each(['-1', 'x', '1, 1', '0x1', '1e9', ''])('a number of hops that is %j is refused', async hops => {
    const { status } = await ask(fleet.port, protocol, { token: 'alice-token', headers: { [HOPS]: hops } });
    expect([status, fleet.shard.requests]).toEqual([400, []]);
  });

  test('who says it twice does not make it less', async () => {
    const { status } = await ask(fleet.port, protocol, { token: 'alice-token', headers: { [HOPS]: ['3', '0'] }, path: RECORDED });
    const hops = fleet.service.requests.flatMap(request => valuesOf(request, HOPS));
    expect([status, hops]).toEqual(status === 200 ? [200, ['4']] : [400, []]);
  });
});
