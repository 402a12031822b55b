import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sortKey } from '../informer/sort-key.ts';
import type { KubeObject } from '../kube/objects.ts';
import { ask, BASE, named, newCollection, widget } from './serve.fixture.ts';

const metadataOf = (got: { json(): { metadata: Record<string, unknown> } }) => got.json().metadata;

describe('pages', () => {
  test('come with a token and the number of items that remain, until nothing remains', async () => {
    const collection = newCollection();
    for (const name of ['a', 'b', 'c']) collection.set(widget(name));
    const first = await ask(collection, `${BASE}?limit=2`);
    expect(named(first.json().items)).toEqual(['a', 'b']);
    expect(metadataOf(first)).toMatchObject({ resourceVersion: '103', remainingItemCount: 1 });
    const second = await ask(collection, `${BASE}?limit=2&continue=${metadataOf(first).continue}`);
    expect(named(second.json().items)).toEqual(['c']);
    expect(metadataOf(second)).toEqual({ resourceVersion: '103' });
  });

  test('have no token when the limit is just met', async () => {
    const collection = newCollection();
    collection.set(widget('a'));
    expect(metadataOf(await ask(collection, `${BASE}?limit=1`))).toEqual({ resourceVersion: '101' });
  });

  test('do not tell how many remain behind a selector', async () => {
    const collection = newCollection();
    for (const name of ['a', 'b', 'c']) collection.set(widget(name, { labels: { x: name === 'b' ? 'no' : 'yes' } }));
    const first = await ask(collection, `${BASE}?limit=1&labelSelector=x%3Dyes`);
    expect(Object.keys(metadataOf(first))).toEqual(['resourceVersion', 'continue']);
  });

  test('are 410 when the changes since the first one are forgotten', async () => {
    const collection = newCollection(2);
    for (const name of ['a', 'b', 'c']) collection.set(widget(name));
    const token = metadataOf(await ask(collection, `${BASE}?limit=1`)).continue;
    for (const name of ['x', 'y', 'z']) collection.set(widget(name));
    const got = await ask(collection, `${BASE}?limit=1&continue=${token}`);
    expect([got.status, got.json().reason]).toEqual([410, 'Expired']);
    expect(got.json().message).toMatch(/^The provided continue parameter is too old/);
  });

  test.each([
    ['made up', { rv: '100', start: 'a' }],
    ['of another process', { rv: '100', start: 'a', mac: Buffer.alloc(32, 1).toString('base64url') }],
    ['of which the end is missing', { rv: '100', start: 'a', mac: 'AAAA' }],
    ['with a signature that is none', { rv: '100', start: 'a', mac: 5 }],
  ])('are 410 for a token %s', async (_, fields) => {
    const token = Buffer.from(JSON.stringify(fields)).toString('base64url');
    const got = await ask(newCollection(), `${BASE}?continue=${token}`);
    expect([got.status, got.json().reason]).toEqual([410, 'Expired']);
    expect(got.json().message).toMatch(/^The provided continue parameter is too old/);
  });

  test.each(['x', Buffer.from('null').toString('base64url'), Buffer.from('{"rv":"1"}').toString('base64url')])(
    'are 400 for what is no token: %s',
    async token => {
      const got = await ask(newCollection(), `${BASE}?continue=${token}`);
      expect([got.status, got.json().message]).toEqual([400, expect.stringMatching(/^invalid continue token/)]);
    },
  );

  describe('belong to', () => {
    const filled = (boundTo?: string) => {
      const collection = newCollection();
      for (const name of ['a', 'b', 'c']) collection.set(widget(name, { labels: { x: 'yes' } }));
      return boundTo === undefined ? collection : Object.assign(collection, { boundTo });
    };
    const tokenFor = async (url: string, boundTo?: string) => metadataOf(await ask(filled(boundTo), url)).continue;

    test('whoever began them', async () => {
      const token = await tokenFor(`${BASE}?limit=1`, 'alice');
      expect((await ask(filled('bob'), `${BASE}?limit=1&continue=${token}`)).status).toBe(410);
      expect((await ask(filled(), `${BASE}?limit=1&continue=${token}`)).status).toBe(410);
      expect(named((await ask(filled('alice'), `${BASE}?limit=1&continue=${token}`)).json().items)).toEqual(['b']);
    });

    test('their path', async () => {
      const token = await tokenFor(`${BASE}?limit=1`);
      const other = BASE.replace('/widgets', '/namespaces/x/widgets');
      expect((await ask(filled(), `${other}?limit=1&continue=${token}`)).status).toBe(410);
    });

    test.each(['labelSelector=x%3Dyes', 'fieldSelector=metadata.name!%3Dz'])('their selector: %s', async selector => {
      const token = await tokenFor(`${BASE}?limit=1&${selector}`);
      expect((await ask(filled(), `${BASE}?limit=1&continue=${token}`)).status).toBe(410);
      const next = await ask(filled(), `${BASE}?${selector}&limit=2&continue=${token}`);
      expect(named(next.json().items)).toEqual(['b', 'c']);
    });

    test('what they say themselves: version and beginning cannot be changed', async () => {
      const token = String(await tokenFor(`${BASE}?limit=1`));
      const fields = JSON.parse(Buffer.from(token, 'base64url').toString()) as object;
      for (const change of [{ rv: '102' }, { start: '' }]) {
        const changed = Buffer.from(JSON.stringify({ ...fields, ...change })).toString('base64url');
        expect((await ask(filled(), `${BASE}?limit=1&continue=${changed}`)).status).toBe(410);
      }
    });
  });

  test('take no version besides the token', async () => {
    const token = Buffer.from(JSON.stringify({ rv: '100', start: 'a' })).toString('base64url');
    const got = await ask(newCollection(), `${BASE}?continue=${token}&resourceVersion=100`);
    expect([got.status, got.json().message]).toEqual([400, 'specifying resource version is not allowed when using continue']);
  });

  test('together show exactly the state of the first one, whatever changes between them', async () => {
    const change = fc.record({ remove: fc.boolean(), name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f') });
    const changes = fc.array(change, { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        changes,
        fc.array(changes, { maxLength: 6 }),
        async (limit, before, between) => {
          const collection = newCollection();
          const apply = (list: readonly { remove: boolean; name: string }[]): void => {
            for (const { remove, name } of list) {
              if (remove) collection.delete(widget(name));
              else collection.set(widget(name));
            }
          };
          apply(before);
          const expected = collection.list();
          const seen: KubeObject[] = [];
          let query = `limit=${limit}`;
          for (let page = 0; ; page += 1) {
            const got = await ask(collection, `${BASE}?${query}`);
            seen.push(...got.json().items);
            expect(metadataOf(got).resourceVersion).toBe(expected.metadata.resourceVersion);
            const token = metadataOf(got).continue;
            if (token === undefined) break;
            query = `limit=${limit}&continue=${token}`;
            apply(between[page] ?? []);
          }
          expect(seen).toEqual(expected.items);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a collection of which whole lists cost much', () => {
  /** Says which of its items were taken. */
  function lazy(count: number) {
    const collection = newCollection();
    for (let each = 0; each < count; each += 1) collection.set(widget(`w${String(each).padStart(3, '0')}`));
    const taken: string[] = [];
    const listed: string[] = [];
    return {
      ...collection,
      taken,
      listed,
      size: count,
      get resourceVersion() {
        return collection.resourceVersion;
      },
      get version() {
        return collection.resourceVersion;
      },
      list() {
        listed.push('all');
        return collection.list();
      },
      *items(after = '') {
        for (const item of collection.list().items) {
          if (sortKey(item) <= after) continue;
          taken.push(item.metadata?.name ?? '');
          yield item;
        }
      },
    };
  }

  test('gives a page from the items that it needs, and those that are counted', async () => {
    const collection = lazy(600);
    const first = await ask(collection, `${BASE}?limit=2`);
    expect(named(first.json().items)).toEqual(['w000', 'w001']);
    expect(Object.keys(metadataOf(first))).toEqual(['resourceVersion', 'continue']);
    expect(collection.taken.length).toBeLessThan(300);
    collection.taken.length = 0;
    const next = await ask(collection, `${BASE}?limit=400&continue=${metadataOf(first).continue}`);
    expect([named(next.json().items)[0], next.json().items.length, metadataOf(next).remainingItemCount]).toEqual([
      'w002',
      400,
      198,
    ]);
    expect(collection.taken[0]).toBe('w002');
    expect(collection.listed).toEqual([]);
  });

  test.each([
    ['with any version', `${BASE}?limit=1&resourceVersion=0`],
    ['not older than one', `${BASE}?limit=1&resourceVersion=101&resourceVersionMatch=NotOlderThan`],
    ['of one object', `${BASE}/w000?resourceVersion=101`],
    ['behind a selector', `${BASE}?limit=1&labelSelector=!x`],
    ['of another version', `${BASE}?limit=1&resourceVersion=102`],
    ['of what is to come', `${BASE}?watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=0&sendInitialEvents=false`],
  ])('is not listed for what needs no list: %s', async (_, url) => {
    const collection = lazy(3);
    expect((await ask(collection, url)).status).toBe(200);
    expect(collection.listed).toEqual([]);
  });

  test('has at every version the items that others have', async () => {
    const change = fc.record({ remove: fc.boolean(), name: fc.constantFrom('w000', 'w002', 'w004', 'w0005', 'a', 'z') });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 4 }), fc.array(change, { maxLength: 8 }), async (limit, changes) => {
        const collection = lazy(5);
        const states = [collection.list()];
        for (const { remove, name } of changes) {
          if (remove) collection.delete(widget(name));
          else collection.set(widget(name));
          states.push(collection.list());
        }
        for (const { items, metadata } of states) {
          const seen: KubeObject[] = [];
          let query = `&resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=Exact`;
          do {
            const got = await ask(collection, `${BASE}?limit=${limit}${query}`);
            seen.push(...got.json().items);
            query = metadataOf(got).continue === undefined ? '' : `&continue=${metadataOf(got).continue}`;
          } while (query !== '');
          expect(seen).toEqual(items);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('resourceVersion of a list', () => {
  function changed() {
    const collection = newCollection(3);
    for (const name of ['a', 'b', 'c', 'd']) collection.set(widget(name));
    return collection;
  }

  test.each(['', 'resourceVersion=0', 'resourceVersion=1', 'resourceVersion=102&resourceVersionMatch=NotOlderThan'])(
    '%s: the newest state',
    async query => {
      expect(metadataOf(await ask(changed(), `${BASE}?${query}`))).toEqual({ resourceVersion: '104' });
    },
  );

  test.each(['resourceVersion=102&resourceVersionMatch=Exact', 'resourceVersion=102&limit=10'])(
    '%s: the state at that very version',
    async query => {
      const got = await ask(changed(), `${BASE}?${query}`);
      expect([metadataOf(got).resourceVersion, named(got.json().items)]).toEqual(['102', ['a', 'b']]);
    },
  );

  test('an exact version that is forgotten: 410', async () => {
    const got = await ask(changed(), `${BASE}?resourceVersion=100&resourceVersionMatch=Exact`);
    expect([got.status, got.json().message]).toEqual([410, 'The resourceVersion for the provided list is too old.']);
  });

  test.each(['', '&resourceVersionMatch=NotOlderThan', '&resourceVersionMatch=Exact'])(
    'a version that is not reached yet (%s): 504, which clients know',
    async match => {
      const got = await ask(changed(), `${BASE}?resourceVersion=999${match}`);
      expect(got.status).toBe(504);
      expect(got.json()).toMatchObject({
        reason: 'Timeout',
        message: 'Timeout: Too large resource version: 999, current: 104',
        details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
      });
    },
  );
});
