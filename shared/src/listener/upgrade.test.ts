/** Requests to leave HTTP: whatever follows them on the connection is checked by nobody. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { openHttp2, responseOf } from './client.fixture.ts';
import type { UpgradeRequest } from './front.ts';
import {
  cleanUp,
  connectRaw,
  deferred,
  echo,
  eventually,
  exchangeRaw,
  parseRaw,
  serveTls,
  until,
  untilClosed,
} from './listener.fixture.ts';

afterEach(cleanUp);

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
const upgradeTo = (protocol: string, headers = ''): string =>
  `GET /exec HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${headers}\r\n`;

const serveUpgrades = async (onUpgrade?: (request: UpgradeRequest) => void) => {
  const seen: string[] = [];
  const served = await serveTls(async exchange => {
    seen.push(exchange.url);
    await echo(exchange);
  }, onUpgrade && { onUpgrade });
  return { ...served, seen };
};

describe('without tunnels, a request', () => {
  test.each([
    ['to upgrade to WebSocket', upgradeTo('websocket')],
    ['to upgrade to SPDY', upgradeTo('SPDY/3.1')],
    ['to upgrade to clear-text HTTP/2', upgradeTo('h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__\r\n')],
    ['to CONNECT', 'CONNECT internal:443 HTTP/1.1\r\nHost: internal:443\r\n\r\n'],
  ])('%s is refused with a Status, and nothing behind it is heard', async (_name, request) => {
    const { port, seen } = await serveUpgrades();
    const { status, head, body } = parseRaw(await exchangeRaw(port, `${request}${SMUGGLED}`));
    expect(status).toBe(400);
    expect(head.toLowerCase()).toContain('connection: close');
    expect(JSON.parse(body)).toMatchObject({ kind: 'Status', code: 400 });
    expect(seen).toEqual([]);
  });

  test('to CONNECT over HTTP/2 is refused', async () => {
    const { port, seen } = await serveUpgrades();
    const session = openHttp2(port);
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'internal:443' });
    expect((await responseOf(stream)).status).toBe(400);
    expect(seen).toEqual([]);
  });

  // The preface of HTTP/2 on a connection that has negotiated HTTP/1.1.
  test('that is the preface of HTTP/2 is not heard', async () => {
    const { port, seen } = await serveUpgrades();
    await exchangeRaw(port, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${SMUGGLED}`);
    expect(seen).toEqual([]);
  });
});

describe('with tunnels, a request', () => {
  test('to upgrade is handed over with its socket, and counts as running until that closes', async () => {
    const upgraded = deferred<UpgradeRequest>();
    const { port, listener } = await serveUpgrades(upgraded.resolve);
    const socket = await connectRaw(port);
    const received = until(socket, 'pong');
    socket.write(`${upgradeTo('websocket', 'X-Group: a\r\nX-Group: b\r\n')}ping`);
    const request = await upgraded.promise;
    expect(request).toMatchObject({ method: 'GET', url: '/exec', protocol: 'websocket', peer: { address: '127.0.0.1' } });
    expect(request.headers.filter(value => value === 'X-Group')).toHaveLength(2);
    expect(request.head.toString()).toBe('ping');
    expect(listener.stats.exchanges).toBe(1);
    request.socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\npong');
    await received;
    const closed = untilClosed(socket);
    request.socket.destroy();
    await closed;
    expect(listener.stats.exchanges).toBe(0);
  });

  test.each([
    ['for clear-text HTTP/2', upgradeTo('h2c')],
    ['for clear-text HTTP/2 among others', upgradeTo('websocket, h2c')],
    ['for several protocols', upgradeTo('websocket, SPDY/3.1')],
    ['for several protocols in headers of their own', upgradeTo('websocket', 'Upgrade: h2c\r\n')],
    ['for the same protocol twice', upgradeTo('websocket', 'Upgrade: websocket\r\n')],
    ['for TLS', upgradeTo('TLS/1.2')],
    ['for another SPDY', upgradeTo('SPDY/2')],
    ['with two Hosts', upgradeTo('websocket', 'Host: b\r\n')],
    ['with two Authorizations', upgradeTo('websocket', 'Authorization: a\r\nAuthorization: b\r\n')],
    ['with a body', upgradeTo('websocket', 'Content-Length: 4\r\n')],
    ['with a body behind it', upgradeTo('websocket', 'Content-Length: 4\r\n').replace('GET', 'POST').concat('body')],
    ['with a chunked body', upgradeTo('websocket', 'Transfer-Encoding: chunked\r\n')],
    [
      'with a chunked body behind it',
      upgradeTo('SPDY/3.1', 'Transfer-Encoding: chunked\r\n').replace('GET', 'POST').concat('4\r\nbody\r\n0\r\n\r\n'),
    ],
    ['with two lengths', upgradeTo('websocket', 'Content-Length: 0\r\nContent-Length: 0\r\n')],
    ['for an absolute target', upgradeTo('websocket').replace('/exec', 'http://b/exec')],
  ])('to upgrade %s is refused', async (_name, request) => {
    const upgraded: UpgradeRequest[] = [];
    const { port, seen } = await serveUpgrades(upgrade => void upgraded.push(upgrade));
    expect(parseRaw(await exchangeRaw(port, `${request}${SMUGGLED}`)).status).toBe(400);
    expect([upgraded, seen]).toEqual([[], []]);
  });

  test.each([
    ['SPDY/3.1', 'SPDY/3.1'],
    ['spdy/3.1', 'SPDY/3.1'],
    ['WebSocket', 'websocket'],
  ])('to upgrade to %s is one to %s, a length of nothing beside it', async (asked, protocol) => {
    const upgraded = deferred<UpgradeRequest>();
    const { port } = await serveUpgrades(upgraded.resolve);
    const socket = await connectRaw(port);
    socket.write(upgradeTo(asked, 'Content-Length: 0\r\n').replace('GET', 'POST'));
    expect(await upgraded.promise).toMatchObject({ protocol, method: 'POST' });
  });

  test('to upgrade is refused with 503 when the server drains: elsewhere it would not be', async () => {
    const { port, listener } = await serveUpgrades(() => undefined);
    const running = await connectRaw(port);
    running.write(upgradeTo('websocket'));
    const late = await connectRaw(port);
    await eventually(() => listener.stats.exchanges === 1);
    const drained = listener.drain();
    await new Promise<void>(resolve => listener.onDrain(resolve));
    const received = untilClosed(late);
    late.write(upgradeTo('websocket'));
    expect(parseRaw(await received)).toMatchObject({ status: 503, head: expect.stringContaining('retry-after: 1') });
    running.destroy();
    await drained;
  });

  // CVE-2018-1002105 began with a connection that two requests believed to be theirs.
  test('to upgrade behind one that is not answered yet ends the connection', async () => {
    const upgraded: UpgradeRequest[] = [];
    const { port } = await serveTls(() => {}, { onUpgrade: upgrade => void upgraded.push(upgrade) });
    expect(await exchangeRaw(port, `GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${upgradeTo('websocket')}`)).toBe('');
    expect(upgraded).toEqual([]);
  });

  test('whose taker throws ends the connection, and is reported', async () => {
    const { port, errors } = await serveUpgrades(() => {
      throw new Error('a bug');
    });
    expect(await exchangeRaw(port, upgradeTo('websocket'))).toBe('');
    expect(errors).toHaveLength(1);
  });
});
