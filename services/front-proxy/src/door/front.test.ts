import { describe, expect, test } from '@jest/globals';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { parseFlags } from '@kcp-vw/shared/config/flags.ts';
import { badRequest, forbiddenBecause, serviceUnavailable, unauthorized } from '@kcp-vw/shared/kube/errors.ts';
import type { AuditEntry } from '@kcp-vw/shared/observe/audit.ts';
import { createHealth } from '@kcp-vw/shared/observe/health.ts';
import { fakeExchange } from '@kcp-vw/shared/testing/fake-exchange.ts';
import { OPEN_DOOR } from './door.fixture.ts';
import { createFront, frontMetrics } from './front.ts';
import { createForgeryCheck } from './header-forgery.ts';
import { UNKNOWN_SHARD } from './shard-of.ts';

const alice: Caller = { name: 'alice', uid: '', groups: [], extra: {}, method: 'token' };
const anonymous: Caller = { ...alice, name: 'system:anonymous', method: 'anonymous' };
const masters: Caller = { ...alice, groups: ['system:masters'] };

async function ask(
  url: string,
  {
    caller = alice as Caller | null,
    headers = [] as string[],
    ready = true,
    refusal = unauthorized(),
    shard = undefined as string | undefined,
    away = [] as string[],
  } = {},
) {
  const audited: AuditEntry[] = [];
  const routed: string[] = [];
  const shards: (string | undefined)[] = [];
  const metrics = frontMetrics(['root']);
  const health = createHealth();
  health.addReadiness('initializer-vw', () => (ready ? undefined : 'it is not up'));
  const front = createFront({
    ...OPEN_DOOR,
    authenticate: async () => {
      if (caller === null) throw refusal;
      return caller;
    },
    router: async (exchange, _caller, target, record, asked) => {
      shards.push(asked);
      if (target.segments[1] === 'refused') throw badRequest('no such shard');
      if (away.includes(target.segments[1] ?? '')) throw serviceUnavailable(`${target.segments[1]} is not up`);
      if (target.segments[1] !== 'known') return 'unknown';
      routed.push(exchange.url);
      record.because = 'a rule';
      exchange.writeHead(200, []);
      exchange.end('answer');
      return 'done';
    },
    health,
    audit: { write: entry => audited.push(entry), flush: async () => undefined, close: async () => undefined },
    metrics,
    isForged: createForgeryCheck(parseFlags(['--kubeconfig=x']).requestHeader),
    ...(shard !== undefined && { shardOf: () => shard }),
  });
  const exchange = fakeExchange('GET', url, { headers });
  await front(exchange);
  return { exchange, audited, routed, shards, shown: () => metrics.registry.metrics() };
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

  test('audits over how many proxies a request came', async () => {
    const [direct, second] = [
      await ask('/services/known/x'),
      await ask('/services/known/x', { headers: ['X-Kcp-Virtual-Resource-Hops', '1'] }),
    ];
    expect([direct.audited[0]?.hops, second.audited[0]?.hops]).toEqual([1, 2]);
  });

  test('routes to the shard that a request is for, audits that, and counts its bytes', async () => {
    const { shards, audited, shown } = await ask('/services/known/x', { shard: 'root' });
    expect([shards, audited[0]?.shard]).toEqual([['root'], 'root']);
    expect(await shown()).toContain('kcp_backend_rs_body_bytes{shard="root"} 6');
  });

  test('writes down the view of workspaces while its service is away', async () => {
    const url = '/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspaces';
    const { exchange, audited } = await ask(url, { away: ['workspaces'] });
    expect(exchange.status).toBe(503);
    expect(audited).toMatchObject([{ exchange: { url }, record: { view: 'workspaces', because: 'workspaces is not up' } }]);
  });

  test('counts no bytes of what it refuses itself', async () => {
    for (const url of ['/services/refused/x', '/services/other/x', '/elsewhere']) {
      const { shown, exchange } = await ask(url, { shard: 'root' });
      expect(exchange.bytesWritten).toBeGreaterThan(0);
      expect(await shown()).not.toContain('kcp_backend_rs_body_bytes{');
    }
  });

  test('answers health under every name, and audits no shard where there is none of the name', async () => {
    const { exchange } = await ask('/readyz', { caller: anonymous, shard: UNKNOWN_SHARD });
    expect(exchange.text).toBe('ok');
    const { audited, exchange: refused, shown } = await ask('/services/refused/x', { shard: UNKNOWN_SHARD });
    expect(refused.json).toMatchObject({ kind: 'Status', code: 400, message: 'no such shard' });
    expect(audited[0]).toMatchObject({ shard: undefined, record: { because: 'no such shard' } });
    expect(await shown()).toContain('proxy_rejected_total{reason="BadRequest"} 1');
  });

  test.each([
    ['a token beside forged headers', { headers: ['x-remote-user', 'admin'] }, 1],
    ['forged headers alone', { headers: ['X-Remote-Group', 'system:masters'], caller: anonymous }, 1],
    ['forged headers beside bad credentials', { headers: ['X-Remote-User', 'admin'], caller: null }, 1],
    ['impersonation that is refused', { headers: ['Impersonate-User', 'a'], caller: null, refusal: forbiddenBecause('no') }, 1],
    ['malformed impersonation', { headers: ['Impersonate-User', ''], caller: null, refusal: badRequest('no') }, 0],
    ['a trusted proxy', { headers: ['X-Remote-User', 'alice'], caller: { ...alice, method: 'request-header' as const } }, 0],
    ['nothing of the kind', { headers: ['X-Request-Id', '1'] }, 0],
  ])('counts what is forged: %s', async (_, request, count) => {
    const { shown } = await ask('/services/known/x', request);
    expect(await shown()).toContain(`proxy_header_forgery_total ${count}`);
  });
});
