import { createServer } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import {
  closeAll,
  eventually,
  get,
  httpsServer,
  pause,
  quietWatch,
  rawServer,
  serverTls,
  shardServer,
  testAuthority,
  upstreamTo,
  watch,
} from './upstream.fixture.ts';

afterEach(closeAll);

describe('many watches', () => {
  // undici and node:http2 alike let watch 101 wait silently behind 100 that never end, and a GET behind it.
  it('open further sessions where the server allows 100 streams on each, and never starve a GET', async () => {
    const shard = await shardServer(quietWatch, { onRequest: (_request, response) => response.end('unary') });
    const upstream = upstreamTo(shard.url);
    const watches = Array.from({ length: 250 }, () => watch(upstream));
    await Promise.all(watches.map(one => one.firstData));
    const answer = get(upstream);
    expect(await answer.done).toBe(true);
    expect(answer.text).toBe('unary');
    expect(upstream.stats()).toMatchObject({ watchStreams: 250, watchSessions: 3 });
    expect(shard.streams.size).toBe(250);
    const perSession = [...shard.sessions].map(session => [...shard.streams].filter(s => s.session === session).length);
    expect(Math.max(...perSession)).toBeLessThanOrEqual(90);

    for (const one of watches) one.call.abort();
    await eventually(() => shard.streams.size === 0);
    await eventually(() => upstream.stats().watchStreams === 0);
  });

  it('work one by one with a server that allows a single stream', async () => {
    const shard = await shardServer(quietWatch, { maxConcurrentStreams: 1 });
    const upstream = upstreamTo(shard.url);
    const watches = [watch(upstream), watch(upstream), watch(upstream)];
    await Promise.all(watches.map(one => one.firstData));
    expect(upstream.stats().watchSessions).toBe(3);
  });

  it('are refused as busy above the budget, at once', async () => {
    const shard = await shardServer(quietWatch);
    const upstream = upstreamTo(shard.url, { limits: { watchStreams: 3 } });
    const open = [watch(upstream), watch(upstream), watch(upstream)];
    const refused = watch(upstream);
    expect(await refused.done).toBe(false);
    expect(refused.error).toMatchObject({ failure: 'busy', nothingSent: true });
    open[0]?.call.abort();
    await eventually(() => upstream.stats().watchStreams === 2);
    await watch(upstream).firstData;
  });

  it('that leave while the session is being made are never sent', async () => {
    const paths: string[] = [];
    const shard = await shardServer((stream, path) => {
      paths.push(path);
      quietWatch(stream, path);
    });
    const upstream = upstreamTo(shard.url);
    watch(upstream, '/left').call.abort();
    await watch(upstream, '/stayed').firstData;
    expect(paths).toEqual(['/stayed']);
  });
});

describe('the end of a session', () => {
  it('announced by GOAWAY lets open watches go on, and new ones go elsewhere', async () => {
    const shard = await shardServer(quietWatch);
    const upstream = upstreamTo(shard.url);
    const old = watch(upstream);
    await old.firstData;
    const [session] = shard.sessions;
    const [stream] = shard.streams;
    session?.goaway();
    await pause(50);
    const fresh = watch(upstream);
    await fresh.firstData;
    expect(shard.sessions.size).toBe(2);
    stream?.end('last\n');
    expect(await old.done).toBe(true);
    expect(old.text).toBe('{"type":"ADDED"}\nlast\n');
    await eventually(() => upstream.stats().watchSessions === 1);
  });

  it('without a word resets its watches', async () => {
    const shard = await shardServer(quietWatch);
    const upstream = upstreamTo(shard.url);
    const watches = [watch(upstream), watch(upstream)];
    await Promise.all(watches.map(one => one.firstData));
    for (const session of shard.sessions) session.destroy();
    expect(await Promise.all(watches.map(one => one.done))).toEqual([false, false]);
    expect(watches[0]?.error).toMatchObject({ failure: 'reset', nothingSent: false });
  });

  it('comes when the server answers no PING any more', async () => {
    const { cert, key } = serverTls();
    // Knows just enough HTTP/2 to open a session: an empty SETTINGS frame.
    const port = await rawServer(
      createTlsServer({ cert, key, ALPNProtocols: ['h2'] }, socket => {
        socket.on('error', () => undefined);
        socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
        socket.resume();
      }),
    );
    const upstream = upstreamTo(new URL(`https://127.0.0.1:${port}`), { watch: { pingInterval: 50, pingTimeout: 50 } });
    const silent = watch(upstream);
    expect(await silent.done).toBe(false);
    expect(silent.error?.failure).toBe('reset');
    await eventually(() => upstream.stats().watchSessions === 0);
  });

  it('comes after a while without streams', async () => {
    const shard = await shardServer(quietWatch);
    const upstream = upstreamTo(shard.url, { watch: { idleTimeout: 30 } });
    const one = watch(upstream);
    await one.firstData;
    await pause(100);
    expect(upstream.stats().watchSessions).toBe(1);
    one.call.abort();
    await eventually(() => shard.sessions.size === 0);
    await watch(upstream).firstData;
  });
});

