import { describe, expect, it } from '@jest/globals';
import { type FakeResponse, fakeUpstream } from '../testing/fake-upstream.ts';
import type { UpstreamFailure } from '../upstream/upstream.ts';
import { createOwningShard } from './owning-shard.ts';

const HERE: FakeResponse = { body: { metadata: { name: 'cluster' } } };
const NOT_FOUND: FakeResponse = { status: 404, body: {} };
const FORBIDDEN: FakeResponse = { status: 403, body: {} };
const PATH = '/clusters/1abc/apis/core.kcp.io/v1alpha1/logicalclusters/cluster';
const refusal = (code: number) => expect.objectContaining({ code });

/** Shards by their names, with what each of them answers. */
function fixture(answers: Record<string, FakeResponse | UpstreamFailure>, isComplete = true) {
  const time = { now: 0 };
  const shards = new Map(
    Object.keys(answers).map(name => [name, { ...fakeUpstream(() => answers[name] ?? NOT_FOUND), name }] as const),
  );
  const owning = createOwningShard({ shards: { all: async () => ({ known: shards, isComplete }) }, clock: () => time.now });
  return {
    time,
    answers,
    shards,
    asked: () => [...shards.values()].flatMap(({ name, requests }) => requests.map(({ path }) => [name, path])),
    nameOf: async (cluster: string) => (await owning.of(cluster))?.name,
  };
}

describe('the shard of a logical cluster', () => {
  it('is the one that has it; all are asked at once', async () => {
    const { asked, nameOf } = fixture({ a: NOT_FOUND, b: HERE, c: FORBIDDEN });
    expect(await nameOf('1abc')).toBe('b');
    expect(asked()).toEqual([
      ['a', PATH],
      ['b', PATH],
      ['c', PATH],
    ]);
  });

  it('is remembered for a minute, and that there is none for some seconds', async () => {
    const { time, answers, asked, nameOf } = fixture({ a: NOT_FOUND });
    expect(await nameOf('1abc')).toBeUndefined();
    time.now = 4_999;
    expect([await nameOf('1abc'), asked().length]).toEqual([undefined, 1]);
    answers.a = HERE;
    time.now = 5_000;
    expect(await nameOf('1abc')).toBe('a');
    time.now = 64_999;
    expect([await nameOf('1abc'), asked().length]).toEqual(['a', 2]);
    time.now = 65_000;
    expect([await nameOf('1abc'), asked().length]).toEqual(['a', 3]);
  });

  it('is asked for once by all who want it at the same time', async () => {
    const { asked, nameOf } = fixture({ a: HERE });
    await Promise.all(Array.from({ length: 20 }, () => nameOf('1abc')));
    expect(asked()).toHaveLength(1);
  });

  it('is found although another one does not answer', async () => {
    expect(await fixture({ a: 'unreachable', b: HERE }).nameOf('1abc')).toBe('b');
  });

  // It may be on the very shard that is down: its accounts are not gone.
  it.each<[FakeResponse | UpstreamFailure]>([
    ['unreachable'],
    ['timeout'],
    [{ status: 500, body: {} }],
    [{ status: 401, body: {} }],
  ])('is 503 when one says %j and the others have it not, and that is not remembered', async answer => {
    const { answers, nameOf } = fixture({ a: NOT_FOUND, b: answer });
    await expect(nameOf('1abc')).rejects.toEqual(refusal(503));
    answers.b = HERE;
    expect(await nameOf('1abc')).toBe('b');
  });

  it('is 503 when there is one that cannot be asked, and when it has gone since', async () => {
    await expect(fixture({ a: NOT_FOUND }, false).nameOf('1abc')).rejects.toEqual(refusal(503));
    const { shards, nameOf } = fixture({ a: HERE });
    await nameOf('1abc');
    shards.delete('a');
    await expect(nameOf('1abc')).rejects.toEqual(refusal(503));
  });

  // The name is out of a token, and the shard is asked with credentials of masters.
  it.each(['../services/x', '*', '', 'a/b', 'a?b', 'a%2fb', 'system:admin', 'root:org', 'A', 'a'.repeat(64)])(
    'of %j is none, and nobody is asked',
    async cluster => {
      const { asked, nameOf } = fixture({ a: HERE });
      expect([await nameOf(cluster), asked()]).toEqual([undefined, []]);
    },
  );
});
