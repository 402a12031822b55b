import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { closeAll, eventually, get, httpServer, pause, rawServer, upstreamTo } from './upstream.fixture.ts';

afterEach(closeAll);

async function bodyOf(request: IncomingMessage): Promise<string> {
  return Buffer.concat(await request.toArray()).toString();
}

describe('request bodies', () => {
  // CVE-2026-29057's root cause in other proxies: a DELETE's body written without framing is, to the server, the next request.
  it.each([true, false])(
    'of a DELETE are framed, so that a request hidden in one stays a body (length known: %s)',
    async known => {
      const seen: string[] = [];
      const url = await httpServer(async (request, response) => {
        seen.push(`${request.method} ${await bodyOf(request)}`);
        response.end();
      });
      const hidden = 'GET /admin HTTP/1.1\r\nhost: x\r\nx-remote-user: admin\r\n\r\n';
      const upstream = upstreamTo(url);
      const answer = get(upstream, '/', {
        method: 'DELETE',
        headers: ['Transfer-Encoding', 'chunked', 'Content-Length', '3'],
        body: Readable.from([Buffer.from(hidden)]),
        ...(known && { contentLength: hidden.length }),
      });
      expect(await answer.done).toBe(true);
      expect(await get(upstream, '/after').done).toBe(true);
      expect(seen).toEqual([`DELETE ${hidden}`, 'GET ']);
    },
  );

  it('that are absent leave no trace on the wire', async () => {
    let wire = '';
    const port = await rawServer(
      createServer(socket => {
        socket.on('data', chunk => {
          wire += chunk;
          if (wire.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
        });
      }),
    );
    const upstream = upstreamTo(new URL(`http://127.0.0.1:${port}`));
    await get(upstream, '/a', { headers: ['content-length', '5', 'transfer-encoding', 'chunked'] }).done;
    await get(upstream, '/b', { method: 'DELETE', body: Readable.from([]), contentLength: 0 }).done;
    expect(wire.toLowerCase()).not.toMatch(/content-length|transfer-encoding/);
    expect(wire).toMatch(/^GET \/a HTTP\/1\.1\r\n([^\r]+\r\n)+\r\nDELETE \/b HTTP\/1\.1\r\n([^\r]+\r\n)+\r\n$/);
  });

  it('that are cut short never arrive as complete ones', async () => {
    let failed = false;
    const url = await httpServer(request => {
      request.on('error', () => {
        failed = true;
      });
      request.resume();
    });
    const body = new PassThrough();
    const answer = get(upstreamTo(url), '/', { method: 'POST', body });
    body.write('half');
    await pause(50);
    body.destroy();
    expect(await answer.done).toBe(false);
    await eventually(() => failed);
    expect(answer.error?.failure).toBe('reset');
  });

  it('that are still coming when the call is aborted are left alone, and the upstream’s connection is closed', async () => {
    let closed = false;
    const url = await httpServer(request => {
      request.resume();
      request.once('close', () => {
        closed = true;
      });
    });
    const body = new PassThrough();
    const upstream = upstreamTo(url);
    const answer = get(upstream, '/', { method: 'PUT', body, contentLength: 1_000 });
    body.write('half');
    await eventually(() => upstream.stats().unaryConnections === 1);
    await pause(20);
    answer.call.abort();
    await eventually(() => closed);
    expect(body.destroyed).toBe(false);
    expect(upstream.stats().unaryInFlight).toBe(0);
  });

  // HTTP clients destroy a body they do not need any more, and an incoming request's body is the client's connection.
  it('that are refused before their end are not destroyed', async () => {
    const url = await httpServer((_request, response) => response.writeHead(403).end('no'));
    const body = new PassThrough();
    const answer = get(upstreamTo(url), '/', { method: 'POST', body });
    body.write('first');
    expect(await answer.done).toBe(true);
    expect(answer.status).toBe(403);
    expect(body.destroyed).toBe(false);
  });
});
