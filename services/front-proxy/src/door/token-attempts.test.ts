/**
 * Whoever has no credentials can send random bearer tokens, each another: none is remembered, so each is a TokenReview at a shard or the
 * check of a signature, and ends in 401 before it is known whose requests are to be counted.
 */
import { describe, expect, test } from '@jest/globals';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { unauthorized } from '@kcp-vw/shared/kube/errors.ts';
import type { Peer } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue } from '@kcp-vw/shared/listener/headers.ts';
import { deferred, eventually } from '@kcp-vw/shared/listener/listener.fixture.ts';
import type { AuditEntry } from '@kcp-vw/shared/observe/audit.ts';
import { createHealth } from '@kcp-vw/shared/observe/health.ts';
import { fakeExchange } from '@kcp-vw/shared/testing/fake-exchange.ts';
import { createClientLimiter, Throttled } from './client-limits.ts';
import { OPEN_DOOR } from './door.fixture.ts';
import { createFront, frontMetrics } from './front.ts';

const NO_LIMITS = { requestsInFlight: 0, watches: 0, requestsPerSecond: 0, burst: 0 };

function limiterOf(maxClients?: number) {
  const clock = { milliseconds: 1_000 };
  const limiter = createClientLimiter(NO_LIMITS, {
    now: () => clock.milliseconds,
    ...(maxClients !== undefined && { maxClients }),
  });
  const fail = (address: string, times = 1): void => {
    for (let i = 0; i < times; i++) limiter.attempt(address)('failed');
  };
  const refusal = (address: string): Throttled => {
    try {
      limiter.attempt(address);
    } catch (error) {
      if (error instanceof Throttled) return error;
      throw error;
    }
    throw new Error('it was let through');
  };
  return { limiter, clock, fail, refusal };
}

describe('attempts to authenticate with a token', () => {
  test('may fail a thousand times at once and then twenty times per second, without any limit configured', () => {
    const { clock, fail, refusal } = limiterOf();
    fail('192.0.2.1', 1000);
    expect(refusal('192.0.2.1')).toMatchObject({ limit: 'rate', status: { code: 429, details: { retryAfterSeconds: 1 } } });
    clock.milliseconds += 1_000;
    fail('192.0.2.1', 20);
    expect(refusal('192.0.2.1').limit).toBe('rate');
    // However long it was quiet: no more than the burst.
    clock.milliseconds += 3_600_000;
    fail('192.0.2.1', 1000);
    expect(refusal('192.0.2.1').limit).toBe('rate');
  });

  test('do not count against the rate when they succeed', () => {
    const { limiter, fail, refusal } = limiterOf();
    fail('192.0.2.1', 999);
    for (let i = 0; i < 1_000; i++) limiter.attempt('192.0.2.1')('done');
    fail('192.0.2.1');
    expect(refusal('192.0.2.1').limit).toBe('rate');
  });

  test('are a thousand at a time, of which each is given back once', () => {
    const { limiter, refusal } = limiterOf();
    const ends = Array.from({ length: 1000 }, () => limiter.attempt('192.0.2.1'));
    expect(refusal('192.0.2.1').limit).toBe('requests');
    ends[0]?.('done');
    ends[0]?.('failed');
    limiter.attempt('192.0.2.1');
    expect(refusal('192.0.2.1').limit).toBe('requests');
  });

  test('cannot fail more often by being looked at all at the same time', () => {
    const { limiter, fail, refusal } = limiterOf();
    fail('192.0.2.1', 960);
    const ends = Array.from({ length: 40 }, () => limiter.attempt('192.0.2.1'));
    expect(refusal('192.0.2.1').limit).toBe('rate');
    for (const end of ends) end('failed');
    expect(refusal('192.0.2.1').limit).toBe('rate');
  });

  test('are counted for each address, and for all that one IPv6 machine can choose from together', () => {
    const { limiter, fail, refusal } = limiterOf();
    for (let i = 1; i <= 1000; i++) fail(`2001:db8::${i.toString(16)}`);
    expect(refusal('2001:db8::ffff').limit).toBe('rate');
    fail('2001:db8:0:1::1');
    fail('192.0.2.1');
    expect(limiter.clients).toBe(3);
  });

  test('of very many addresses are remembered no longer than they matter, and share one place when there are too many', () => {
    const { limiter, clock, fail, refusal } = limiterOf(2);
    fail('192.0.2.1');
    fail('192.0.2.2');
    for (let i = 0; i < 1_000; i++) fail(`198.51.${i >> 8}.${i & 255}`);
    expect(limiter.clients).toBe(2);
    expect(refusal('198.51.200.200').limit).toBe('rate');
    fail('192.0.2.1');
    clock.milliseconds += 60_000;
    fail('198.51.200.200');
    expect(limiter.clients).toBe(1);
  });

  test('have no limit on a Unix socket', () => {
    const { limiter, fail } = limiterOf();
    fail('unix', 1_000);
    expect(limiter.clients).toBe(0);
  });
});

