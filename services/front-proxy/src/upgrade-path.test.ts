/** What is known to go wrong with upgrades in proxies, tried over the whole way: front proxy, service, shard. */
import type { ConnectionOptions } from 'node:tls';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openHttp2 } from '@kcp-vw/shared/listener/client.fixture.ts';
import {
  cleanUp,
  clientCA,
  connectRaw,
  eventually,
  exchangeRaw,
  parseRaw,
  until,
  untilClosed,
} from '@kcp-vw/shared/listener/listener.fixture.ts';
import { headerLines, SPDY_SWITCHED, SWITCHED, spdy, type Taken, webSocket } from '@kcp-vw/shared/tunnel/tunnel.fixture.ts';
import { HOPS, PATH, SHARD_TOKEN, serveFleet, TOKEN } from './upgrade-path.fixture.ts';

afterEach(cleanUp);

const WATCH = `${PATH}?watch=1`;
const EXEC = `${PATH}/p/exec?command=sh`;
const BEARER = `Authorization: Bearer ${TOKEN}\r\n`;
const SUBPROTOCOL = `base64url.bearer.authorization.k8s.io.${Buffer.from(TOKEN).toString('base64url')}`;
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

const switching = ({ socket, received }: Taken): void =>
  void socket.write(`${received.includes('SPDY/3.1') ? SPDY_SWITCHED : SWITCHED}\r\n`);

/** The lines that say who asks, as the shard got them. */
const identityLines = (taken: Taken | undefined): string[] =>
  headerLines(taken ?? { received: '' })
    .filter(line => /^(x[-_]remote|impersonate|x[-_]kcp-vw|authorization|cookie)/.test(line))
    .map(line => line.replace(/x509sha256=[0-9a-f]{64}$/, 'a digest'));

const { certPem: cert, keyPem: key } = clientCA.issue({ commonName: 'bob', organizations: ['dev'], usage: 'client' });

async function open(port: number, request: string, options: ConnectionOptions = {}) {
  const socket = await connectRaw(port, options);
  const switched = until(socket, '\r\n\r\n');
  socket.write(request);
  return { socket, head: await switched };
}

