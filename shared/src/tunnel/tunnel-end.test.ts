import { afterEach, describe, expect, test } from '@jest/globals';
import { numOpenSockets } from 'http-proxy';
import { cleanUp, connectRaw, eventually, exchangeRaw, parseRaw, until, untilClosed } from '../listener/listener.fixture.ts';
import { echo, SWITCHED, serveBackend, serveTunnels, webSocket } from './tunnel.fixture.ts';

afterEach(async () => {
  await cleanUp();
  await eventually(() => numOpenSockets() === 0);
});

describe('the end of one side', () => {
  // With http-proxy 1.18.1, 200 of 200 abandoned requests stay open at the backend.
  test.each([
    ['waits for the backend', false],
    ['has a tunnel', true],
  ])('ends the backend’s when a client goes that %s', async (_name, isSwitched) => {
    const backend = await serveBackend(({ socket }) => void (isSwitched && socket.write(`${SWITCHED}\r\n`)));
    const { port, upstream, outcomes } = await serveTunnels(backend);
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectRaw(port)));
    for (const client of clients) client.write(webSocket());
    await eventually(() => backend.taken.length === 20 && backend.taken.every(({ received }) => received !== ''));
    if (isSwitched) await eventually(() => clients.every(client => client.bytesRead > 0));
    for (const client of clients) client.destroy();
    await eventually(() => backend.taken.every(({ isClosed }) => isClosed));
    await eventually(() => upstream.stats().tunnels === 0 && outcomes.length === 20);
  });

  test('ends the backend’s when a client has said that it will send no more, and does not end itself', async () => {
    const backend = await serveBackend(({ socket }) => socket.write(`${SWITCHED}\r\n`));
    const { port, outcomes } = await serveTunnels(backend, { lingerTimeout: 20 });
    const socket = await connectRaw(port);
    socket.write(webSocket());
    await until(socket, '\r\n\r\n');
    const closed = untilClosed(socket);
    socket.end('last words');
    await closed;
    await eventually(() => backend.taken[0]?.isClosed === true);
    expect(backend.taken[0]?.received).toContain('last words');
    await eventually(() => outcomes.length === 1);
    expect(outcomes).toMatchObject([{ end: 'complete' }]);
  });

  test('ends the client’s behind the backend’s last bytes', async () => {
    const backend = await serveBackend(({ socket }) => void socket.end(`${SWITCHED}\r\n${'x'.repeat(300_000)}end`));
    const { port, outcomes } = await serveTunnels(backend);
    const received = await exchangeRaw(port, webSocket());
    expect(received.endsWith('xend')).toBe(true);
    expect(received.length).toBeGreaterThan(300_000);
    await eventually(() => outcomes.length === 1);
    expect(outcomes).toMatchObject([{ end: 'complete', upstreamStatus: 101 }]);
  });

  // A truncated tunnel must not look like one that has ended; http-proxy hangs it.
  test('cuts the client’s when the backend breaks', async () => {
    const backend = await serveBackend(({ socket }) => socket.write(`${SWITCHED}\r\npart`));
    const { port, outcomes } = await serveTunnels(backend);
    const socket = await connectRaw(port);
    socket.write(webSocket());
    await until(socket, 'part');
    const closed = untilClosed(socket);
    backend.taken[0]?.socket.resetAndDestroy();
    await closed;
    await eventually(() => outcomes.length === 1);
    expect(outcomes).toMatchObject([{ end: 'cut' }]);
  });

  test('comes with the end of the access, before the switch as a 503', async () => {
    const ends: ((reason: string) => void)[] = [];
    const stopped: string[] = [];
    const listen = (end: (reason: string) => void) => {
      ends.push(end);
      return () => void stopped.push('stopped');
    };
    let isSwitching = true;
    const backend = await serveBackend(({ socket }) => void (isSwitching && socket.write(`${SWITCHED}\r\n`)));
    const { port, outcomes } = await serveTunnels(backend, { until: listen });
    const socket = await connectRaw(port);
    socket.write(webSocket());
    await until(socket, '\r\n\r\n');
    const closed = untilClosed(socket);
    ends[0]?.('the API has changed');
    await closed;
    await eventually(() => backend.taken[0]?.isClosed === true);

    isSwitching = false;
    const received = exchangeRaw(port, webSocket());
    await eventually(() => (backend.taken[1]?.received ?? '') !== '');
    ends[1]?.('the API has changed');
    const { status, body } = parseRaw(await received);
    expect([status, JSON.parse(body).message]).toEqual([503, 'the API has changed']);
    await eventually(() => outcomes.length === 2 && backend.taken[1]?.isClosed === true);
    expect(outcomes.map(({ end }) => end)).toEqual(['access-ended', 'access-ended']);
    expect(stopped).toHaveLength(2);
  });

  test('comes when a drain has waited long enough, and not before', async () => {
    const backend = await serveBackend(echo);
    const { port, listener } = await serveTunnels(backend, {}, { limits: { drain: 1_000 } });
    const socket = await connectRaw(port);
    socket.write(webSocket());
    await until(socket, '\r\n\r\n');
    const closed = untilClosed(socket);
    const drained = listener.drain();
    const echoed = until(socket, 'still here');
    socket.write('still here');
    await echoed;
    await Promise.all([drained, closed]);
    await eventually(() => backend.taken[0]?.isClosed === true);
  });
});
