/**
 * Row 3: a request with `Expect` takes another way. http-proxy emits no `proxyReq` event for it, so that a proxy which cleans the headers
 * in that event does not clean these: `X-Remote-User: system:admin` reached what stood behind.
 */
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { openHttp2, responseOf } from '@kcp-vw/shared/listener/client.fixture.ts';
import { cleanUp, connectRaw, until, untilClosed } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { PATH, RECORDED, statusOf } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import { identityOf, valuesOf } from './recording.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const expectCleaned = (): void => {
  const { requests } = fleet.service.requests.length > 0 ? fleet.service : fleet.shard;
  const [only] = requests;
  if (only === undefined) throw new Error('nothing has come');
  expect([requests.length, only.body, valuesOf(only, 'expect')]).toEqual([1, 'hello', []]);
  expect(identityOf(only).join()).toMatch(/(?:x-remote|impersonate)-user: alice/);
  expect(fleet.service.everything + fleet.shard.everything).not.toContain('system:admin');
};

test.each([RECORDED, PATH])('POST %s with an expectation over HTTP/1.1 is cleaned as any other', async path => {
  const socket = await connectRaw(fleet.port);
  const invited = until(socket, '\r\n\r\n');
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alice-token\r\nX-Remote-User: system:admin\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n`,
  );
  expect(await invited).toMatch(/^HTTP\/1\.1 100 /);
  const received = untilClosed(socket);
  socket.write('hello');
  expect(statusOf(await received)).toBe(200);
  expectCleaned();
});

test.each([RECORDED, PATH])('POST %s with an expectation over HTTP/2 is cleaned as any other', async path => {
  const stream = openHttp2(fleet.port).request(
    {
      ':method': 'POST',
      ':path': path,
      ...{ authorization: 'Bearer alice-token', 'x-remote-user': 'system:admin', expect: '100-continue', 'content-length': '5' },
    },
    { endStream: false },
  );
  const response = responseOf(stream);
  stream.once('continue', () => stream.end('hello'));
  expect((await response).status).toBe(200);
  expectCleaned();
});
