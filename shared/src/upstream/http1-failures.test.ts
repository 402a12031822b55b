import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { closeAll, eventually, get, httpServer, httpsServer, rawServer, testAuthority, upstreamTo } from './upstream.fixture.ts';

afterEach(closeAll);

describe('failures', () => {
  it('to connect say that nothing was sent', async () => {
    const port = await rawServer(createServer());
    await closeAll();
    const answer = get(upstreamTo(new URL(`http://127.0.0.1:${port}`)));
    expect(await answer.done).toBe(false);
    expect(answer.error).toMatchObject({ failure: 'unreachable', nothingSent: true });
  });

  it('to verify the server’s certificate are told apart', async () => {
    const served = { count: 0 };
    const url = await httpsServer((_request, response) => {
      served.count++;
      response.end();
    });
    const otherCa = createAuthority({ commonName: 'other CA' }).certPem;
    const strange = get(upstreamTo(url, { tls: { ca: otherCa } }));
    const misnamed = get(upstreamTo(url, { tls: { ca: testAuthority().certPem, servername: 'elsewhere.invalid' } }));
    await Promise.all([strange.done, misnamed.done]);
    expect(strange.error).toMatchObject({ failure: 'untrusted', nothingSent: true });
    expect(misnamed.error).toMatchObject({ failure: 'untrusted', nothingSent: true });
    expect(served.count).toBe(0);
  });

  it('verification stays on whatever the environment says', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const url = await httpsServer((_request, response) => response.end());
      const otherCa = createAuthority({ commonName: 'other CA' }).certPem;
      const upstream = upstreamTo(url, { tls: { ca: otherCa } });
      const unary = get(upstream);
      const stream = get(upstream, '/', { longRunning: true });
      await Promise.all([unary.done, stream.done]);
      expect([unary.error?.failure, stream.error?.failure]).toEqual(['untrusted', 'untrusted']);
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });

  it('after the request was sent do not claim that nothing was', async () => {
    const url = await httpServer(request => request.socket.destroy());
    const answer = get(upstreamTo(url));
    expect(await answer.done).toBe(false);
    expect(answer.error).toMatchObject({ failure: 'reset', nothingSent: false });
  });

  it.each([['content-length: 100\r\n\r\npart'], ['transfer-encoding: chunked\r\n\r\n4\r\npart\r\n']])(
    'in the middle of a body never end it well: %j',
    async rest => {
      const port = await rawServer(
        createServer(socket => {
          socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${rest}`));
        }),
      );
      const answer = get(upstreamTo(new URL(`http://127.0.0.1:${port}`)));
      expect(await answer.done).toBe(false);
      expect(answer.text).toBe('part');
      expect(answer.error?.failure).toBe('reset');
    },
  );

  it('to answer in time are timeouts', async () => {
    const url = await httpServer(() => undefined);
    const answer = get(upstreamTo(url, { unary: { headersTimeout: 50 } }));
    expect(await answer.done).toBe(false);
    expect(answer.error?.failure).toBe('timeout');
  });

  it('of a server that switches protocols unasked are resets, and early hints are no answer', async () => {
    const answers = [
      'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    ];
    const port = await rawServer(
      createServer(socket => {
        socket.once('data', () => socket.write(answers.shift() ?? ''));
        socket.on('error', () => undefined);
      }),
    );
    const upstream = upstreamTo(new URL(`http://127.0.0.1:${port}`), { unary: { connections: 1, keepAliveTimeout: 1 } });
    const hinted = get(upstream);
    expect(await hinted.done).toBe(true);
    expect(hinted.status).toBe(200);
    await eventually(() => upstream.stats().unaryConnections === 0);
    for (let i = 0; i < 2; i++) {
      const switched = get(upstream);
      expect(await switched.done).toBe(false);
      expect(switched.error?.failure).toBe('reset');
      expect(switched.status).toBe(0);
    }
  });

  it('of a request that cannot be written concern only itself', async () => {
    const url = await httpServer((_request, response) => response.end());
    const upstream = upstreamTo(url);
    const header = get(upstream, '/', { headers: ['x', 'a\r\nb: c'] });
    const path = get(upstream, 'http://evil.invalid/');
    await Promise.all([header.done, path.done]);
    expect(header.error).toMatchObject({ failure: 'reset', nothingSent: true });
    expect(path.error).toMatchObject({ failure: 'reset', nothingSent: true });
    expect(await get(upstream).done).toBe(true);
  });
});
