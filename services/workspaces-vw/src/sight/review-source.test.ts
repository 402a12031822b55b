import { describe, expect, test } from '@jest/globals';
import { asCaller, identity } from '@kcp-vw/shared/authn/identity.ts';
import { CLUSTER_NAME_KEY } from '@kcp-vw/shared/authn/service-account-name.ts';
import { internalError } from '@kcp-vw/shared/kube/errors.ts';
import { ada, record, reviewed } from './review.fixture.ts';
import { caller, createdAt, edges, entranceOf, NOON, snapshotOf, to } from './sight.fixture.ts';

const ROBOT = 'system:serviceaccount:default:robot';
const expired = expect.objectContaining({ code: 410 });

describe('a reviewed list', () => {
  test('is what reviews allow, whatever the bindings say', async () => {
    const { allowed, put, names } = reviewed();
    put('a', 'x');
    put('a', 'y', {}, { edges: to('u:ada') });
    put('b', 'z');
    allowed.add('ada c-x').add('ada c-z');
    expect(await names('a')).toEqual(['x']);
    expect(await names()).toEqual(['x', 'z']);
    expect(await names('a', caller('bob'))).toEqual([]);
  });

  test('asks about nothing that is closed or not scheduled', async () => {
    const { asked, put, names } = reviewed();
    put('a', 'x', {}, { open: false });
    put('a', 'y', { entrance: entranceOf('', { open: false }) });
    expect(await names('a')).toEqual([]);
    expect(asked).toEqual([]);
  });

  test('asks of a mount whether it may be got in its parent', async () => {
    const { allowed, asked, put, names } = reviewed();
    const mounted = { entrance: entranceOf('a'), mount: { edges: edges(), shardWide: edges() } };
    put('a', 'm', mounted);
    put('a', 'n', mounted);
    allowed.add('ada a m');
    expect(await names('a')).toEqual(['m']);
    expect(asked).toEqual(['ada a m', 'ada a n']);
  });

  test('has what is shown without any review', async () => {
    const { index, asked, allowed, put, names } = reviewed();
    const { object } = createdAt(new Date(NOON).toISOString(), snapshotOf('a', 'x'));
    put('a', 'x', { entrance: entranceOf('', { open: false }), creator: { name: 'ada' }, object });
    expect(await names('a', caller('root', ['system:masters']))).toEqual(['x']);
    expect(asked).toEqual([]);
    // To its creator only where he may go.
    index.enter(entranceOf('a'));
    expect(await names('a')).toEqual([]);
    allowed.add('ada a');
    expect(await names('a')).toEqual(['x']);
    expect(await names()).toEqual([]);
    expect(asked).toEqual(['ada a', 'ada a']);
  });

  // A review there asks for a binding, and a service account needs none.
  test("has a service account's own workspace", async () => {
    const { asked, put, names } = reviewed();
    put('a', 'x');
    expect(await names('a', caller(ROBOT, [], { [CLUSTER_NAME_KEY]: ['c-x'] }))).toEqual(['x']);
    expect(asked).toEqual([]);
  });

  test('has as many reviews under way as there may be, for all callers together', async () => {
    const { state, put, names } = reviewed({ concurrency: 3 });
    for (let each = 0; each < 10; each += 1) put('a', `x${each}`);
    await Promise.all([names('a'), names('a', caller('bob'))]);
    expect(state.most).toBe(3);
  });

  test('is made once for requests that come together', async () => {
    const { asked, put, names } = reviewed();
    put('a', 'x');
    await Promise.all([names('a'), names('a')]);
    expect(asked).toEqual(['ada c-x']);
  });

  test('is refused with 503 when there is too much to review, or a review fails, or nobody can be asked', async () => {
    const { state, put, names } = reviewed({ mostCandidates: 2 });
    const unavailable = { code: 503, status: { details: { retryAfterSeconds: expect.any(Number) } } };
    put('a', 'x');
    state.failure = internalError('no decision');
    await expect(names('a')).rejects.toMatchObject(unavailable);
    put('b', 'y', {}, { shard: 'gone' });
    await expect(names('b')).rejects.toMatchObject(unavailable);
    for (const name of ['x', 'y', 'z']) put('c', name);
    await expect(names('c')).rejects.toMatchObject(unavailable);
    delete state.failure;
    expect(await names('a')).toEqual([]);
  });

  test('keeps no more records than it may, besides those of watchers', async () => {
    const { allowed, source, put, names } = reviewed({ mostRecords: 1 });
    put('a', 'x');
    allowed.add('ada c-x').add('bob c-x');
    const sight = await source.sightOf(ada, 'a');
    const { version } = sight;
    const { stop } = record(sight, version, 'a');
    await names('a', caller('bob'));
    await names('a', caller('eve'));
    expect(source.stats()).toEqual({ records: 2, watched: 1, waiting: 0 });
    expect(record(await source.sightOf(ada, 'a'), version, 'a').told()).toEqual([]);
    stop();
  });

  // What a record has shown at a version its successor does not know, and so cannot say what has changed since.
  test('can be watched no more from what a record has shown that is forgotten', async () => {
    const { allowed, source, put, names } = reviewed({ mostRecords: 1 });
    put('a', 'x');
    allowed.add('ada c-x');
    const first = await source.sightOf(ada, 'a');
    const { version } = first;
    await names('a', caller('bob'));
    allowed.delete('ada c-x');
    const second = await source.sightOf(ada, 'a');
    expect(() => first.watch(version, 'a', () => undefined)).toThrow(expired);
    expect(() => second.watch(version, 'a', () => undefined)).toThrow(expired);
    expect(record(second, second.version, 'a').told()).toEqual([]);
  });
});

