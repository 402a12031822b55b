import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { headerValue } from '../listener/headers.ts';
import {
  closeAll,
  eventually,
  get,
  httpServer,
  httpsServer,
  pause,
  serverTls,
  testAuthority,
  upstreamTo,
} from './upstream.fixture.ts';

afterEach(closeAll);

describe('short requests', () => {
  it('reuse a kept connection', async () => {
    const sockets = new Set<unknown>();
    const url = await httpServer((request, response) => {
      sockets.add(request.socket);
      response.end('ok');
    });
    const upstream = upstreamTo(url);
    for (let i = 0; i < 20; i++) expect(await get(upstream).done).toBe(true);
    // A second one, since a connection is free again a turn of the event loop after its answer.
    expect(sockets.size).toBeLessThanOrEqual(2);
    expect(upstream.stats()).toMatchObject({ unaryInFlight: 0, unaryConnections: sockets.size });
  });

  it('pass compressed bytes through untouched', async () => {
    const bytes = gzipSync(Buffer.alloc(300_000, 'kcp '));
    const url = await httpServer((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bytes.length }).end(bytes);
    });
    const answer = get(upstreamTo(url), '/', { headers: ['accept-encoding', 'gzip'] });
    await answer.done;
    expect(Buffer.concat(answer.chunks).equals(bytes)).toBe(true);
    expect(headerValue(answer.headers, 'content-encoding')).toBe('gzip');
    expect(headerValue(answer.headers, 'content-length')).toBe(String(bytes.length));
  });

  it('give responses without the headers of their connection, nominated ones included', async () => {
    const url = await httpServer((_request, response) => {
      response.writeHead(200, [
        'Connection',
        'X-Internal, close',
        'X-Internal',
        '1',
        'Proxy-Status',
        'x',
        'Audit-ID',
        'a',
        'Warning',
        '1',
        'Warning',
        '2',
      ]);
      response.end('ok');
    });
    const answer = get(upstreamTo(url));
    await answer.done;
    const names = answer.headers.filter((_, i) => i % 2 === 0);
    expect(names.filter(name => name !== 'date')).toEqual(['audit-id', 'warning', 'warning']);
  });

  it('carry our credentials and host, never a client’s', async () => {
    const url = await httpServer((request, response) => response.end(JSON.stringify(request.headersDistinct)));
    const upstream = upstreamTo(url, { authorization: () => 'ours' });
    const answer = get(upstream, '/', {
      headers: ['Authorization', 'Bearer client', 'HOST', 'evil', 'X-Remote-Group', 'a', 'X-Remote-Group', 'b,c'],
    });
    await answer.done;
    expect(JSON.parse(answer.text)).toMatchObject({
      authorization: ['Bearer ours'],
      host: [url.host],
      'x-remote-group': ['a', 'b,c'],
    });
  });

  it('keep the bytes of a header that is not ASCII', async () => {
    const name = Buffer.from('Jürgen').toString('latin1');
    const url = await httpServer((request, response) =>
      response.end(Buffer.from(String(request.headers['x-remote-user']), 'latin1')),
    );
    const answer = get(upstreamTo(url), '/', { headers: ['X-Remote-User', name] });
    await answer.done;
    expect(answer.text).toBe('Jürgen');
  });

  it('go over a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kcp-vw-'));
    try {
      const socketPath = join(folder, 's');
      await httpServer((request, response) => response.end(request.headers.host), socketPath);
      const upstream = upstreamTo({ socketPath });
      const answer = get(upstream);
      await answer.done;
      expect(answer.text).toBe('localhost');
      const stream = get(upstream, '/', { longRunning: true });
      expect(await stream.done).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('never follow a redirect', async () => {
    const url = await httpServer((_request, response) => response.writeHead(307, { location: 'http://evil.invalid/' }).end());
    const answer = get(upstreamTo(url));
    await answer.done;
    expect(answer.status).toBe(307);
  });
});