describe('a server without HTTP/2', () => {
  it('gets a connection for each watch, counted against the same budget', async () => {
    const url = await httpsServer((_request, response) => {
      response.write('event\n');
    });
    const upstream = upstreamTo(url, { limits: { watchStreams: 80 } });
    const watches = Array.from({ length: 80 }, () => watch(upstream));
    await Promise.all(watches.map(one => one.firstData));
    const refused = watch(upstream);
    expect(await refused.done).toBe(false);
    expect(refused.error?.failure).toBe('busy');
    for (const one of watches) one.call.abort();
    await eventually(() => upstream.stats().watchStreams === 0);
    await eventually(() => upstream.stats().watchSessions === 0);
  });

  it('is asked again for HTTP/2 when nothing is open any more', async () => {
    let protocols = ['http/1.1'];
    const shard = await shardServer(quietWatch, { onRequest: (_request, response) => void response.write('one') });
    const { cert, key } = serverTls();
    // The same address before and after an upgrade: chooses by itself what is spoken, and passes the bytes on.
    const port = await rawServer(
      createTlsServer({ cert, key, ALPNCallback: () => protocols[0] ?? 'h2' }, front => {
        if (front.alpnProtocol === 'h2') {
          const back = connectTls({ port: Number(shard.url.port), ca: testAuthority().certPem, ALPNProtocols: ['h2'] });
          front.pipe(back).pipe(front);
          front.on('error', () => back.destroy());
          back.on('error', () => front.destroy());
          front.on('close', () => back.destroy());
        } else front.once('data', () => front.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n'));
        front.on('error', () => undefined);
      }),
    );
    const upstream = upstreamTo(new URL(`https://127.0.0.1:${port}`));
    const before = watch(upstream);
    await before.firstData;
    before.call.abort();
    await eventually(() => upstream.stats().watchStreams === 0);
    protocols = ['h2'];
    await watch(upstream).firstData;
    expect(shard.streams.size).toBe(1);
  });
});

describe('connecting', () => {
  it('fails all that wait when the server cannot be reached or verified', async () => {
    const shard = await shardServer(quietWatch);
    const other = createAuthority({ commonName: 'other CA' }).certPem;
    const untrusting = upstreamTo(shard.url, { tls: { ca: other } });
    const watches = [watch(untrusting), watch(untrusting)];
    await Promise.all(watches.map(one => one.done));
    expect(watches.map(one => one.error?.failure)).toEqual(['untrusted', 'untrusted']);
    expect(watches[0]?.error?.nothingSent).toBe(true);

    await closeAll();
    const late = watch(upstreamTo(shard.url));
    await late.done;
    expect(late.error).toMatchObject({ failure: 'unreachable', nothingSent: true });
  });

  it('gives up a server that accepts and says nothing', async () => {
    const port = await rawServer(createServer(() => undefined));
    const upstream = upstreamTo(new URL(`https://127.0.0.1:${port}`), { watch: { connectTimeout: 50 } });
    const one = watch(upstream);
    await one.done;
    expect(one.error).toMatchObject({ failure: 'unreachable', nothingSent: true });
  });
});

it('new credentials leave open watches alone and are used by the next one', async () => {
  const shard = await shardServer(quietWatch);
  const upstream = upstreamTo(shard.url);
  const old = watch(upstream);
  await old.firstData;
  upstream.setCredentials({ tls: { ca: testAuthority().certPem } });
  await watch(upstream).firstData;
  expect(shard.sessions.size).toBe(2);
  for (const stream of shard.streams) stream.end('bye\n');
  expect(await old.done).toBe(true);
  await eventually(() => shard.sessions.size === 1);
});

it('a closed upstream fails its watches', async () => {
  const shard = await shardServer(quietWatch);
  const upstream = upstreamTo(shard.url);
  const one = watch(upstream);
  await one.firstData;
  await upstream.close();
  expect(await one.done).toBe(false);
  await eventually(() => shard.streams.size === 0);
});
