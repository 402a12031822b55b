import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { numOpenSockets } from 'http-proxy';
import { cleanUp, connectRaw, eventually, exchangeRaw, parseRaw, until, untilClosed } from '../listener/listener.fixture.ts';
import {
  echo,
  headerLines,
  SPDY_SWITCHED,
  SWITCHED,
  serveBackend,
  serveTunnels,
  spdy,
  type Taken,
  webSocket,
} from './tunnel.fixture.ts';

afterEach(async () => {
  await cleanUp();
  await eventually(() => numOpenSockets() === 0);
});

/** More than all buffers on the way take. */
const MUCH = 24 * 1024 * 1024;

function writeMuch(socket: Socket): void {
  const piece = Buffer.alloc(64 * 1024, 'b');
  for (let sent = 0; sent < MUCH; sent += piece.length) socket.write(piece);
}

/** What is left to be sent when nothing moves any more, for as many looks as everything would need to arrive. */
async function standing(sender: () => Socket | undefined): Promise<number> {
  let seen = -1;
  let looks = 0;
  await eventually(() => {
    const waiting = sender()?.writableLength ?? 0;
    looks = waiting === seen ? looks + 1 : 0;
    seen = waiting;
    return looks > 40;
  });
  return seen;
}

describe('a tunnel', () => {
  test('carries the bytes of both sides after the switch, those sent ahead of it first', async () => {
    const backend = await serveBackend(({ socket }) => socket.write(`${SWITCHED}\r\nhello `));
    const { port } = await serveTunnels(backend);
    const socket = await connectRaw(port);
    const answered = until(socket, 'hello ');
    socket.write(`${webSocket()}early `);
    expect(await answered).toMatch(/^HTTP\/1\.1 101 /);
    await eventually(() => backend.taken[0]?.received.endsWith('\r\n\r\nearly ') === true);
    socket.write('late');
    await eventually(() => backend.taken[0]?.received.endsWith('early late') === true);
    const echoed = until(socket, 'bye');
    backend.taken[0]?.socket.write('bye');
    await echoed;
  });

  test('asks the backend for what the client asks for, in its path’s bytes, with headers that were made for it', async () => {
    const backend = await serveBackend(echo);
    const { port } = await serveTunnels(backend);
    const path = '/services/v/a%2fb//c/../%7Ed?x=%20&watch=1&watch';
    const socket = await connectRaw(port);
    socket.write(webSocket(path, 'Sec-WebSocket-Protocol: a.k8s.io\r\nOrigin: https://console\r\nCookie: c=1\r\nX-Other: o\r\n'));
    await until(socket, '\r\n\r\n');
    expect(backend.taken[0]?.received).toMatch(`GET ${path} HTTP/1.1\r\n`);
    expect(headerLines(backend.taken[0] as Taken).toSorted()).toEqual([
      'connection: upgrade',
      `host: 127.0.0.1:${backend.port}`,
      'origin: https://console',
      'sec-websocket-key: dghlihnhbxbszsbub25jzq==',
      'sec-websocket-protocol: a.k8s.io',
      'sec-websocket-version: 13',
      'upgrade: websocket',
      'x-remote-group: a,b',
      'x-remote-group: c',
      'x-remote-user: alice',
    ]);
  });

  // The library joins and parses paths where it is let.
  test.each([
    ['//a//b/?c=/d?e', '//a//b/?c=/d?e'],
    ['/../%2e%2e/./a%00%5C\\b', '/../%2e%2e/./a%00%5C\\b'],
    ['/a??', '/a??'],
    ['/a?&', '/a?&'],
    // The same to every reader.
    ['/a?', '/a'],
  ])('asks for %s as %s', async (path, sent) => {
    const backend = await serveBackend(echo);
    const { port } = await serveTunnels(backend);
    const socket = await connectRaw(port);
    const received = until(socket, '\r\n\r\n');
    socket.write(webSocket(path));
    await received;
    expect(backend.taken[0]?.received.split('\r\n')[0]).toBe(`GET ${sent} HTTP/1.1`);
  });

  test('shows the client of the backend’s answer what the protocol needs, and no more', async () => {
    const more =
      'Sec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: a\r\nSet-Cookie: s=1\r\nServer: go\r\nX-Kcp-Vw-Record: {}\r\n';
    const backend = await serveBackend(({ socket }) => socket.write(`${SWITCHED}${more}\r\nbytes`));
    const { port, exchanges } = await serveTunnels(backend);
    const socket = await connectRaw(port);
    const received = until(socket, 'bytes');
    socket.write(webSocket());
    expect(await received).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\nsec-websocket-protocol: a\r\n\r\nbytes',
    );
    expect(exchanges[0]?.status).toBe(101);
  });

  // http-proxy destroys whatever is not a GET to a WebSocket: `kubectl exec` over SPDY is a POST.
  test.each(['GET', 'POST'])('carries SPDY, asked for with %s', async method => {
    const backend = await serveBackend(({ socket }) =>
      socket.write(`${SPDY_SWITCHED}X-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n`),
    );
    const { port } = await serveTunnels(backend);
    const socket = await connectRaw(port);
    const received = until(socket, '\r\n\r\n');
    socket.write(`${spdy('/exec?command=ls', '', method)}frames`);
    expect(await received).toContain('upgrade: SPDY/3.1\r\nx-stream-protocol-version: v4.channel.k8s.io\r\n');
    await eventually(() => backend.taken[0]?.received.endsWith('frames') === true);
    expect(backend.taken[0]?.received).toMatch(`${method} /exec?command=ls HTTP/1.1\r\n`);
    expect(headerLines(backend.taken[0] as Taken)).toContain('upgrade: spdy/3.1');
  });

  test('holds back a backend that sends more than the client takes, and loses nothing of it', async () => {
    const backend = await serveBackend(({ socket }) => {
      socket.write(`${SWITCHED}\r\n`);
      writeMuch(socket);
    });
    const { port } = await serveTunnels(backend);
    const socket = await connectRaw(port);
    socket.write(webSocket());
    const head = await until(socket, '\r\n\r\n');
    socket.pause();
    expect(await standing(() => backend.taken[0]?.socket)).toBeGreaterThan(MUCH / 4);
    let bytes = head.length - head.indexOf('\r\n\r\n') - 4;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.resume();
    await eventually(() => bytes === MUCH);
  });

  test('holds back a client that sends more than the backend takes, and loses nothing of it', async () => {
    let bytes = 0;
    const backend = await serveBackend(({ socket }) => {
      socket.write(`${SWITCHED}\r\n`);
      socket.removeAllListeners('data').on('data', chunk => {
        bytes += chunk.length;
      });
      socket.pause();
    });
    const { port } = await serveTunnels(backend);
    const socket = await connectRaw(port);
    socket.write(webSocket());
    await until(socket, '\r\n\r\n');
    writeMuch(socket);
    expect(await standing(() => socket)).toBeGreaterThan(MUCH / 4);
    backend.taken[0]?.socket.resume();
    await eventually(() => bytes === MUCH);
  });
});

