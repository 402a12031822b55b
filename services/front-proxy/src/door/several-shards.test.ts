/** Several shards behind one public port, told apart over real connections. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ShardAddress } from '@kcp-vw/shared/config/options.ts';
import { clientOf, openHttp2, protocols, request2 } from '@kcp-vw/shared/listener/client.fixture.ts';
import {
  answer,
  cleanUp,
  connectRaw,
  onCleanUp,
  parseRaw,
  serveTls,
  untilClosed,
} from '@kcp-vw/shared/listener/listener.fixture.ts';
import { startFront, startService } from '../fleet.fixture.ts';
import { createShardOf } from './shard-of.ts';

afterEach(cleanUp);

const SHARDS = ['root', 'shard-1'];

/** A public port before a service of each shard, which answers with the shard's name. */
async function serveShards(shardAddresses: readonly ShardAddress[], furtherPorts: readonly number[] = []) {
  const services = await Promise.all(SHARDS.map(shard => startService(exchange => answer(exchange, shard), shard)));
  const shardOf = createShardOf({ furtherShards: {}, shardAddresses });
  const { port, audited, listener } = await startFront(services, { shardOf }, { furtherPorts });
  onCleanUp(() => listener.drain());
  return { port, audited };
}

interface Asked {
  readonly port: number;
  readonly servername?: string;
  readonly host?: string;
  readonly path?: string;
}

async function ask(protocol: string, { port, servername, host = 'elsewhere', path = '/services/a/x' }: Asked) {
  const options = { ...(servername && { servername }), checkServerIdentity: () => undefined };
  const authorization = 'Bearer ada';
  if (protocol === '2.0') {
    const session = openHttp2(port, options);
    const { status, body } = await request2(session, { ':path': path, ':authority': host, authorization });
    session.destroy();
    return { status, body };
  }
  const socket = await connectRaw(port, options);
  const received = untilClosed(socket);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`);
  const { status, body } = parseRaw(await received);
  return { status, body };
}

const by = (kind: ShardAddress['by'], root: string, other: string): ShardAddress[] => [
  { shard: 'root', by: kind, value: root },
  { shard: 'shard-1', by: kind, value: other },
];

describe.each(protocols)('a request over HTTP/%s is for the shard', protocol => {
  test('of the name that was asked for in TLS, whatever its Host header says', async () => {
    const { port, audited } = await serveShards(by('sni', 'vw-root.example', 'vw-1.example'));
    expect(await ask(protocol, { port, servername: 'vw-root.example', host: 'vw-1.example' })).toEqual({
      status: 200,
      body: 'root',
    });
    expect(await ask(protocol, { port, servername: 'VW-1.example', host: 'vw-root.example' })).toEqual({
      status: 200,
      body: 'shard-1',
    });
    expect(audited.map(({ shard }) => shard)).toEqual(['root', 'shard-1']);
  });

  test('of the port that it came in on', async () => {
    // Which port is free is known when somebody has had it.
    const free = await serveTls(exchange => answer(exchange, ''));
    await free.listener.close();
    const { port } = await serveShards(by('port', '1', String(free.port)), [free.port]);
    expect(await ask(protocol, { port: free.port })).toEqual({ status: 200, body: 'shard-1' });
    expect((await ask(protocol, { port })).status).toBe(400);
  });

  test('of its Host header, where that is configured', async () => {
    const { port } = await serveShards(by('host', 'vw-root.example', 'vw-1.example'));
    expect(await ask(protocol, { port, host: 'vw-root.example' })).toEqual({ status: 200, body: 'root' });
    expect(await ask(protocol, { port, host: `vw-1.example:${port}` })).toEqual({ status: 200, body: 'shard-1' });
  });

  test('of none when it names none: that is said as a Status, and health is answered all the same', async () => {
    const { port } = await serveShards(by('sni', 'vw-root.example', 'vw-1.example'));
    for (const servername of [undefined, 'example', 'vw-2.example']) {
      const { status, body } = await ask(protocol, { port, ...(servername && { servername }) });
      expect([status, JSON.parse(body)]).toEqual([400, expect.objectContaining({ kind: 'Status', reason: 'BadRequest' })]);
      expect(await ask(protocol, { port, ...(servername && { servername }), path: '/readyz' })).toEqual({
        status: 200,
        body: 'ok',
      });
    }
  });
});

describe('without a configuration of shards', () => {
  test('services that make no difference are used as they always were', async () => {
    const { port } = await startFront([await startService(exchange => answer(exchange, 'any'))]);
    expect(await ask('2.0', { port, servername: 'vw-root.example' })).toEqual({ status: 200, body: 'any' });
  });

  test('the services of one shard are used for everything', async () => {
    const { port } = await startFront([await startService(exchange => answer(exchange, 'root'), 'root')]);
    expect(await ask('1.1', { port })).toEqual({ status: 200, body: 'root' });
  });

  test('the services of two are not taken for each other', async () => {
    const { port } = await startFront(
      await Promise.all(SHARDS.map(shard => startService(exchange => answer(exchange, shard), shard))),
    );
    const { status } = await clientOf('2.0', port).request({ path: '/services/a/x', headers: { authorization: 'Bearer ada' } });
    expect(status).toBe(400);
  });
});