describe.each(HOPS)('an upgrade by way of %s to the service', hop => {
  const FORGED = [
    'X-Remote-User: admin',
    'X-Remote-Group: system:masters',
    'X-Remote-Group: other',
    'x-ReMoTe-eXtRa-authorization.kcp.io%2fwarrant: {"user":"admin"}',
    'X-Remote-Uid: 1',
    'X_Remote_User: admin',
    'Impersonate_User: admin',
    'X-Kcp-Vw-Impersonator: x',
    'X-Kcp-Vw-Authenticated-By: certificate',
    'Cookie: a=b',
  ].map(line => `${line}\r\n`);
  const ALICE = ['authorization: bearer canary-token-of-the-service', 'impersonate-user: alice'].concat(
    ['a,b', 'jörg', 'system:authenticated'].map(group => `impersonate-group: ${Buffer.from(group).toString('latin1')}`),
  );
  const BOB = [ALICE[0], 'impersonate-user: bob', 'impersonate-group: dev', 'impersonate-group: system:authenticated'].concat(
    'impersonate-extra-authentication.kubernetes.io%2fcredential-id: a digest',
  );
  const NOBODY = [ALICE[0], 'impersonate-user: system:anonymous', 'impersonate-group: system:unauthenticated'];

  // Whatever a client says of itself, over a path that web frameworks and most filters never see.
  test.each<[string, string, ConnectionOptions, (string | undefined)[]]>([
    ['a token', BEARER, {}, ALICE],
    ['a token among the subprotocols', `Sec-WebSocket-Protocol: ${SUBPROTOCOL}, a\r\n`, {}, ALICE],
    ['a certificate', '', { cert, key }, BOB],
    ['nothing', '', {}, NOBODY],
  ])(
    'carries the identity that was worked out from %s, and none that is claimed',
    async (_name, credentials, options, expected) => {
      const { port, taken } = await serveFleet(hop, switching);
      const forged = FORGED.join('');
      await open(port, webSocket(WATCH, `${forged}${credentials}`), options);
      expect(identityLines(taken[0]).toSorted()).toEqual(expected.toSorted());
      if (credentials.startsWith('Sec')) return;
      await open(port, spdy(EXEC, `${forged}${credentials}`), options);
      expect(identityLines(taken[1]).toSorted()).toEqual(expected.toSorted());
    },
  );

  // http-proxy tells nobody of a request with `Expect`, so that what is done in its event is not done to this one.
  test('carries no forged identity beside an expectation', async () => {
    const { port, taken } = await serveFleet(hop, switching);
    await open(port, webSocket(WATCH, `Expect: 100-continue\r\n${FORGED.join('')}${BEARER}`));
    expect(identityLines(taken[0]).toSorted()).toEqual(ALICE.toSorted());
    expect(headerLines(taken[0] as Taken).filter(line => line.startsWith('expect'))).toEqual([]);
  });

  // CVE-2021-31999, CVE-2022-23652: a proxy that drops what `Connection` names after it has put in its own drops its own.
  test('carries the identity also where the client declares its headers to be of one hop', async () => {
    const { port, taken } = await serveFleet(hop, switching);
    const nominating = 'Connection: Upgrade, X-Remote-User, X-Remote-Group, Impersonate-User, Impersonate-Group, Authorization';
    await open(port, webSocket(WATCH, BEARER).replace('Connection: Upgrade', nominating));
    expect(identityLines(taken[0]).toSorted()).toEqual(ALICE.toSorted());
    expect(headerLines(taken[0] as Taken).filter(line => line.startsWith('connection'))).toEqual(['connection: upgrade']);
  });

  test('is refused where the client would impersonate, and where its credentials are not good', async () => {
    const { port, taken } = await serveFleet(hop, switching);
    const answers = [`Impersonate-User: admin\r\n${BEARER}`, 'Authorization: Bearer other\r\n'].map(headers =>
      exchangeRaw(port, webSocket(WATCH, headers)),
    );
    expect((await Promise.all(answers)).map(answer => parseRaw(answer).status)).toEqual([403, 401]);
    expect(taken).toEqual([]);
  });

  // CVE-2018-1002105: after a refusal the connection stays open, and the client's next request goes to the shard as the proxy's own.
  test.each([
    ['a refusal, which is relayed', 'HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno', 403],
    ['an error, which is relayed', 'HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n', 500],
    ['a success that is no switch', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno', 502],
    // CVE-2022-3172, CVE-2020-8559.
    ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: https://evil/\r\nContent-Length: 0\r\n\r\n', 502],
    ['a switch to what was not asked for', `${SPDY_SWITCHED}\r\n`, 502],
  ])('that the shard answers with %s ends both connections, and nothing behind it is heard', async (_name, answer, status) => {
    const { port, taken, upstreams, audited } = await serveFleet(hop, ({ socket }) => void socket.write(answer));
    const received = parseRaw(await exchangeRaw(port, `${webSocket(WATCH, BEARER)}${SMUGGLED}`));
    expect(received.status).toBe(status);
    expect(received.head).toContain('connection: close');
    expect(received.body).toHaveLength(Number(/content-length: (\d+)/.exec(received.head)?.[1]));
    expect([received.head.includes('evil'), received.head.includes('x-kcp-vw-record')]).toEqual([false, false]);
    await eventually(() => taken[0]?.isClosed === true && upstreams.every(upstream => upstream.stats().tunnels === 0));
    expect(taken.map(({ received: bytes }) => bytes.includes('smuggled'))).toEqual([false]);
    expect(audited).toMatchObject([{ code: status, user: 'alice', view: 'v', verb: 'watch' }]);
  });

  test.each([
    ['clear-text HTTP/2', webSocket(WATCH, BEARER).replace('Upgrade: websocket', 'Upgrade: h2c')],
    ['one of two protocols', spdy(EXEC, BEARER).replace('SPDY/3.1', 'SPDY/3.1, websocket')],
    ['a tunnel to anywhere', 'CONNECT internal:443 HTTP/1.1\r\nHost: internal:443\r\n\r\n'],
  ])('to %s is refused, and the shard hears nothing', async (_name, request) => {
    const { port, taken } = await serveFleet(hop, switching);
    expect(parseRaw(await exchangeRaw(port, `${request}${SMUGGLED}`)).status).toBe(400);
    expect(taken).toEqual([]);
  });

  // CVE-2019-11250, CVE-2020-8565: tokens in logs. A subprotocol is a credential in a header that nobody takes for one.
  test('leaves no token in what is written down, sent on or answered, whatever becomes of it', async () => {
    const { port, taken, audited, told, metrics } = await serveFleet(hop, taken => {
      if (taken.received.includes('/broken/')) taken.socket.destroy();
      else switching(taken);
    });
    const protocols = `Sec-WebSocket-Protocol: ${SUBPROTOCOL}, v4.channel.k8s.io\r\n`;
    const { head } = await open(port, webSocket(WATCH, protocols));
    const answers = [
      head,
      await exchangeRaw(port, webSocket('/services/v/clusters/broken/api/v1/pods?watch=1', protocols)),
      await exchangeRaw(port, webSocket('/services/other', protocols)),
      await exchangeRaw(port, webSocket(PATH, protocols)),
      await exchangeRaw(port, webSocket(WATCH, `${protocols}${protocols}`)),
      await exchangeRaw(port, webSocket(WATCH, protocols.replace(', v4.channel.k8s.io', ''))),
      await exchangeRaw(port, webSocket(WATCH, protocols).replace('GET', 'DELETE')),
    ];
    expect(headerLines(taken[0] as Taken)).toContain('sec-websocket-protocol: v4.channel.k8s.io');
    const toTheShard = taken.map(({ received }) => received.replaceAll(SHARD_TOKEN, '')).join('');
    const everything = inspect([answers, audited, told, await metrics.registry.metrics(), toTheShard], { depth: 20 });
    for (const secret of [TOKEN, SUBPROTOCOL, SUBPROTOCOL.slice(-20)]) expect(everything).not.toContain(secret);
    expect(inspect(answers)).not.toContain(SHARD_TOKEN);
  });

  test('carries bytes both ways, is counted while it is open, and audited when it has ended', async () => {
    const { port, taken, audited, metrics } = await serveFleet(hop, switching);
    const { socket, head } = await open(port, `${spdy(EXEC, `${BEARER}Audit-ID: an-id\r\n`)}early `);
    expect(head).toContain('upgrade: SPDY/3.1\r\n');
    expect(head).toContain('audit-id: an-id\r\n');
    expect(head).not.toContain('x-kcp-vw-record');
    socket.write('late');
    await eventually(() => taken[0]?.received.endsWith('early late') === true);
    const answered = until(socket, 'bytes');
    taken[0]?.socket.write('bytes');
    await answered;
    expect(await metrics.registry.metrics()).toContain('proxy_upgrades_active{protocol="spdy"} 1');
    expect(audited).toEqual([]);
    socket.end();
    taken[0]?.socket.end();
    await eventually(() => audited.length === 1);
    expect(audited).toMatchObject([
      { code: 101, user: 'alice', view: 'v', cluster: 'root', resource: 'pods/exec', because: 'it is forwarded', complete: true },
    ]);
    expect(await metrics.registry.metrics()).toContain('proxy_upgrades_active{protocol="spdy"} 0');
  });

  test('whose client goes away is gone from the shard as well', async () => {
    const { port, taken, upstreams } = await serveFleet(hop, taken => {
      if (!taken.received.includes('/silent/')) switching(taken);
    });
    const { socket } = await open(port, webSocket(WATCH, BEARER));
    const waiting = await connectRaw(port);
    waiting.write(webSocket('/services/v/clusters/silent/api/v1/pods?watch=1', BEARER));
    await eventually(() => taken.length === 2);
    for (const one of [socket, waiting]) one.destroy();
    await eventually(
      () => taken.every(({ isClosed }) => isClosed) && upstreams.every(upstream => upstream.stats().tunnels === 0),
    );
  });

  test('whose shard dies is cut, and that of one that ends is ended', async () => {
    const { port, taken, audited } = await serveFleet(hop, switching);
    for (const index of [0, 1]) {
      const { socket } = await open(port, webSocket(WATCH, BEARER));
      const closed = untilClosed(socket);
      if (index === 0) taken[index]?.socket.destroy();
      else taken[index]?.socket.end('last words');
      expect(await closed).toBe(index === 0 ? '' : 'last words');
    }
    await eventually(() => audited.length === 2);
  });
});

// RFC 8441 would bring WebSockets in by another door.
test('HTTP/2 clients are offered no way to upgrade', async () => {
  const { port } = await serveFleet('a Unix socket', switching);
  const session = openHttp2(port);
  await new Promise(resolve => session.once('remoteSettings', resolve));
  expect(session.remoteSettings.enableConnectProtocol ?? false).toBe(false);
});
