/** Where a listener listens, and how it stops. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS } from '../config/options.ts';
import { clientOf, openHttp2, protocols, request2, responseOf } from './client.fixture.ts';
import type { Exchange } from './exchange.ts';
import {
  answer,
  cleanUp,
  connectRaw,
  connectUnix,
  deferred,
  echo,
  eventually,
  parseRaw,
  serveTls,
  temporaryFolder,
  until,
  untilClosed,
} from './listener.fixture.ts';
import { createListener, type Listener, type ListenerOptions } from './listener.ts';

const listeners: Listener[] = [];

afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
  await cleanUp();
});

async function listen(options: Pick<ListenerOptions, 'address'> & Partial<ListenerOptions>): Promise<Listener> {
  const listener = await createListener({ handler: echo, limits: DEFAULT_LIMITS, onError: () => {}, ...options });
  listeners.push(listener);
  return listener;
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('an address', () => {
  test('that is in use is named by the error', async () => {
    const { port, tls } = await serveTls(echo);
    const address = { host: '127.0.0.1', port };
    await expect(listen({ address, tls })).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: the address is already in use`);
  });

  test('that does not exist is named by the error', async () => {
    const address = { socketPath: join(temporaryFolder(), 'missing', 'socket') };
    await expect(listen({ address })).rejects.toThrow(`cannot listen on ${address.socketPath}`);
  });

  test('that others can reach needs a serving certificate', async () => {
    await expect(listen({ address: { host: '0.0.0.0', port: 0 } })).rejects.toThrow('needs a serving certificate');
    const local = await listen({ address: { host: '127.0.0.1', port: 0 } });
    expect(local.address()).toMatchObject({ host: '127.0.0.1', port: expect.any(Number) });
  });
});

describe('a Unix socket', () => {
  test('serves HTTP/1.1 to a peer without a name', async () => {
    const socketPath = join(temporaryFolder(), 's');
    const peers: unknown[] = [];
    const listener = await listen({
      address: { socketPath },
      handler: exchange => {
        peers.push(exchange.peer);
        answer(exchange, 'ok');
      },
    });
    const socket = connectUnix(socketPath);
    socket.write(GET);
    await until(socket, 'ok');
    expect(peers).toEqual([{ address: 'unix' }]);
    expect(listener.address()).toEqual({ socketPath });
    expect(listener.stats).toEqual({ connections: 1, exchanges: 0 });
  });

  test('can be connected to by its own user only', async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    const socketPath = join(folder, 's');
    const before = process.umask();
    await listen({ address: { socketPath } });
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(before);
  });

  test('of a process that is gone is taken over', async () => {
    const socketPath = join(temporaryFolder(), 's');
    // A process that is killed leaves its socket file behind.
    const program = `require('node:net').createServer().listen(${JSON.stringify(socketPath)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(spawnSync(process.execPath, ['-e', program]).signal).toBe('SIGKILL');
    expect(existsSync(socketPath)).toBe(true);
    await listen({ address: { socketPath } });
    const socket = connectUnix(socketPath);
    socket.write(GET);
    await until(socket, '200');
  });

  test('that another process listens on is left to it', async () => {
    const socketPath = join(temporaryFolder(), 's');
    await listen({ address: { socketPath } });
    await expect(listen({ address: { socketPath } })).rejects.toThrow(
      `cannot listen on ${socketPath}: another process listens there`,
    );
    const socket = connectUnix(socketPath);
    socket.write(GET);
    await until(socket, '200');
  });

  test('does not replace a file that is none', async () => {
    const socketPath = join(temporaryFolder(), 's');
    writeFileSync(socketPath, 'precious');
    await expect(listen({ address: { socketPath } })).rejects.toThrow('is no socket');
    mkdirSync(`${socketPath}.d`);
    await expect(listen({ address: { socketPath: `${socketPath}.d` } })).rejects.toThrow('is no socket');
  });

  test('is gone when its listener is closed', async () => {
    const socketPath = join(temporaryFolder(), 's');
    const listener = await listen({ address: { socketPath } });
    await listener.close();
    expect(existsSync(socketPath)).toBe(false);
  });

  test('has the framing rules of TLS', async () => {
    const socketPath = join(temporaryFolder(), 's');
    await listen({ address: { socketPath } });
    for (const headers of ['Host: a\r\nHost: b', 'Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked', 'Host: a\nX: y']) {
      const socket = connectUnix(socketPath);
      const received = untilClosed(socket);
      socket.write(`POST / HTTP/1.1\r\n${headers}\r\n\r\n`);
      expect(parseRaw(await received).status).toBe(400);
    }
  });
});

describe('draining', () => {
  test.each(protocols)('lets a request over HTTP/%s end, and closes its connection', async protocol => {
    const arrived = deferred<Exchange>();
    const { port, listener } = await serveTls(exchange => arrived.resolve(exchange));
    const response = clientOf(protocol, port).request({});
    const exchange = await arrived.promise;
    const drained = listener.drain();
    await new Promise(resolve => setTimeout(resolve, 50));
    answer(exchange, 'late');
    expect(await response).toMatchObject({ status: 200, body: 'late', complete: true });
    await drained;
    expect(listener.stats).toEqual({ connections: 0, exchanges: 0 });
  });

  test('tells HTTP/1.1 clients in the response, also when its head is sent already', async () => {
    const exchanges: Exchange[] = [];
    const { port, listener } = await serveTls(exchange => void exchanges.push(exchange));
    const [early, late] = [await connectRaw(port), await connectRaw(port)];
    const received = [untilClosed(early), untilClosed(late)];
    early.write(GET);
    await eventually(() => exchanges.length === 1);
    exchanges[0]?.writeHead(200, []);
    late.write(GET);
    await eventually(() => exchanges.length === 2);
    const drained = listener.drain();
    await new Promise(resolve => setTimeout(resolve, 20));
    exchanges[1]?.writeHead(200, []);
    for (const exchange of exchanges) exchange.end('done');
    const [first = '', second = ''] = await Promise.all(received);
    expect(first).toContain('done');
    expect(second.toLowerCase()).toContain('connection: close');
    await drained;
  });

  test('sends HTTP/2 clients a GOAWAY and serves their open streams', async () => {
    const exchanges: Exchange[] = [];
    const { port, listener } = await serveTls(exchange => void exchanges.push(exchange));
    const session = openHttp2(port);
    const goaway = new Promise<number>(resolve => session.once('goaway', resolve));
    const response = responseOf(session.request({ ':path': '/' }));
    await eventually(() => exchanges.length === 1);
    const drained = listener.drain();
    expect(await goaway).toBe(0);
    const [exchange] = exchanges as [Exchange];
    exchange.writeHead(200, []);
    exchange.write('a'.repeat(300_000));
    exchange.end('end');
    expect((await response).body).toHaveLength(300_003);
    await drained;
  });

  test('accepts no new connection', async () => {
    const { port, listener } = await serveTls(echo);
    await listener.drain();
    await expect(connectRaw(port)).rejects.toThrow('ECONNREFUSED');
  });

  test('asks those who own watches to end them, at once if they ask late', async () => {
    const calls: string[] = [];
    const { port, listener, errors } = await serveTls(exchange => {
      exchange.writeHead(200, []);
      const forget = listener.onDrain(() => exchange.end('{"type":"BOOKMARK"}'));
      exchange.onClose(forget);
    });
    const forgotten = listener.onDrain(() => calls.push('forgotten'));
    forgotten();
    listener.onDrain(() => {
      throw new Error('a bug');
    });
    const watch = clientOf('2.0', port).open({ method: 'GET' });
    const response = watch.response;
    await watch.download;
    await listener.drain();
    expect(await response).toMatchObject({ body: '{"type":"BOOKMARK"}', complete: true });
    listener.onDrain(() => calls.push('late'));
    expect(calls).toEqual(['late']);
    expect(errors).toHaveLength(1);
  });

  test.each(protocols)('cuts what still runs over HTTP/%s when the time is up', async protocol => {
    const closes: boolean[] = [];
    const { port, listener } = await serveTls(
      exchange => {
        exchange.onClose(complete => void closes.push(complete));
        exchange.writeHead(200, []);
        exchange.write('for ever');
      },
      { limits: { drain: 100 } },
    );
    const watch = clientOf(protocol, port).open({ method: 'GET' });
    const response = watch.response;
    await watch.download;
    await Promise.all([listener.drain(), listener.drain()]);
    expect((await response).complete).toBe(false);
    expect(closes).toEqual([false]);
    expect(listener.stats).toEqual({ connections: 0, exchanges: 0 });
  });

  test('does not wait for idle connections', async () => {
    const { port, listener } = await serveTls(echo);
    const session = openHttp2(port);
    await request2(session, {});
    const idle = await connectRaw(port);
    idle.write(GET);
    await until(idle, '200');
    const silent = untilClosed(await connectRaw(port));
    await listener.drain();
    await silent;
    expect(listener.stats.connections).toBe(0);
  });
});

describe('closing', () => {
  test('cuts everything, and can be repeated', async () => {
    const { port, listener } = await serveTls(exchange => exchange.writeHead(200, []));
    const watch = clientOf('1.1', port).open({ method: 'GET' });
    const response = watch.response;
    await watch.download;
    await listener.close();
    await listener.close();
    expect((await response).complete).toBe(false);
  });

  test('leaves nothing behind that keeps a process alive', () => {
    const program = `
      import { createListener } from './shared/src/listener/listener.ts';
      import { DEFAULT_LIMITS } from './shared/src/config/options.ts';
      const listener = await createListener({ address: { host: '127.0.0.1', port: 0 }, limits: DEFAULT_LIMITS, handler() {}, onError() {} });
      await listener.drain();
      console.log('drained');`;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', timeout: 15_000 });
    expect(printed).toBe('drained\n');
  });
});
