import { describe, expect, test } from '@jest/globals';
import type { ShardAddress } from '@kcp-vw/shared/config/options.ts';
import { chosenShard, createShardOf, shardNames, shardPorts, UNKNOWN_SHARD } from './shard-of.ts';

const NONE = { furtherShards: {}, shardAddresses: [] };

const addresses = (...texts: string[]): ShardAddress[] =>
  texts.map(text => {
    const [, shard = '', by, value = ''] = /^(.+)=(.+):(.+)$/.exec(text) ?? [];
    return { shard, by: by as ShardAddress['by'], value };
  });

const shardOf = (shardAddresses: ShardAddress[], serverName: string | undefined, localPort = 6443, host = 'somewhere') =>
  createShardOf({ ...NONE, shardAddresses })({
    headers: ['Host', host],
    peer: { ...(serverName !== undefined && { serverName }), localPort },
  });

describe('the shard of a request', () => {
  const bySni = addresses('root=sni:vw-root.example', 'shard-1=sni:vw-1.example');

  test('is known by the name in TLS', () => {
    expect(shardOf(bySni, 'vw-root.example')).toBe('root');
    expect(shardOf(bySni, 'vw-1.example')).toBe('shard-1');
    expect(shardOf(bySni, 'vw-1.example.')).toBe('shard-1');
  });

  // A reverse proxy written in Go sends on the Host header of whoever called it: it may name another shard, or anything.
  test('is not known by the Host header unless that is configured', () => {
    expect(shardOf(bySni, 'vw-1.example', 6443, 'vw-root.example')).toBe('shard-1');
    expect(shardOf(bySni, undefined, 6443, 'vw-root.example')).toBe(UNKNOWN_SHARD);
  });

  test('is known by the port', () => {
    const byPort = addresses('root=port:6443', 'shard-1=port:07445');
    expect(shardOf(byPort, 'whatever', 6443)).toBe('root');
    expect(shardOf(byPort, undefined, 7445)).toBe('shard-1');
    expect(shardOf(byPort, undefined, 7446)).toBe(UNKNOWN_SHARD);
  });

  test.each(['vw-1.example', 'VW-1.example:6443', 'vw-1.example.:6443', 'vw-1.example:'])('is known by the Host %s', host => {
    const byHost = addresses('root=host:vw-root.example', 'shard-1=host:vw-1.example');
    expect(shardOf(byHost, undefined, 6443, host)).toBe('shard-1');
  });

  test.each(['', '[::1]:6443', '10.0.0.1', '1.example'])('is unknown by the Host %j', host => {
    expect(shardOf(addresses('root=host:vw-root.example', 'shard-1=host:vw-1.example'), undefined, 6443, host)).toBe(
      UNKNOWN_SHARD,
    );
  });

  test('is known by the name in TLS before the port, and by that before the Host header', () => {
    const mixed = addresses('a=sni:a.example', 'b=port:7445', 'c=host:c.example');
    expect(shardOf(mixed, 'a.example', 7445, 'c.example')).toBe('a');
    expect(shardOf(mixed, 'other.example', 7445, 'c.example')).toBe('b');
    expect(shardOf(mixed, undefined, 6443, 'c.example')).toBe('c');
  });

  test('is the only one there is, however it was addressed', () => {
    expect(shardOf(addresses('root=sni:vw-root.example'), '10.0.0.1')).toBe('root');
    expect(createShardOf({ ...NONE, shard: 'root' })({ headers: [], peer: {} })).toBe('root');
  });

  test('is not told where no shard is configured', () => {
    expect(shardOf([], 'vw-root.example')).toBeUndefined();
  });

  test('cannot be a name that every object has', () => {
    expect(shardOf(bySni, 'constructor')).toBe(UNKNOWN_SHARD);
  });
});

describe('the shard to serve', () => {
  test('is the one that was asked for, whether somebody serves it now or not', () => {
    expect(chosenShard('a', 'root', () => ['shard-1'])).toBe('root');
  });

  test('makes no difference where the services make none', () => {
    expect(chosenShard('a', undefined, () => [undefined])).toBeUndefined();
    expect(chosenShard('a', UNKNOWN_SHARD, () => [undefined, undefined])).toBeUndefined();
    expect(chosenShard('a', undefined, () => [])).toBeUndefined();
  });

  test('is the only one that is served where none is configured', () => {
    expect(chosenShard('a', undefined, () => ['root', undefined, 'root'])).toBe('root');
  });

  test('is not guessed', () => {
    expect(() => chosenShard('a', undefined, () => ['root', 'shard-1'])).toThrow('addressed to none of the shards');
    expect(() => chosenShard('a', UNKNOWN_SHARD, () => ['root'])).toThrow('addressed to none of the shards');
  });

  test('is no question of a view whose services know all shards', () => {
    for (const asked of [undefined, UNKNOWN_SHARD, 'root', 'shard-2']) {
      expect(chosenShard('workspaces', asked, () => ['root', 'shard-1'])).toBeUndefined();
    }
  });

  // A controller that is told 404 takes the object for deleted, and acts on it.
  test('that is not known is no 404', () => {
    expect(() => chosenShard('a', UNKNOWN_SHARD, () => ['root'])).toThrow(expect.objectContaining({ code: 400 }));
  });
});

describe('the configuration of shards', () => {
  const options = {
    shard: 'root',
    furtherShards: { 'shard-1': '/kubeconfig' },
    shardAddresses: addresses('root=port:6443', 'shard-1=port:7445', 'shard-2=sni:vw-2.example'),
    securePort: 6443,
  };

  test('names each shard once', () => {
    expect(shardNames(options)).toEqual(['root', 'shard-1', 'shard-2']);
    expect(shardNames(NONE)).toEqual([]);
  });

  test('names the ports to listen on besides', () => {
    expect(shardPorts(options)).toEqual([7445]);
  });
});