describe('what is kept of reviews', () => {
  const full = (options: object) => {
    const all = reviewed(options);
    for (const parent of ['a', 'b', 'c']) {
      all.put(parent, `${parent}1`);
      all.put(parent, `${parent}2`);
      for (const who of ['ada', 'bob', 'eve']) all.allowed.add(`${who} c-${parent}1`);
    }
    return all;
  };

  // Each new record would else take a version, and many versions end what others can resume from.
  test('and forgotten again and again takes no versions while the answers stay the same, and is gone on with', async () => {
    const { index, source, names } = full({ mostRecords: 1 });
    const before = index.version;
    const first = await source.sightOf(ada, 'a');
    for (let round = 0; round < 5; round += 1) for (const parent of ['b', 'a', 'c']) await names(parent);
    expect(index.version).toBe(before);
    expect(() => first.watch(before, 'a', () => undefined)).toThrow(expired);
    expect(record(await source.sightOf(ada, 'a'), before, 'a').told()).toEqual([]);
  });

  test('is not given up before it has been shown', async () => {
    const { source } = full({ mostRecords: 1 });
    const [first] = await Promise.all([source.sightOf(ada, 'a'), source.sightOf(caller('bob'), 'a')]);
    expect(source.stats().records).toBe(2);
    expect(record(first, first.version, 'a').told()).toEqual([]);
  });

  test('is given up first of whom most of it is', async () => {
    const { source, asked, names } = full({ mostRecords: 3 });
    const bob = caller('bob');
    const { version } = await source.sightOf(bob, 'a');
    const sight = await source.sightOf(bob, 'a');
    for (const parent of ['a', 'b', 'c', 'a', 'b', 'c']) await names(parent);
    expect(source.stats().records).toBe(3);
    asked.length = 0;
    expect(record(sight, version, 'a').told()).toEqual([]);
  });

  test('is bounded for all together: of watchers nothing is given up, and who comes then is refused with 503', async () => {
    const { source, names } = full({ mostAnswers: 5 });
    const bob = await source.sightOf(caller('bob'), 'a');
    const { stop } = record(bob, bob.version, 'a');
    await names('a');
    await names('b');
    expect(source.stats().records).toBe(2);
    expect(await names('a', caller('eve'))).toEqual(['a1']);
    const { stop: stopAll } = record(await source.sightOf(ada, 'c'), bob.version, 'c');
    await expect(names('b', caller('eve'))).rejects.toMatchObject({ code: 503 });
    stop();
    expect(await names('b', caller('eve'))).toEqual(['b1']);
    stopAll();
  });
});

describe('the gate', () => {
  test('is reviewed before anything behind it, and of nobody in particular nothing else when it is closed', async () => {
    const { index, allowed, asked, source, put, names } = reviewed();
    const anonymous = asCaller(identity('system:anonymous', ['system:unauthenticated']), 'anonymous');
    index.enter(entranceOf('a'));
    put('a', 'x');
    allowed.add('system:anonymous c-x').add('ada c-x');
    expect(await names('a', anonymous)).toEqual([]);
    expect(await names('a')).toEqual(['x']);
    expect(asked).toEqual(['system:anonymous a', 'ada a', 'ada c-x']);
    allowed.add('system:anonymous a');
    expect((await source.sightOf(anonymous, 'a')).mayEnter('a')).toBe(true);
    expect(await names('a', anonymous)).toEqual(['x']);
  });

  test('is a review of the parent', async () => {
    const { index, allowed, source } = reviewed();
    index.enter(entranceOf('a'));
    index.enter(entranceOf('b', { open: false }));
    allowed.add('ada a').add('ada b');
    expect((await source.sightOf(ada, 'a')).mayEnter('a')).toBe(true);
    expect((await source.sightOf(ada, 'b')).mayEnter('b')).toBe(false);
    expect((await source.sightOf(caller('bob'), 'a')).mayEnter('a')).toBe(false);
    expect((await source.sightOf(ada, 'c')).mayEnter('c')).toBe(false);
  });
});