/** A public port to which `valid` is a token, and nothing else. `hold` keeps the reviewer from answering. */
function door({ hold = Promise.resolve() as Promise<void> } = {}) {
  const alice: Caller = { name: 'alice', uid: '', groups: [], extra: {}, method: 'token' };
  const audited: AuditEntry[] = [];
  const state = { reviews: 0 };
  const metrics = frontMetrics();
  const front = createFront({
    ...OPEN_DOOR,
    limits: createClientLimiter(NO_LIMITS, { now: () => 1_000 }),
    authenticate: async headers => {
      const token = headerValue(headers, 'authorization');
      if (token === undefined) return { ...alice, name: 'system:anonymous', method: 'anonymous' };
      state.reviews++;
      await hold;
      if (token !== 'Bearer valid') throw unauthorized();
      return alice;
    },
    router: async exchange => {
      exchange.writeHead(200, []);
      exchange.end();
      return 'done';
    },
    health: createHealth(),
    audit: { write: entry => audited.push(entry), flush: async () => undefined, close: async () => undefined },
    metrics,
  });
  const send = async (token: string | undefined, { url = '/services/v/x', peer = { address: '192.0.2.1' } as Peer } = {}) => {
    const exchange = fakeExchange('GET', url, { headers: token === undefined ? [] : ['Authorization', `Bearer ${token}`] });
    // In place, since an exchange reads itself.
    Object.assign(exchange, { peer });
    await front(exchange);
    return exchange;
  };
  const flood = async (times: number, options?: Parameters<typeof send>[1]) => {
    const statuses: number[] = [];
    for (let i = 0; i < times; i++) statuses.push((await send(`random-${i}`, options)).status);
    return statuses;
  };
  return { send, flood, audited, state, metrics };
}

describe('a flood of random tokens at the public port', () => {
  test('is stopped before the reviewer, while others are served', async () => {
    const { send, flood, audited, state, metrics } = door();
    const statuses = await flood(1_050);
    expect(statuses).toEqual([...Array<number>(1000).fill(401), ...Array<number>(50).fill(429)]);
    expect(state.reviews).toBe(1000);
    expect((await send('random')).responseHeader('retry-after')).toBe('1');
    expect((await send('valid', { peer: { address: '192.0.2.2' } })).status).toBe(200);
    // Whoever brings no token costs nothing.
    expect((await send(undefined)).status).toBe(200);
    expect(audited[1_049]?.throttled).toMatchObject({ limit: 'rate' });
    const text = await metrics.registry.metrics();
    expect(text).toContain('proxy_rejected_total{reason="clientRate"} 51');
    expect(text).toMatch(/authentication[^\n]*result="failure"[^\n]* 1000\n/);
  });

  test('is stopped at the health endpoints too, which look at tokens as well', async () => {
    const { send, flood, state } = door();
    expect((await flood(1_050, { url: '/livez' })).slice(999, 1_001)).toEqual([401, 429]);
    expect(state.reviews).toBe(1000);
    // A probe sends none.
    expect((await send(undefined, { url: '/livez' })).status).toBe(200);
  });

  test('holds no more than a thousand places to the reviewer, also for clients that have left', async () => {
    const reviewer = deferred<void>();
    const { send, state } = door({ hold: reviewer.promise });
    const waiting = Array.from({ length: 1000 }, (_, i) => send(`random-${i}`));
    await eventually(() => state.reviews === 1000);
    expect((await send('valid')).status).toBe(429);
    expect(state.reviews).toBe(1000);
    reviewer.resolve();
    await Promise.all(waiting);
  });

  test.each(['clientCertificate', 'requestHeaderCertificate'])(
    'is none from a peer with a %s that we trust: a shard sends tokens of many users from one address',
    async certificate => {
      const { flood, state } = door();
      const peer = { address: '192.0.2.1', [certificate]: {} } as Peer;
      expect(new Set(await flood(300, { peer }))).toEqual(new Set([401]));
      expect(state.reviews).toBe(300);
    },
  );

  test('has no end for those whose tokens are valid', async () => {
    const { send } = door();
    for (let i = 0; i < 300; i++) expect((await send('valid')).status).toBe(200);
  });
});
