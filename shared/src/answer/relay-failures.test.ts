import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import {
  closeAll,
  eventually,
  httpsServer,
  quietWatch,
  rawServer,
  shardServer,
  upstreamTo,
} from '../upstream/upstream.fixture.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import { fakeUpstream, fetchFrom, open, read, statusIn, testProxy } from './relay.fixture.ts';
import type { RelayOptions } from './relay.ts';

afterEach(closeAll);

describe('an upstream that breaks off', () => {
  it.each([['content-length: 100\r\n\r\npart'], ['transfer-encoding: chunked\r\n\r\n4\r\npart\r\n']])(
    'cuts the client’s response, which never looks complete: %j',
    async rest => {
      const port = await rawServer(
        createServer(socket => void socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${rest}`))),
      );
      const proxy = await testProxy(upstreamTo(new URL(`http://127.0.0.1:${port}`)));
      const got = await fetchFrom(proxy.url);
      expect([got.status, got.cut]).toEqual([200, true]);
      await eventually(() => proxy.outcomes.length === 1);
      expect(proxy.outcomes[0]).toMatchObject({ end: 'cut', upstreamStatus: 200, error: { failure: 'reset' } });
    },
  );

  it('cuts a watch', async () => {
    const shard = await shardServer(quietWatch);
    const proxy = await testProxy(upstreamTo(shard.url));
    const { request, response } = open(new URL('/?watch=1', proxy.url));
    request.end();
    const reading = read(await response);
    await eventually(() => shard.streams.size === 1);
    for (const session of shard.sessions) session.destroy();
    expect((await reading).cut).toBe(true);
  });

  // Transports check this as well; the promise does not rest on them.
  it.each([
    ['short', 'less'],
    ['far too long', 'more'],
  ])('with a body of another length than promised is cut (%s)', async body => {
    const upstream = fakeUpstream(handler => {
      handler.onHead(200, ['content-length', '8']);
      handler.onData(Buffer.from(body));
      handler.onEnd();
    });
    const proxy = await testProxy(upstream);
    const { request, response } = open(proxy.url);
    request.end();
    const got = await response.then(read, () => 'cut');
    expect(got === 'cut' || (typeof got === 'object' && got.cut)).toBe(true);
    expect(proxy.outcomes[0]?.end).toBe('cut');
  });
});

describe('an upstream without an answer', () => {
  it.each([
    ['unreachable', 503, '1'],
    ['untrusted', 502, undefined],
    ['reset', 502, undefined],
    ['timeout', 504, undefined],
    ['busy', 429, '1'],
  ] as const)('is told as a Status: %s', async (failure, code, retryAfter) => {
    const upstream = fakeUpstream(handler => handler.onError(new UpstreamError(failure, 'secret address')));
    const got = await fetchFrom((await testProxy(upstream)).url);
    expect(got.status).toBe(code);
    expect(got.headers['retry-after']).toBe(retryAfter);
    expect(statusIn(got)).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code });
    expect(got.body.toString()).not.toContain('secret address');
  });

  it('is so in truth: a server that is down, and one with a wrong certificate', async () => {
    const shard = await httpsServer((_request, response) => response.end());
    const other = { ca: createAuthority({ commonName: 'other CA' }).certPem };
    expect((await fetchFrom((await testProxy(upstreamTo(shard, { tls: other }))).url)).status).toBe(502);
    const port = await rawServer(createServer());
    const proxy = await testProxy(upstreamTo(new URL('http://127.0.0.1:1')));
    expect(port).toBeGreaterThan(0);
    expect((await fetchFrom(proxy.url)).status).toBe(503);
  });
});

describe('sending again', () => {
  const failing = (error: UpstreamError) => {
    const requests: string[] = [];
    const upstream = fakeUpstream((handler, request) => {
      requests.push(request.method);
      if (requests.length === 1) return handler.onError(error);
      handler.onHead(200, []);
      handler.onEnd();
    });
    return { upstream, requests };
  };
  const unsent = new UpstreamError('reset', 'refused stream', { nothingSent: true });
  const maybeSent = new UpstreamError('reset', 'broke');

  it('happens once to a GET of which nothing was sent', async () => {
    const { upstream, requests } = failing(unsent);
    expect((await fetchFrom((await testProxy(upstream)).url)).status).toBe(200);
    expect(requests).toEqual(['GET', 'GET']);
    const always = fakeUpstream(handler => handler.onError(unsent));
    expect((await fetchFrom((await testProxy(always)).url)).status).toBe(502);
  });

  it.each<[string, UpstreamError, string, RelayOptions]>([
    ['may have been sent', maybeSent, 'GET', {}],
    ['is a write', unsent, 'POST', {}],
    ['is not wanted', unsent, 'GET', { retry: false }],
    ['would meet the same limit', new UpstreamError('busy', 'full'), 'GET', {}],
  ])('does not happen to a request that %s', async (_why, error, method, options) => {
    const { upstream, requests } = failing(error);
    const got = await fetchFrom((await testProxy(upstream, options)).url, '/', { method }, method === 'POST' ? 'x' : undefined);
    expect(got.status).not.toBe(200);
    expect(requests).toEqual([method]);
  });

  it('is left to the caller who asked for it, with the body unread and the exchange untouched', async () => {
    const proxy = await testProxy(upstreamTo(new URL('http://127.0.0.1:1')), { unsent: 'throw' });
    const got = await fetchFrom(proxy.url, '/', { method: 'POST' }, 'body');
    expect(got.status).toBe(599);
    expect(proxy.errors).toMatchObject([{ failure: 'unreachable', nothingSent: true }]);
  });

  it('is not left to the caller when something may have been sent', async () => {
    const proxy = await testProxy(
      fakeUpstream(handler => handler.onError(maybeSent)),
      { unsent: 'throw' },
    );
    expect((await fetchFrom(proxy.url)).status).toBe(502);
    expect(proxy.errors).toEqual([]);
  });
});
