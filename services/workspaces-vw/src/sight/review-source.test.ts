import { describe, expect, test } from '@jest/globals';
import { CLUSTER_NAME_KEY } from '@kcp-vw/shared/authn/service-account-name.ts';
import { internalError } from '@kcp-vw/shared/kube/errors.ts';
import { ada, record, reviewed } from './review.fixture.ts';
import { caller, edges, entranceOf, to } from './sight.fixture.ts';

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
    const { asked, put, names } = reviewed();
    put('a', 'x', { entrance: entranceOf('', { open: false }), creator: { name: 'ada' } });
    expect(await names('a')).toEqual(['x']);
    expect(await names('a', caller('root', ['system:masters']))).toEqual(['x']);
    expect(asked).toEqual([]);
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

describe('the gate', () => {
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
