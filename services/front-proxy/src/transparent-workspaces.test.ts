/** `kubectl get workspaces` by way of kcp-front-proxy, over real connections: what the service of the view gets, and what is written down. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ShardAddress } from '@kcp-vw/shared/config/options.ts';
import { type Protocol, protocols } from '@kcp-vw/shared/listener/client.fixture.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue, headerValues } from '@kcp-vw/shared/listener/headers.ts';
import { cleanUp, connectRaw, eventually, onCleanUp, requestHeaderCA, until } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { webSocket } from '@kcp-vw/shared/tunnel/tunnel.fixture.ts';
import { recordHeader } from '@kcp-vw/shared/view/record.ts';
import { ask, askUntil, type Question, statusOf } from '../catalogue/clients.fixture.ts';
import { startFleet } from '../catalogue/fleet.fixture.ts';
import { createShardOf } from './door/shard-of.ts';
import { startFront, startService } from './fleet.fixture.ts';

afterEach(cleanUp);

const PATH = '/clusters/root:org/apis/tenancy.kcp.io/v1alpha1/workspaces';
const KCP_FRONT_PROXY = requestHeaderCA.issue({ commonName: 'front-proxy', usage: 'client' });
const BY_NAME: readonly ShardAddress[] = ['root', 'shard-1'].map(shard => ({ shard, by: 'sni', value: `vw-${shard}.example` }));

interface Started {
  readonly view?: string;
  readonly shards?: readonly (string | undefined)[];
  readonly shardAddresses?: readonly ShardAddress[];
}

async function start({ view = 'workspaces', shards = [undefined], shardAddresses = [] }: Started = {}) {
  const received: { url: string; headers: readonly string[]; body: string }[] = [];
  const serve = async (exchange: Exchange): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of exchange.body ?? []) chunks.push(chunk as Buffer);
    received.push({ url: exchange.url, headers: exchange.headers, body: Buffer.concat(chunks).toString() });
    exchange.writeHead(200, recordHeader({ view, cluster: 'abc', verb: 'list', because: 'an edge' }));
    exchange.end('served');
  };
  const services = await Promise.all(shards.map(shard => startService(serve, shard)));
  const shardOf = createShardOf({ furtherShards: {}, shardAddresses });
  const { port, audited, listener } = await startFront(services, { shardOf }, {}, view);
  onCleanUp(() => listener.drain());
  const asAlice = (protocol: Protocol, question: Question) =>
    ask(port, protocol, {
      pair: KCP_FRONT_PROXY,
      ...question,
      headers: { 'x-remote-user': 'alice', 'x-remote-group': 'dev', ...question.headers },
    });
  return { port, audited, received, asAlice };
}

describe.each(protocols)('over HTTP/%s a request for workspaces that kcp-front-proxy has sent on', protocol => {
  test.each([
    PATH,
    `${PATH}/`,
    `${PATH}?watch=1&resourceVersion=5`,
    `${PATH}/one`,
    `${PATH}/one/status?fieldManager=a%20b+c`,
    `${PATH}/a%2Fb?pretty=%74rue`,
    '/clusters/root%3Aorg/apis/tenancy.kcp.io/v1alpha1/workspaces?labelSelector=a%3Db',
  ])('arrives at the view with every byte of %s, as its user', async path => {
    const { received, audited, asAlice } = await start();
    // kcp-front-proxy leaves this where its user has come by certificate.
    const headers = { authorization: 'Bearer of-somebody' };
    expect(await asAlice(protocol, { path, headers })).toMatchObject({ status: 200, body: 'served' });
    expect(received.map(({ url }) => url)).toEqual([`/services/workspaces${path}`]);
    const [{ headers: sent } = { headers: [] }] = received;
    expect([headerValues(sent, 'x-remote-user'), headerValues(sent, 'authorization')]).toEqual([['alice'], []]);
    expect(audited).toMatchObject([
      {
        exchange: { url: path, status: 200 },
        caller: { name: 'alice' },
        record: { view: 'workspaces', cluster: 'abc', verb: 'list', because: 'an edge' },
        complete: true,
      },
    ]);
  });

  test('brings its body', async () => {
    const { received, asAlice } = await start();
    const body = '{"kind":"Workspace","metadata":{"name":"one"}}';
    await asAlice(protocol, { method: 'POST', path: PATH, body, headers: { 'content-type': 'application/json' } });
    expect(received).toMatchObject([{ url: `/services/workspaces${PATH}`, body }]);
    expect(headerValue(received[0]?.headers ?? [], 'content-type')).toBe('application/json');
  });

  test('without a user, with a token, is of whom the token is', async () => {
    const { port, received } = await start();
    await ask(port, protocol, { pair: KCP_FRONT_PROXY, path: PATH, token: 'bot' });
    expect(headerValues(received[0]?.headers ?? [], 'x-remote-user')).toEqual(['bot']);
  });

  test('that impersonates is refused, and told why', async () => {
    const { received, asAlice, audited } = await start();
    const { status, body } = await asAlice(protocol, { path: PATH, headers: { 'impersonate-user': 'bob' } });
    expect([status, JSON.parse(body)]).toEqual([
      403,
      expect.objectContaining({
        reason: 'Forbidden',
        message: expect.stringMatching(/^users "bob" is forbidden: User "alice" .*impersonation \(--as\) is not possible on it$/),
      }),
    ]);
    expect(received).toEqual([]);
    expect(audited).toMatchObject([{ exchange: { url: PATH }, record: { because: expect.stringContaining('--as') } }]);
  });
});

test('X-Remote-* of whoever is not kcp-front-proxy is not believed on this way either', async () => {
  const { port, received } = await start();
  const forged = { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' };
  await ask(port, '1.1', { path: PATH, token: 'alice', headers: forged });
  expect(headerValues(received[0]?.headers ?? [], 'x-remote-user')).toEqual(['alice']);
  expect(headerValues(received[0]?.headers ?? [], 'x-remote-group').join()).not.toContain('system:masters');
});

describe('nobody is asked for', () => {
  test.each([
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspacetypes',
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1',
    '/clusters/%2A/apis/tenancy.kcp.io/v1alpha1/workspaces',
    '/clusters/root%2Forg/apis/tenancy.kcp.io/v1alpha1/workspaces',
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspaces%2Fone',
    '/clusters/root/api/v1/secrets',
  ])('%s', async path => {
    const { received, asAlice, audited } = await start();
    expect((await asAlice('1.1', { path })).status).toBe(403);
    expect(received).toEqual([]);
    expect(audited[0]?.record).not.toHaveProperty('view');
  });

  test('workspaces where the view is not served, by a path that the client knows', async () => {
    const { received, asAlice, audited } = await start({ view: 'a' });
    const { status, body } = await asAlice('1.1', { path: PATH });
    expect([status, JSON.parse(body).message]).toEqual([403, expect.stringContaining(`cannot get path "${PATH}"`)]);
    expect(received).toEqual([]);
    expect(audited[0]?.record).not.toHaveProperty('view');
  });
});

describe('with several shards', () => {
  test('a request that is addressed to none of them is answered: each service knows all', async () => {
    const { received, asAlice } = await start({ shards: ['root', 'shard-1'], shardAddresses: BY_NAME });
    expect((await asAlice('1.1', { path: PATH })).status).toBe(200);
    expect((await asAlice('1.1', { path: `/services/workspaces${PATH}` })).status).toBe(200);
    expect(received.map(({ url }) => url)).toEqual(Array(2).fill(`/services/workspaces${PATH}`));
  });

  test('the service of one of them answers for the others', async () => {
    const { asAlice } = await start({ shards: ['shard-1'], shardAddresses: BY_NAME.slice(0, 1) });
    expect((await asAlice('2.0', { path: PATH })).status).toBe(200);
  });

  test('views of one shard go on being refused where the shard is not known', async () => {
    const { port } = await start({ view: 'a', shards: ['root', 'shard-1'], shardAddresses: BY_NAME });
    expect((await ask(port, '1.1', { path: '/services/a/x', token: 'alice' })).status).toBe(400);
  });
});

describe('as a process', () => {
  const line = (audit: string) => JSON.parse(audit.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;

  test('the front proxy sends on requests and upgrades alike, and writes down the path that was asked for, and the view', async () => {
    const fleet = await startFleet();
    expect((await ask(fleet.port, '1.1', { path: PATH, token: 'alice-token' })).status).toBe(403);
    fleet.writeViews({ workspaces: [{ service: 'w', instance: '1', socketPath: `${fleet.folder}/recorded.sock` }] });
    await askUntil(fleet.port, { path: `${PATH}?limit=1`, token: 'alice-token' }, ({ status }) => status === 200);
    expect(fleet.service.last.url).toBe(`/services/workspaces${PATH}?limit=1`);
    await eventually(() => fleet.audit().includes('"view":"workspaces"'));
    expect(line(fleet.audit())).toMatchObject({ user: 'alice', path: PATH, view: 'workspaces', code: 200 });
    expect(await fleet.metrics()).toMatch(/view="workspaces"/);

    fleet.service.acceptUpgrades();
    const socket = await connectRaw(fleet.port);
    const head = until(socket, '\r\n\r\n');
    socket.write(webSocket(`${PATH}?watch=1`, 'Authorization: Bearer alice-token\r\n'));
    expect(statusOf(await head)).toBe(101);
    expect(fleet.service.last.url).toBe(`/services/workspaces${PATH}?watch=1`);
    socket.destroy();
    await eventually(() => fleet.audit().includes('"code":101'));
    expect(line(fleet.audit())).toMatchObject({ path: PATH, view: 'workspaces', code: 101 });
  });
});
