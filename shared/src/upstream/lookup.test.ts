import type { LookupFunction } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  closeAll,
  eventually,
  get,
  httpsServer,
  quietWatch,
  serverTls,
  shardServer,
  trust,
  upstreamTo,
  watch,
} from './upstream.fixture.ts';

afterEach(closeAll);

/** Answers as it is told, one answer after the other. */
function lookupOf(...answers: (string | Error)[]) {
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, _options, callback) => {
    const answer = answers[asked.push(hostname) - 1] ?? new Error('there is no further answer');
    if (typeof answer === 'string') callback(null, [{ address: answer, family: 4 }]);
    else callback(answer, []);
  };
  return { lookup, asked };
}

const NAMED = serverTls(['DNS:service.test']);

describe('an upstream with a lookup of its own', () => {
  it('dials what that gives, and the certificate still has to be for the name', async () => {
    const url = await httpsServer((_request, response) => response.end('well'), NAMED);
    const { lookup, asked } = lookupOf('127.0.0.1');
    const answer = get(upstreamTo(new URL(`https://service.test:${url.port}`), { lookup }));
    expect([await answer.done, answer.text, asked]).toEqual([true, 'well', ['service.test']]);

    const misnamed = get(upstreamTo(new URL(`https://other.test:${url.port}`), { lookup: lookupOf('127.0.0.1').lookup }));
    expect([await misnamed.done, misnamed.error?.failure]).toEqual([false, 'untrusted']);
  });

  it('dials watches so, too', async () => {
    const shard = await shardServer(quietWatch, { tls: NAMED });
    const { lookup, asked } = lookupOf('127.0.0.1');
    await watch(upstreamTo(new URL(`https://service.test:${shard.url.port}`), { lookup })).firstData;
    expect(asked).toEqual(['service.test']);
  });

  it('dials connections that leave HTTP so, too', async () => {
    const url = await httpsServer((_request, response) => response.end('well'), NAMED);
    const { lookup, asked } = lookupOf('127.0.0.1', new Error('service.test may not be dialled'));
    const upstream = upstreamTo(new URL(`https://service.test:${url.port}`), { lookup });
    const { signal } = new AbortController();
    (await upstream.dial?.(signal))?.socket.destroy();
    await expect(upstream.dial?.(signal)).rejects.toMatchObject({ failure: 'unreachable', nothingSent: true });
    expect(asked).toEqual(['service.test', 'service.test']);
  });

  it('asks it for each connection, new credentials or not, and connects nowhere without its answer', async () => {
    const url = await httpsServer((_request, response) => response.setHeader('connection', 'close').end('well'), NAMED);
    const { lookup, asked } = lookupOf(
      '127.0.0.1',
      '127.0.0.1',
      new Error('service.test may not be dialled: it leads elsewhere'),
    );
    const upstream = upstreamTo(new URL(`https://service.test:${url.port}`), { lookup });
    expect(await get(upstream).done).toBe(true);
    upstream.setCredentials({ tls: trust() });
    expect(await get(upstream).done).toBe(true);
    await eventually(() => upstream.stats().unaryConnections === 0);
    const refused = get(upstream);
    expect(await refused.done).toBe(false);
    expect(refused.error).toMatchObject({ failure: 'unreachable', nothingSent: true });
    expect(refused.error?.message).toContain('it leads elsewhere');
    expect(asked).toHaveLength(3);
  });
});
