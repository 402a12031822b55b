import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { patched } from './controllers.fixture.ts';
import { syncTarget } from './sync-target.fixture.ts';
import { type Shard, syncTargetUrlPatches } from './sync-target-urls.ts';

const KEY = '6ohB8yeXhwqTQVuBzJRgqcRJTpRjX7yTZu5g5g';
const labels = { 'internal.workload.kcp.io/key': KEY };
const PATH = 'root:org:ws/us-west1/uid-of-us-west1';
const shard = (name: string, virtualWorkspaceURL?: string): Shard => ({
  metadata: { name },
  spec: virtualWorkspaceURL === undefined ? {} : { virtualWorkspaceURL },
});
const pair = (base: string) => ({
  syncerURL: `${base}/services/syncer/${PATH}`,
  upsyncerURL: `${base}/services/upsyncer/${PATH}`,
});
const urls = (...shards: Shard[]) => syncTargetUrlPatches(syncTarget({ labels }), shards).status?.status?.virtualWorkspaces;

describe('the URLs of a SyncTarget', () => {
  test('are one pair on one shard, and its label is its key', () => {
    expect(syncTargetUrlPatches(syncTarget(), [shard('root', 'https://1.example.com/')])).toEqual({
      metadata: { metadata: { uid: 'uid-of-us-west1', labels } },
      status: { metadata: { uid: 'uid-of-us-west1' }, status: { virtualWorkspaces: [pair('https://1.example.com')] } },
    });
  });

  test('are sorted, the root shard first, which syncers that know one entry take', () => {
    const shards = [
      shard('c', 'https://3.example.com'),
      shard('a', 'https://1.example.com'),
      shard('root', 'https://2.example.com'),
    ];
    const expected = ['https://2.example.com', 'https://1.example.com', 'https://3.example.com'].map(pair);
    expect(urls(...shards)).toEqual(expected);
    expect(urls(...shards.reverse())).toEqual(expected);
  });

  test('are one pair for shards that have one URL', () => {
    expect(urls(shard('a', 'https://1.example.com'), shard('b', 'https://1.example.com/'))).toEqual([
      pair('https://1.example.com'),
    ]);
  });

  test('keep the path that a shard is served below', () => {
    expect(urls(shard('a', 'https://1.example.com/kcp/'))).toEqual([pair('https://1.example.com/kcp')]);
  });

  test('are none without shards, or if no shard has one', () => {
    expect(syncTargetUrlPatches(syncTarget({ labels }), [])).toEqual({});
    expect(syncTargetUrlPatches(syncTarget({ labels }), [shard('a'), shard('b', '')])).toEqual({});
  });

  test('of shards that are gone go', () => {
    const [one, two, three] = ['https://1.example.com', 'https://2.example.com', 'https://3.example.com'];
    const target = syncTarget({ labels, status: { virtualWorkspaces: [one, two, three].map(pair) } });
    expect(syncTargetUrlPatches(target, [shard('a', two)])).toEqual({
      status: { metadata: { uid: 'uid-of-us-west1' }, status: { virtualWorkspaces: [pair(two)] } },
    });
    expect(syncTargetUrlPatches(target, []).status?.status).toEqual({ virtualWorkspaces: [] });
  });

  test.each(['no url', 'ftp://1.example.com'])('stay as they are while a shard has "%s" for one', text => {
    expect(() => urls(shard('a', 'https://1.example.com'), shard('broken', text))).toThrow(
      `spec.virtualWorkspaceURL of the shard "broken" is no URL: "${text}"`,
    );
  });

  test('are written once, in whatever order the shards come', () => {
    const shards = fc.array(
      fc.record({ name: fc.constantFrom('root', 'a', 'b', 'c'), url: fc.constantFrom(undefined, '1', '2', '3') }),
    );
    fc.assert(
      fc.property(shards, list => {
        const all = list.map(({ name, url }) => shard(name, url && `https://${url}.example.com`));
        const { metadata, status } = syncTargetUrlPatches(syncTarget(), all);
        const labelled = metadata ? patched(syncTarget(), metadata) : syncTarget();
        const told = status ? patched(labelled, status) : labelled;
        expect(syncTargetUrlPatches(told, [...all].reverse())).toEqual({});
        expect(told.status?.virtualWorkspaces ?? []).toHaveLength(new Set(list.flatMap(({ url }) => url ?? [])).size);
      }),
    );
  });
});
