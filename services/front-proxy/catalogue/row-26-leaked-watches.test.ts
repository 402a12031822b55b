/**
 * Row 26: the client is gone, its request goes on. http-proxy leaves what it has opened behind open, so that each watch of a client that
 * comes and goes stays at the shard for ever.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openHttp2, responseOf } from '@kcp-vw/shared/listener/client.fixture.ts';
import { cleanUp, connectRaw, eventually, resetConnection } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { begin, begin2, PATH, protocols, RECORDED, WATCH } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import { quietWatch } from './recording.fixture.ts';

const fleets = { 'a socket': await startFleet(), TLS: await startFleet({ hop: 'tls' }) };
beforeEach(() => {
  for (const { forget, shard, service } of Object.values(fleets)) {
    forget();
    shard.respond = quietWatch;
    service.respond = quietWatch;
  }
});
afterAll(cleanUp);

describe.each(Object.entries(fleets))('of a service behind %s', (_, fleet) => {
  const token = 'alice-token';
  const nothingIsOpen = (): Promise<void> => eventually(() => fleet.shard.open + fleet.service.open === 0);

  test.each(protocols)('who leaves a watch over HTTP/%s takes it away from the shard', async protocol => {
    const watches = Array.from({ length: 10 }, () => begin(fleet.port, protocol, { token, path: WATCH }));
    await eventually(() => watches.every(({ text }) => text().includes('ADDED')));
    expect(fleet.shard.open).toBe(10);
    for (const { leave } of watches) leave();
    await nothingIsOpen();
  });

  test.each(protocols)('who leaves before he is answered over HTTP/%s takes his request away', async protocol => {
    fleet.shard.respond = fleet.service.respond = () => undefined;
    for (const path of [PATH, WATCH, RECORDED]) {
      const { leave, response } = begin(fleet.port, protocol, { token, path });
      response.catch(() => undefined);
      await eventually(() => fleet.shard.open + fleet.service.open === 1);
      leave();
      await nothingIsOpen();
    }
  });

  test('who leaves in the middle of his body leaves no half of it behind, over either protocol', async () => {
    const head = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Length: 100\r\n\r\nhalf`;
    const socket = await connectRaw(fleet.port);
    socket.write(head);
    await eventually(() => fleet.shard.requests[0]?.body === 'half');
    resetConnection(socket);
    await nothingIsOpen();

    const fields = { ':method': 'POST', ':path': PATH, authorization: `Bearer ${token}` };
    const stream = openHttp2(fleet.port).request(fields, { endStream: false });
    void responseOf(stream);
    stream.write('half');
    await eventually(() => fleet.shard.requests[1]?.body === 'half');
    stream.close(8);
    await nothingIsOpen();
  });

  test('one stream that is left leaves the others of its connection as they are', async () => {
    const session = openHttp2(fleet.port);
    const watches = Array.from({ length: 5 }, () => begin2(session, { token, path: WATCH }));
    await eventually(() => watches.every(({ text }) => text().includes('ADDED')));
    watches[0]?.leave();
    await eventually(() => fleet.shard.open === 4);
    session.destroy();
    await nothingIsOpen();
  });
});
