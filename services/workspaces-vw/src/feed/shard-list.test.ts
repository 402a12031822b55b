import { afterEach, describe, expect, test } from '@jest/globals';
import { ManualClock, ScriptedUpstream } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { fakeLog } from './feed.fixture.ts';
import { followShardList, type ShardAddresses } from './shard-list.ts';

const PATH = '/cache/shards';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function setUp() {
  const upstream = new ScriptedUpstream();
  const clock = new ManualClock();
  const { lines, log } = fakeLog();
  const changes: Record<string, string | undefined>[] = [];
  const onChange = (addresses: ShardAddresses): void =>
    void changes.push(Object.fromEntries([...addresses].map(([name, url]) => [name, url?.href])));
  const list = followShardList({ upstream, path: PATH, clock, log, onChange, backoff: { initial: 1000, random: () => 0 } });
  stops.push(() => list.informer.stop());
  list.informer.start();
  return { upstream, clock, lines, changes, list };
}

const shard = (name: string, version: string, baseURL: unknown, cluster = 'root'): KubeObject => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion: version, annotations: { 'kcp.io/cluster': cluster } },
  spec: { baseURL },
});

async function setUpListed() {
  const all = setUp();
  const watch = (await all.upstream.next()).head(200);
  watch.event('ADDED', shard('root', '1', 'https://root:6443')).event('ADDED', shard('one', '2', 'https://one:6443/'));
  watch.initialEnd('10');
  return { ...all, watch };
}

describe('the shards', () => {
  test('are those of the cache server, at the addresses that they say', async () => {
    const { upstream, changes, list } = await setUpListed();
    expect(upstream.calls.map(({ path }) => path)).toEqual([PATH]);
    expect(changes).toEqual([{ root: 'https://root:6443/', one: 'https://one:6443/' }]);
    expect([...list.addresses.keys()]).toEqual(['root', 'one']);
  });

  // Anybody may bind or make a type of this name in a workspace of his own, and would be sent the certificate of masters.
  test('are those of root only', async () => {
    const { watch, changes } = await setUpListed();
    watch.event('ADDED', shard('mine', '11', 'https://attacker.example.dev', 'x'));
    watch.event('ADDED', shard('one', '12', 'https://attacker.example.dev', 'x'));
    watch.event('ADDED', {
      ...shard('nowhere', '13', 'https://attacker.example.dev'),
      metadata: { name: 'n', resourceVersion: '13' },
    });
    expect(changes).toHaveLength(1);
  });

  test('come, move and go', async () => {
    const { watch, changes } = await setUpListed();
    watch.event('ADDED', shard('two', '11', 'https://two:6443'));
    watch.event('MODIFIED', shard('one', '12', 'https://one:7443'));
    watch.event('DELETED', shard('two', '13', 'https://two:6443'));
    expect(changes.slice(1)).toEqual([
      { root: 'https://root:6443/', one: 'https://one:6443/', two: 'https://two:6443/' },
      { root: 'https://root:6443/', one: 'https://one:7443/', two: 'https://two:6443/' },
      { root: 'https://root:6443/', one: 'https://one:7443/' },
    ]);
  });

  test('are not told anew when a Shard changes in what does not count', async () => {
    const { watch, changes } = await setUpListed();
    watch.event('MODIFIED', { ...shard('one', '11', 'https://one:6443'), status: { conditions: [] } });
    expect(changes).toHaveLength(1);
  });

  test('are told once for all that a list brings', async () => {
    const { upstream, clock, watch, changes } = await setUpListed();
    watch.event('ERROR', { kind: 'Status', code: 410 } as KubeObject);
    await clock.advance(5000);
    const next = (await upstream.next()).head(200);
    next.event('ADDED', shard('root', '1', 'https://root:6443')).event('ADDED', shard('two', '21', 'https://two'));
    next.event('ADDED', shard('three', '22', 'https://three')).initialEnd('30');
    expect(changes.slice(1)).toEqual([{ root: 'https://root:6443/', two: 'https://two/', three: 'https://three/' }]);
  });

  test.each([['http://one:6443'], ['https://one:6443/path'], ['https://user@one:6443'], ['one:6443'], [''], [undefined], [7]])(
    'at %s cannot be used, which is said once',
    async baseURL => {
      const { watch, changes, lines } = await setUpListed();
      watch.event('MODIFIED', shard('one', '11', baseURL));
      watch.event('MODIFIED', { ...shard('one', '12', baseURL), status: {} });
      expect(changes.slice(1)).toEqual([{ root: 'https://root:6443/', one: undefined }]);
      expect(lines.map(({ level, text, fields }) => [level, fields.shard, text])).toEqual([
        ['warn', 'one', 'a shard cannot be read: its spec.baseURL is not https://host:port'],
      ]);
    },
  );

  test('that cannot be used are told of again after they could', async () => {
    const { watch, lines } = await setUpListed();
    watch.event('MODIFIED', shard('one', '11', 'one'));
    watch.event('MODIFIED', shard('one', '12', 'https://one'));
    watch.event('MODIFIED', shard('one', '13', 'one'));
    expect(lines).toHaveLength(2);
  });
});

describe('while the cache server', () => {
  test('cannot be reached, it is tried again', async () => {
    const { upstream, clock, list, lines, changes } = setUp();
    (await upstream.next()).fail('unreachable');
    await clock.advance(2000);
    expect([list.addresses.size, lines.map(({ text }) => text)]).toEqual([0, ['list or watch failed; trying again']]);
    (await upstream.next())
      .head(200)
      .event('ADDED', shard('root', '1', 'https://root'))
      .initialEnd('10');
    expect(changes).toEqual([{ root: 'https://root/' }]);
  });

  test('has no shard yet, there is no list', async () => {
    const { upstream, list, changes } = setUp();
    const watch = (await upstream.next()).head(200).initialEnd('10');
    expect([list.informer.synced(), list.addresses.size, changes]).toEqual([true, 0, []]);
    watch.event('ADDED', shard('root', '11', 'https://root'));
    expect(changes).toEqual([{ root: 'https://root/' }]);
  });

  // A cache server may lose what it has, and gets it again from the shards. Nobody's workspaces should go meanwhile.
  test('has no shard any more, the last ones are kept', async () => {
    const { upstream, clock, watch, changes, list, lines } = await setUpListed();
    watch.event('ERROR', { kind: 'Status', code: 410 } as KubeObject);
    await clock.advance(5000);
    (await upstream.next()).head(200).initialEnd('30');
    expect([changes.length, [...list.addresses.keys()]]).toEqual([1, ['root', 'one']]);
    expect(lines.map(({ text }) => text)).toEqual([
      'the cache server knows no shards any more; the last ones known are followed on',
    ]);
  });
});
