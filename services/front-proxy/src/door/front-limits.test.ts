/** Limits of clients at the public port, over real connections: a place is given back however a request ends. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { ClientLimits } from '@kcp-vw/shared/config/options.ts';
import { unauthorized } from '@kcp-vw/shared/kube/errors.ts';
import { type Client, clientOf, openHttp2, protocols, request2 } from '@kcp-vw/shared/listener/client.fixture.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue } from '@kcp-vw/shared/listener/headers.ts';
import {
  cleanUp,
  connectRaw,
  deferred,
  eventually,
  parseRaw,
  serveTls,
  until,
  untilClosed,
} from '@kcp-vw/shared/listener/listener.fixture.ts';
import type { AuditEntry } from '@kcp-vw/shared/observe/audit.ts';
import { createHealth } from '@kcp-vw/shared/observe/health.ts';
import { webSocket } from '@kcp-vw/shared/tunnel/tunnel.fixture.ts';
import { upgradesTo } from '@kcp-vw/shared/tunnel/upgrades.ts';
import { createClientLimiter } from './client-limits.ts';
import { OPEN_DOOR } from './door.fixture.ts';
import { createFront, frontMetrics } from './front.ts';

afterEach(cleanUp);

const LIMITS: ClientLimits = { requestsInFlight: 1, watches: 1, requestsPerSecond: 0, burst: 1 };

/** Who a request is from, by a header of this test. */
const named = (name: string): Caller => ({
  name,
  uid: '',
  groups: name === 'admin' ? ['system:masters'] : [],
  extra: {},
  method: 'token',
});

/** The public port, before a service that answers when the test says so. `open` counts what holds a place. */
async function serve(limits = LIMITS) {
  const limiter = createClientLimiter(limits);
  const audited: AuditEntry[] = [];
  const routed: Exchange[] = [];
  const metrics = frontMetrics();
  const state = { open: 0, released: 0 };
  const errors: unknown[] = [];
  const handler = createFront({
    ...OPEN_DOOR,
    authenticate: async headers => {
      const name = headerValue(headers, 'test-user');
      if (name === undefined) throw unauthorized();
      return named(name);
    },
    router: async exchange => {
      routed.push(exchange);
      const closed = deferred<void>();
      exchange.onClose(() => closed.resolve());
      if (exchange.upgrade) exchange.upgrade.switchProtocols([]);
      else if (exchange.url.includes('fail')) throw new Error('a bug');
      else if (exchange.url.includes('hold')) {
        exchange.writeHead(200, []);
        exchange.write('begun');
      } else if (!exchange.url.includes('mute')) {
        exchange.writeHead(200, []);
        exchange.end('answer');
      }
      await closed.promise;
      return 'done';
    },
    health: createHealth(),
    audit: { write: entry => audited.push(entry), flush: async () => undefined, close: async () => undefined },
    metrics,
    limits: {
      attempt: limiter.attempt,
      admit(...request) {
        const release = limiter.admit(...request);
        state.open++;
        return () => {
          state.open--;
          state.released++;
          release();
        };
      },
      get clients() {
        return limiter.clients;
      },
    },
  });
  const onUpgrade = upgradesTo({ handler, onError: error => void errors.push(error), metrics });
  const { port } = await serveTls(handler, { onUpgrade });
  return { port, audited, routed, metrics, state, errors };
}

const as = (user: string) => ({ 'test-user': user });
const ask = (client: Client, path: string, user = 'ada') => client.request({ path: `/services/v/${path}`, headers: as(user) });

