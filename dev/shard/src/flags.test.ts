import { describe, expect, test } from '@jest/globals';
import { parseFlags } from './flags.ts';

const urls = (...flags: string[]): string[] => parseFlags(flags).virtualWorkspaceURLs.map(({ origin }) => origin);

describe('the flags of the dev shard', () => {
  test('give each shard a port and the address of its virtual workspaces, one after the other', () => {
    expect(parseFlags(['--shards=3']).shardPorts).toEqual([6444, 6445, 6446]);
    expect(urls('--shards=2', '--host=kcp')).toEqual(['https://kcp:7444', 'https://kcp:7445']);
    expect(urls('--shards=2', '--virtual-workspace-url=https://vw:9000')).toEqual(['https://vw:9000', 'https://vw:9001']);
    expect(urls('--shards=2', '--virtual-workspace-url=https://a', '--virtual-workspace-url=https://b')).toEqual([
      'https://a',
      'https://b',
    ]);
  });

  test('collect the names for the serving certificates', () => {
    expect(parseFlags(['--san=a', '--san=b', '--bind-address=0.0.0.0'])).toMatchObject({
      sans: ['a', 'b'],
      host: '127.0.0.1',
      bindAddress: '0.0.0.0',
    });
  });

  test('say where the paths of two front proxies lead to', () => {
    const backend = new URL('https://vw:9000');
    expect(parseFlags(['--mapping=/a=https://vw:9000']).mappings).toEqual([{ path: '/a', backend }]);
    const second = { port: 9, mappings: [{ path: '/b/{cluster}', backend }] };
    expect(parseFlags(['--second-front-proxy-port=9', '--second-mapping=/b/{cluster}=https://vw:9000']).secondFrontProxy).toEqual(
      second,
    );
    for (const flag of ['--mapping=a=https://vw', '--mapping=/a', '--second-mapping=/a=https://vw']) {
      expect(() => parseFlags([flag])).toThrow('mapping');
    }
  });

  test.each(['--shards=0', '--shards=two', '--shard-port=x', '--other'])('are refused where they mean nothing: %s', flag => {
    expect(() => parseFlags([flag])).toThrow(flag.split('=')[0]);
  });
});
