import { describe, expect, test } from '@jest/globals';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { unauthorized } from '@kcp-vw/shared/kube/errors.ts';
import type { AuditEntry } from '@kcp-vw/shared/observe/audit.ts';
import { createHealth } from '@kcp-vw/shared/observe/health.ts';
import { fakeExchange } from '@kcp-vw/shared/testing/fake-exchange.ts';
import { createFront, frontMetrics } from './front.ts';

const alice: Caller = { name: 'alice', uid: '', groups: [], extra: {}, method: 'token' };
const anonymous: Caller = { ...alice, name: 'system:anonymous', method: 'anonymous' };
const masters: Caller = { ...alice, groups: ['system:masters'] };

async function ask(url: string, { caller = alice as Caller | null, headers = [] as string[], ready = true } = {}) {
  const audited: AuditEntry[] = [];
  const routed: string[] = [];
  const health = createHealth();
  health.addReadiness('initializer-vw', () => (ready ? undefined : 'it is not up'));
  const front = createFront({
    authenticate: async () => {
      if (caller === null) throw unauthorized();
      return caller;
    },
    router: async (exchange, _caller, target, record) => {
      if (target.segments[1] !== 'known') return 'unknown';
      routed.push(exchange.url);
      record.because = 'a rule';
      exchange.writeHead(200, []);
      exchange.end('answer');
      return 'done';
    },
    health,
    audit: { write: entry => audited.push(entry), flush: async () => undefined, close: async () => undefined },
    metrics: frontMetrics(),
  });
  const exchange = fakeExchange('GET', url, { headers });
  await front(exchange);
  return { exchange, audited, routed };
}

describe('the public port', () => {
  test('routes what has a known view behind /services/ and audits it with the decision', async () => {
    const { exchange, audited, routed } = await ask('/services/known/x');
    expect([exchange.text, routed]).toEqual(['answer', ['/services/known/x']]);
    expect(audited).toMatchObject([{ caller: alice, record: { because: 'a rule' }, complete: true }]);
  });

  test.each(['/', '/services', '/services/other/x', '/known/x', '/metrics', '/apis', '/SERVICES/known/x'])(
    'forbids %s to a user, and does not find it for masters',
    async url => {
      expect((await ask(url)).exchange.status).toBe(403);
      expect((await ask(url, { caller: masters })).exchange.status).toBe(404);
    },
  );

  test('answers health to anyone, without the reasons, and unaudited', async () => {
    for (const url of ['/livez', '/readyz', '/healthz']) {
      const { audited, exchange } = await ask(url, { caller: anonymous });
      expect([exchange.status, exchange.text, audited]).toEqual([200, 'ok', []]);
    }
    const { exchange } = await ask('/readyz?verbose', { caller: anonymous, ready: false });
    expect(exchange.status).toBe(500);
    expect(exchange.text).toContain('[-]initializer-vw failed: reason withheld');
  });

  test('answers no health to credentials that are not valid', async () => {
    const { exchange } = await ask('/healthz', { caller: null });
    expect(exchange.status).toBe(401);
  });

  test('answers a single check of health to masters only', async () => {
    expect((await ask('/healthz/ping', { caller: masters })).exchange.text).toBe('ok');
    expect((await ask('/healthz/ping', { caller: anonymous })).exchange.status).toBe(403);
  });

  test('routes nothing that does not authenticate', async () => {
    const { exchange, audited, routed } = await ask('/services/known/x', { caller: null });
    expect([exchange.status, routed]).toEqual([401, []]);
    expect(audited).toMatchObject([{ caller: undefined, record: { because: 'Unauthorized' } }]);
  });

  test.each([
    '//services/known/x',
    '/services/../known',
    '/services/%2e%2e/known',
    'http://evil/services/known/x',
    '/services/known/x#y',
  ])('refuses the path %s and routes nothing', async url => {
    const { exchange, routed } = await ask(url);
    expect([exchange.status, routed]).toEqual([400, []]);
  });

  test.each([
    ['3', 200],
    ['4', 502],
    ['999', 502],
    ['x', 400],
    ['-1', 400],
  ])('answers a request that has passed %s proxies with %i', async (hops, code) => {
    const { exchange } = await ask('/services/known/x', { headers: ['X-Kcp-Virtual-Resource-Hops', hops] });
    expect(exchange.status).toBe(code);
  });
});
