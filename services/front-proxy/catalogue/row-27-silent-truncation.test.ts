/**
 * Row 27: half an answer that looks whole. What stands behind dies in the middle; a proxy that ends the answer then shows a list without
 * half of its objects, and a controller deletes what it does not see. http-proxy leaves the client waiting instead.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, PATH, protocols, RECORDED, WATCH } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import type { Respond } from './recording.fixture.ts';

const fleets = { 'a socket': await startFleet(), TLS: await startFleet({ hop: 'tls' }) };
beforeEach(() => {
  for (const fleet of Object.values(fleets)) fleet.forget();
});
afterAll(cleanUp);

const dyingAfter =
  (headers: Record<string, string>): Respond =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    response.write('{"items":[{"a":1},');
    setImmediate(() => {
      // Over HTTP/2 the answer only, over HTTP/1.1 the connection.
      response.destroy();
    });
  };

describe.each(Object.entries(fleets))('of a service behind %s', (_, fleet) => {
  describe.each(protocols)('over HTTP/%s', protocol => {
    test.each([
      ['of a known length', { 'content-length': '1000' }],
      ['of an unknown length', {}],
    ])('an answer %s that breaks off behind is cut', async (_, headers) => {
      fleet.shard.respond = fleet.service.respond = dyingAfter(headers as Record<string, string>);
      for (const path of [PATH, WATCH, RECORDED]) {
        const answer = await ask(fleet.port, protocol, { token: 'alice-token', path });
        expect([path, answer.status, answer.complete]).toEqual([path, 200, false]);
      }
    });

    test('an answer that breaks off before it has begun is a 502', async () => {
      fleet.shard.respond = fleet.service.respond = (_request, response) => void response.destroy();
      for (const path of [PATH, WATCH, RECORDED]) {
        const { status, complete } = await ask(fleet.port, protocol, { token: 'alice-token', path });
        expect([path, status, complete]).toEqual([path, 502, true]);
      }
    });

    // A POST of which some may have arrived is not sent again.
    test('what may have been done is not done twice', async () => {
      fleet.shard.respond = (_request, response) => void response.destroy();
      const { status } = await ask(fleet.port, protocol, { token: 'alice-token', method: 'POST', body: '{}' });
      expect([status, fleet.shard.requests.length]).toEqual([502, 1]);
    });
  });
});
