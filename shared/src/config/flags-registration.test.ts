import { describe, expect, test } from '@jest/globals';
import { parseArguments, UsageError } from './flags.ts';

const serve = (...flags: readonly string[]) =>
  parseArguments(['--kubeconfig=k', '--requestheader-client-ca-file=c', '--requestheader-allowed-names=n', ...flags], 'serve')
    .options;
const up = (...flags: readonly string[]) => parseArguments(['--kubeconfig=k', ...flags]).options;

describe('the flags of registration', () => {
  test('take an address that is https://host:port and nothing else', () => {
    expect(serve('--advertised-url=https://a:1').registration.advertisedUrl).toBe('https://a:1');
    for (const url of ['http://a:1', 'https://a:1/x', 'https://u@a:1', 'https://a:1?x', 'a:1']) {
      expect(() => serve(`--advertised-url=${url}`)).toThrow(UsageError);
    }
  });

  test('take an instance that may be the name of a lease and of a field manager', () => {
    expect(serve('--instance=a.b-1').registration.instance).toBe('a.b-1');
    for (const name of ['A', '-a', 'a_b', 'a'.repeat(129)])
      expect(() => serve(`--instance=${name}`)).toThrow(/^--instance takes/);
  });

  test('give an instance the name of its host and port if there is none', () => {
    expect(serve('--secure-port=7001').registration.instance).toMatch(/^[-.a-z0-9]+-7001$/);
  });

  test('take a lease of three whole seconds or more', () => {
    expect(serve('--lease-duration=1m').registration.leaseSeconds).toBe(60);
    for (const lease of ['2s', '3.5s', '0']) expect(() => serve(`--lease-duration=${lease}`)).toThrow(/^--lease-duration takes/);
  });
});

describe('the flags of several shards', () => {
  test('tell them apart by the name in TLS, the port or the Host header', () => {
    const addresses = '--shard-addresses=root=sni:VW-root.example,one=port:7445,two=host:vw.example';
    expect(up(addresses).shardAddresses).toEqual([
      { shard: 'root', by: 'sni', value: 'vw-root.example' },
      { shard: 'one', by: 'port', value: '7445' },
      { shard: 'two', by: 'host', value: 'vw.example' },
    ]);
  });

  test('refuse what names nothing, and what is given to two', () => {
    for (const text of ['root', 'root=sni:', 'root=port:0', 'root=port:70000', 'root=ip:1.2.3.4']) {
      expect(() => up(`--shard-addresses=${text}`)).toThrow(/^--shard-addresses takes/);
    }
    expect(() => up('--shard-addresses=a=port:1,b=port:1')).toThrow('--shard-addresses gives port:1 to two shards');
  });

  test('want every shard to have one name', () => {
    expect(up('--shard=root', '--shard-kubeconfigs=one=/k').furtherShards).toEqual({ one: '/k' });
    expect(() => up('--shard-kubeconfigs=one=/k')).toThrow(/^--shard is required/);
    expect(() => up('--shard=one', '--shard-kubeconfigs=one=/k')).toThrow('the shard one is given twice');
  });
});
