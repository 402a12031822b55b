import { describe, expect, test } from '@jest/globals';
import { parseFlags } from '@kcp-vw/shared/config/flags.ts';
import { shardSetsOf } from './shards.ts';

const FLAGS = ['--kubeconfig=root.kubeconfig', '--context=admin', '--cache-kubeconfig=cache.kubeconfig'];
const SEVERAL = [
  ...FLAGS,
  ...['--authentication-kubeconfig=front.kubeconfig', '--shard=root', '--shard-kubeconfigs=shard-1=1.kubeconfig'],
  '--shard-addresses=root=sni:vw-root.example,shard-1=port:7445',
];

describe('the services of a shard', () => {
  test('are started as they always were where there is one shard', () => {
    const options = parseFlags(FLAGS);
    expect(shardSetsOf(options)).toEqual([{ options, suffix: '' }]);
    const named = parseFlags([...FLAGS, '--shard=root']);
    expect(shardSetsOf(named)).toEqual([{ shard: 'root', options: named, suffix: '' }]);
  });

  test('have their own kubeconfig, and share what is not of a shard', () => {
    const sets = shardSetsOf(parseFlags(SEVERAL));
    expect(sets.map(({ shard, suffix }) => [shard, suffix])).toEqual([
      ['root', '@root'],
      ['shard-1', '@shard-1'],
    ]);
    const [root, other] = sets.map(({ options }) => options);
    expect(root).toMatchObject({ kubeconfig: 'root.kubeconfig', context: 'admin', shard: 'root', furtherShards: {} });
    expect(other).toMatchObject({ kubeconfig: '1.kubeconfig', context: '', shard: 'shard-1', furtherShards: {} });
    for (const options of [root, other]) {
      expect(options).toMatchObject({ cacheKubeconfig: 'cache.kubeconfig', authenticationKubeconfig: 'front.kubeconfig' });
    }
  });

  test('are apart from those that are of all shards, which are started once with everything that is given', () => {
    const options = parseFlags([...SEVERAL, '--views=workspaces']);
    const sets = shardSetsOf(options);
    expect(sets.map(({ suffix, options: { services } }) => [suffix, services])).toEqual([
      ['@root', ['apiexport-vw', 'initializer-vw']],
      ['@shard-1', ['apiexport-vw', 'initializer-vw']],
      ['', ['workspaces-vw']],
    ]);
    expect(sets[2]).toEqual({ options: { ...options, services: ['workspaces-vw'] }, suffix: '' });
    const one = parseFlags([...FLAGS, '--views=workspaces']);
    expect(shardSetsOf(one)).toEqual([{ options: one, suffix: '' }]);
  });

  test('are not started when requests for them could not be told from others', () => {
    const flags = SEVERAL.filter(flag => !flag.startsWith('--shard-addresses'));
    expect(() => shardSetsOf(parseFlags(flags))).toThrow(
      '--shard-addresses has to say how requests for the shard root are known, as there are several',
    );
  });
});