describe.each(protocols)('a place of a client over HTTP/%s', protocol => {
  test('is its own while its request is answered, and is given back with the answer', async () => {
    const { port, routed, state } = await serve();
    const client = clientOf(protocol, port);
    expect((await ask(client, 'a')).status).toBe(200);
    const held = client.open({ method: 'GET', path: '/services/v/hold', headers: as('ada') });
    await held.download;
    const refused = await ask(client, 'b');
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1']);
    expect(JSON.parse(refused.body)).toMatchObject({ kind: 'Status', reason: 'TooManyRequests' });
    expect((await ask(client, 'b', 'bob')).status).toBe(200);
    expect((await ask(client, 'b', 'admin')).status).toBe(200);
    // What is refused reaches nobody.
    expect(routed.filter(({ url }) => url.endsWith('/b'))).toHaveLength(2);
    held.leave();
    await eventually(() => state.open === 0);
    expect((await ask(client, 'c')).status).toBe(200);
  });

  test('is given back when the client leaves in the middle of an answer', async () => {
    const { port, state } = await serve();
    const held = clientOf(protocol, port).open({ method: 'GET', path: '/services/v/hold', headers: as('ada') });
    await held.download;
    expect(state.open).toBe(1);
    held.leave();
    await eventually(() => state.open === 0);
    expect(state.released).toBe(1);
  });

  test('is given back when the client leaves before there is an answer', async () => {
    const { port, routed, state } = await serve();
    const client = clientOf(protocol, port);
    const left = client.open({ method: 'POST', path: '/services/v/mute', headers: as('ada') });
    left.upload.on('error', () => undefined);
    // Whoever sends a body has to begin with it before its head leaves.
    left.upload.write('{');
    await eventually(() => routed.length === 1);
    expect(state.open).toBe(1);
    left.leave();
    await eventually(() => state.open === 0);
    expect(state.released).toBe(1);
    expect((await ask(clientOf(protocol, port), 'c')).status).toBe(200);
  });

  test('is given back when there is an error in its place', async () => {
    const { port, state } = await serve();
    expect((await ask(clientOf(protocol, port), 'fail')).status).toBe(500);
    expect(state).toEqual({ open: 0, released: 1 });
    expect((await ask(clientOf(protocol, port), 'a')).status).toBe(200);
  });

  test('for watches is another than for requests', async () => {
    const { port } = await serve();
    const client = clientOf(protocol, port);
    const watch = client.open({ method: 'GET', path: '/services/v/hold?watch=true', headers: as('ada') });
    await watch.download;
    expect((await ask(client, 'a')).status).toBe(200);
    const refused = await ask(client, 'hold?watch=1');
    expect([refused.status, JSON.parse(refused.body).message]).toEqual([429, expect.stringContaining('open watches')]);
    watch.leave();
  });
});

describe('a place of an upgraded connection', () => {
  const asking = webSocket('/services/v/exec', 'test-user: ada\r\n');

  test('is one for watches, and is given back when the connection ends', async () => {
    const { port, state, metrics, errors } = await serve();
    const tunnel = await connectRaw(port);
    tunnel.write(asking);
    expect(await until(tunnel, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 /);
    expect(await metrics.registry.metrics()).toContain('proxy_upgrades_active{protocol="websocket"} 1');

    const second = await connectRaw(port);
    const refusal = untilClosed(second);
    second.write(asking);
    const { status, head, body } = parseRaw(await refusal);
    expect([status, JSON.parse(body).reason]).toEqual([429, 'TooManyRequests']);
    expect(head.toLowerCase()).toContain('retry-after: 1');
    expect((await ask(clientOf('1.1', port), 'a')).status).toBe(200);

    tunnel.destroy();
    await eventually(() => state.open === 0);
    expect([state.released, errors]).toEqual([2, []]);
    expect(await metrics.registry.metrics()).toContain('proxy_upgrades_active{protocol="websocket"} 0');
  });
});

describe('a client that is refused for what it has too much of', () => {
  test('is found in audit lines by the name that it has in the metrics', async () => {
    const { port, audited, metrics } = await serve({ ...LIMITS, requestsInFlight: 0, requestsPerSecond: 1, burst: 1 });
    const client = clientOf('2.0', port);
    await ask(client, 'a');
    expect((await ask(client, 'a')).status).toBe(429);
    await eventually(() => audited.length === 2);
    const { throttled, record } = audited[1] ?? {};
    expect(throttled).toMatchObject({ limit: 'rate', client: expect.stringMatching(/^[0-9a-f]{8}$/) });
    expect(record?.because).toMatch(/faster than it may/);
    const text = await metrics.registry.metrics();
    expect(text).toContain(`client_throttled_total{client="${throttled?.client}"} 1`);
    expect(text).toContain('proxy_rejected_total{reason="clientRate"} 1');
    expect(text).toContain('proxy_clients_counted 1');
    expect(text).not.toContain('ada');
  });

  test('is asked for its credentials first', async () => {
    const { port, state } = await serve();
    expect((await request2(openHttp2(port), { ':path': '/services/v/a' })).status).toBe(401);
    expect(state.released).toBe(0);
  });
});