describe('what is no switch', () => {
  // CVE-2018-1002105: the backend refuses, the proxy believes the connection to be upgraded, and what the client sends next goes to the
  // backend as a request of the proxy's. http-proxy leaves the connection to the backend open.
  test.each([403, 404, 500])(
    '%i is relayed as a whole answer, both connections end, and a second request reaches nobody',
    async status => {
      const body = `{"kind":"Status","code":${status}}`;
      const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
      const backend = await serveBackend(({ socket }) =>
        socket.write(
          `HTTP/1.1 ${status} No\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nSet-Cookie: s=1\r\nRetry-After: 3\r\n\r\n${chunked}`,
        ),
      );
      const { port, outcomes } = await serveTunnels(backend);
      const socket = await connectRaw(port);
      const received = untilClosed(socket);
      socket.write(`${webSocket()}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
      const answer = parseRaw(await received);
      expect([answer.status, answer.body]).toEqual([status, body]);
      expect(answer.head.split('\r\n').slice(1)).toEqual([
        'content-type: application/json',
        'retry-after: 3',
        `content-length: ${body.length}`,
        'connection: close',
      ]);
      await eventually(() => backend.taken[0]?.isClosed === true);
      expect(backend.taken.map(({ received: bytes }) => bytes.includes('smuggled'))).toEqual([false]);
      expect(outcomes).toMatchObject([{ end: 'refused', upstreamStatus: status }]);
    },
  );

  test.each([
    // CVE-2022-3172: a redirect would send the client, with its credentials, where the backend likes.
    ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: https://evil/\r\nContent-Length: 0\r\n\r\n'],
    ['a success', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret'],
    [
      'a success with an Upgrade',
      'HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 6\r\n\r\nsecret',
    ],
    ['a switch to another protocol', `${SPDY_SWITCHED}\r\nsecret`],
    ['a switch to several protocols', `${SWITCHED.replace('websocket', 'websocket, h2c')}\r\nsecret`],
    // Read on for a response, it would be one that the backend chooses.
    ['a switch to nothing', 'HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nsecret'],
    ['no HTTP', 'secret\r\n\r\n'],
    // Passed on, it would make the client throw away its own credentials.
    ['a refusal of our own credentials', 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\n\r\nsecret'],
    ['a refusal that is cut', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 600\r\n\r\nsecret'],
    ['a refusal without end', `HTTP/1.1 403 Forbidden\r\nContent-Length: 600000\r\n\r\n${'secret'.repeat(100_000)}`],
  ])('%s is a 502 of ours', async (_name, answer) => {
    const backend = await serveBackend(({ socket }) => void socket.end(answer));
    const { port } = await serveTunnels(backend);
    const { status, body } = parseRaw(await exchangeRaw(port, `${webSocket()}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`));
    expect([status, JSON.parse(body)]).toMatchObject([502, { kind: 'Status', code: 502 }]);
    expect(body).not.toContain('secret');
    await eventually(() => backend.taken[0]?.isClosed === true);
    expect(backend.taken[0]?.received).not.toContain('smuggled');
  });

  test('a backend that says nothing is left after a while, with a 504', async () => {
    const backend = await serveBackend(() => undefined);
    const { port } = await serveTunnels(backend, { answerTimeout: 50 });
    expect(parseRaw(await exchangeRaw(port, webSocket())).status).toBe(504);
    await eventually(() => backend.taken[0]?.isClosed === true);
  });

  test('a backend that breaks the connection before it has answered is a 502, and one that cannot be reached a 503', async () => {
    const breaking = await serveBackend(({ socket }) => void socket.destroy());
    const { port } = await serveTunnels(breaking);
    expect(parseRaw(await exchangeRaw(port, webSocket())).status).toBe(502);
    const unreachable = await serveTunnels({ port: 1 });
    expect(parseRaw(await exchangeRaw(unreachable.port, webSocket())).status).toBe(503);
  });

  test('an answer whose headers cannot be read is no answer, and takes nobody with it', async () => {
    const backend = await serveBackend(({ socket }) => socket.write(`${SWITCHED}\r\n`));
    const head = (): never => {
      throw new Error('malformed');
    };
    const { port, errors } = await serveTunnels(backend, { head });
    expect(parseRaw(await exchangeRaw(port, webSocket())).status).toBe(500);
    expect(errors).toHaveLength(1);
    await eventually(() => backend.taken[0]?.isClosed === true);
  });
});
