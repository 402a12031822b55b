import { afterEach, describe, expect, test } from '@jest/globals';
import { FakeServers, fakeLog, settleAll, timing } from './knowledge.fixture.ts';
import { followShards, type OwnShard, SHARDS_PATH } from './shards.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const SERVER = 'https://kcp';
const URL = `${SERVER}${SHARDS_PATH}`;

type Spec = Readonly<Record<string, unknown>>;
const specOf = (name: string): Spec => ({ baseURL: `https://${name}:6443`, virtualWorkspaceURL: `https://${name}:6444/` });

async function setUp(own: OwnShard = {}, first: Readonly<Record<string, Spec>> = { root: specOf('root') }) {
  const servers = new FakeServers();
  servers.serve(URL);
  for (const [name, spec] of Object.entries(first)) servers.put(URL, name, { spec });
  const { lines, log } = fakeLog();
  const time = timing();
  const shards = followShards({ ...time, own, log, upstream: servers.connections.at(SERVER, 'control') });
  stops.push(() => shards.stop());
  let changes = 0;
  shards.onChange(() => {
    changes += 1;
  });
  shards.start();
  await settleAll();
  return { servers, shards, lines, clock: time.clock, changes: () => changes };
}

const texts = (lines: readonly { readonly text: string }[]): readonly string[] => lines.map(({ text }) => text);

describe('the shards', () => {
  test('are sorted, each with where its virtual workspaces are', async () => {
    const { shards, changes } = await setUp({ shard: 'one' }, { root: specOf('root'), one: specOf('one') });
    expect(shards.list().map(({ metadata }) => metadata?.name)).toEqual(['one', 'root']);
    expect([...shards.bases()]).toEqual([
      ['one', 'https://one:6444'],
      ['root', 'https://root:6444'],
    ]);
    expect([shards.missing(), changes()]).toEqual([undefined, 1]);
  });

  test('come, change and go', async () => {
    const { servers, shards, changes } = await setUp();
    servers.put(URL, 'one', { spec: specOf('one') });
    servers.put(URL, 'one', { spec: { ...specOf('one'), virtualWorkspaceURL: 'https://vw/one' } });
    expect(shards.bases().get('one')).toBe('https://vw/one');
    servers.remove(URL, 'one');
    expect([[...shards.bases().keys()], changes()]).toEqual([['root'], 4]);
  });

  test('have not changed when one is written that says the same', async () => {
    const { servers, changes } = await setUp();
    servers.put(URL, 'root', { spec: specOf('root'), status: { conditions: [] } });
    expect(changes()).toBe(1);
  });

  test.each([['http://one'], ['one'], ['https://user@one'], ['https://one?a=b']])(
    'at %s have no address, which is said once',
    async virtualWorkspaceURL => {
      const { servers, shards, lines } = await setUp({ shard: 'root' });
      servers.put(URL, 'one', { spec: { virtualWorkspaceURL } });
      servers.put(URL, 'one', { spec: { virtualWorkspaceURL }, status: {} });
      expect([[...shards.bases().keys()], shards.list().length]).toEqual([['root'], 2]);
      expect(texts(lines)).toEqual(['a shard is left out: its spec.virtualWorkspaceURL is not https://host/path']);
    },
  );

  // Every kcp has one. Who has none is another server, or one that has lost what it had.
  test('that are none any more are the last ones', async () => {
    const { servers, shards, changes, lines } = await setUp();
    servers.remove(URL, 'root');
    expect([[...shards.bases().keys()], shards.own(), changes()]).toEqual([['root'], 'https://root:6444', 1]);
    expect(texts(lines)).toEqual(['kcp knows no shards any more; the last ones known are followed on']);
  });

  test('are waited for', async () => {
    const { servers, shards } = await setUp({}, {});
    expect([shards.missing(), shards.own()]).toEqual(['the list of shards', undefined]);
    servers.put(URL, 'root', { spec: specOf('root') });
    expect([shards.missing(), shards.own()]).toEqual([undefined, 'https://root:6444']);
  });
});

describe('the own shard', () => {
  const TWO = { root: specOf('root'), one: specOf('one') };

  test('is the one that is named', async () => {
    expect((await setUp({ shard: 'one', shardServer: 'https://root:6443' }, TWO)).shards.own()).toBe('https://one:6444');
  });

  test('is the one that is where the own server is', async () => {
    expect((await setUp({ shardServer: 'https://one:6443' }, TWO)).shards.own()).toBe('https://one:6444');
  });

  test('is known by any name that this machine has for itself', async () => {
    const two = {
      root: { ...specOf('root'), baseURL: 'https://127.0.0.1:6443' },
      one: { ...specOf('one'), baseURL: 'https://127.0.0.1:6445' },
    };
    expect((await setUp({ shardServer: 'https://localhost:6445' }, two)).shards.own()).toBe('https://one:6444');
  });

  test.each<[OwnShard, string]>([
    [{}, 'the shard of this process (say --shard; there are one, root)'],
    [{ shard: 'two' }, 'the shard of this process (--shard is two; there are one, root)'],
    [{ shardServer: 'https://two' }, 'the shard of this process (it is at https://two; there are one, root)'],
  ])('is not guessed among several: %j', async (own, missing) => {
    const { shards } = await setUp(own, TWO);
    expect([shards.own(), shards.missing()]).toEqual([undefined, missing]);
  });

  test('without virtual workspaces is waited for', async () => {
    const { shards } = await setUp({}, { root: { baseURL: 'https://root' } });
    expect([shards.own(), shards.missing()]).toEqual([undefined, 'a spec.virtualWorkspaceURL of the shard root']);
  });
});