describe('the limit of connections', () => {
  it('lets the next requests wait, and answers busy when too many do', async () => {
    const pending: (() => void)[] = [];
    const url = await httpServer((_request, response) => pending.push(() => response.end('ok')));
    const upstream = upstreamTo(url, { unary: { connections: 2, waiting: 1 } });
    const served = [get(upstream), get(upstream), get(upstream)];
    const refused = get(upstream);
    expect(await refused.done).toBe(false);
    expect(refused.error).toMatchObject({ failure: 'busy', nothingSent: true });
    await eventually(() => pending.length === 2);
    pending.shift()?.();
    await eventually(() => pending.length === 2);
    for (const finish of pending) finish();
    expect(await Promise.all(served.map(call => call.done))).toEqual([true, true, true]);
  });

  it('does not wait for ever', async () => {
    const url = await httpServer(() => undefined);
    const upstream = upstreamTo(url, { unary: { connections: 1, waitTimeout: 20 } });
    get(upstream);
    const waiting = get(upstream);
    expect(await waiting.done).toBe(false);
    expect(waiting.error?.failure).toBe('busy');
  });

  it('gives the place of a waiting request that leaves to the next one, and never sends the one that left', async () => {
    const paths: (string | undefined)[] = [];
    const pending: (() => void)[] = [];
    const url = await httpServer((request, response) => {
      paths.push(request.url);
      pending.push(() => response.end());
    });
    const upstream = upstreamTo(url, { unary: { connections: 1, waiting: 1 } });
    const first = get(upstream, '/first');
    get(upstream, '/left').call.abort();
    const next = get(upstream, '/next');
    await eventually(() => pending.length === 1);
    pending[0]?.();
    await eventually(() => pending.length === 2);
    pending[1]?.();
    expect(await Promise.all([first.done, next.done])).toEqual([true, true]);
    expect(paths).toEqual(['/first', '/next']);
  });
});

describe('back-pressure', () => {
  it('stops reading from the server until it is resumed', async () => {
    const chunk = Buffer.alloc(64 * 1024);
    let sent = 0;
    const total = 400;
    const url = await httpServer(async (_request, response) => {
      for (; sent < total; sent++) {
        if (!response.write(chunk)) await new Promise(resolve => response.once('drain', resolve));
      }
      response.end();
    });
    const answer = get(upstreamTo(url));
    answer.accept = false;
    await answer.firstData;
    await pause(200);
    // Kernel buffers take some, we take one piece.
    expect(answer.chunks.length).toBe(1);
    expect(sent).toBeLessThan(total);
    answer.accept = true;
    answer.call.resume();
    expect(await answer.done).toBe(true);
    expect(answer.bytes).toBe(total * chunk.length);
  });
});

describe('new credentials', () => {
  it('are used by new connections while requests in flight finish', async () => {
    const pending: (() => void)[] = [];
    const url = await httpsServer(
      (request, response) => {
        const subject = (request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody';
        response.write(`${subject} ${request.headers.authorization}`);
        if (request.url === '/slow') pending.push(() => response.end('.'));
        else response.end();
      },
      serverTls(),
      testAuthority().certPem,
    );
    const as = (commonName: string) => {
      const { certPem, keyPem } = testAuthority().issue({ commonName, usage: 'client' });
      return { tls: { ca: testAuthority().certPem, cert: certPem, key: keyPem }, authorization: () => commonName };
    };
    const upstream = upstreamTo(url, as('old'));
    const slow = get(upstream, '/slow');
    await slow.firstData;
    upstream.setCredentials(as('new'));
    const fresh = get(upstream, '/fresh');
    await fresh.done;
    expect(fresh.text).toBe('new Bearer new');
    pending[0]?.();
    expect(await slow.done).toBe(true);
    expect(slow.text).toBe('old Bearer old.');
    await eventually(() => upstream.stats().unaryConnections === 1);
  });

  it('that cannot be used change nothing', async () => {
    const url = await httpsServer((_request, response) => response.end());
    const upstream = upstreamTo(url);
    expect(() => upstream.setCredentials({ tls: { cert: 'x', key: 'y' } })).toThrow();
    expect(await get(upstream).done).toBe(true);
  });
});

it('a closed upstream fails what is in flight and takes nothing new', async () => {
  const url = await httpServer(() => undefined);
  const upstream = upstreamTo(url);
  const open = get(upstream);
  await eventually(() => upstream.stats().unaryConnections === 1);
  await upstream.close();
  expect(await open.done).toBe(false);
  const late = get(upstream);
  await late.done;
  expect(late.error).toMatchObject({ failure: 'unreachable', nothingSent: true });
});
