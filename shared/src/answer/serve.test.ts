import { describe, expect, test } from '@jest/globals';
import { headerValue } from '../listener/headers.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import { ask, BASE, FakeExchange, named, newCollection, widget } from './serve.fixture.ts';
import { serveCollection } from './serve.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const accept = (value: string) => ({ headers: ['accept', value] });

function filled() {
  const collection = newCollection();
  collection.set(widget('a', { color: 'red', labels: { team: 'x' } }));
  collection.set(widget('b', { color: 'blue', labels: { team: 'y' } }));
  collection.set(widget('c', { color: 'red', namespace: 'ns', labels: { team: 'x' } }));
  return collection;
}

describe('get', () => {
  test('answers the object', async () => {
    const got = await ask(filled(), `${BASE}/a`);
    expect([got.status, got.complete, got.header('content-type')]).toEqual([200, true, 'application/json']);
    expect(got.header('content-length')).toBe(String(got.bytesWritten));
    expect(got.json()).toMatchObject({ kind: 'Widget', metadata: { name: 'a', resourceVersion: '101' } });
  });

  test('finds a namespaced object in its namespace only', async () => {
    expect((await ask(filled(), '/apis/example.dev/v1/namespaces/ns/widgets/c')).status).toBe(200);
    expect((await ask(filled(), `${BASE}/c`)).status).toBe(404);
  });

  test('answers 404 with the words of an API server', async () => {
    const got = await ask(filled(), `${BASE}/zzz`);
    expect(got.status).toBe(404);
    expect(got.json()).toMatchObject({ kind: 'Status', reason: 'NotFound', message: 'widgets.example.dev "zzz" not found' });
  });

  test('gives an object that its collection keeps without type the type of the collection', async () => {
    const collection = newCollection();
    collection.set({ metadata: { name: 'bare' } });
    expect((await ask(collection, `${BASE}/bare`)).json()).toMatchObject({ apiVersion: 'example.dev/v1', kind: 'Widget' });
  });

  test('as a Table has one row, and the version of the object', async () => {
    const got = (await ask(filled(), `${BASE}/b`, accept(TABLE))).json();
    expect(got).toMatchObject({ kind: 'Table', metadata: { resourceVersion: '102' }, rows: [{ cells: ['b', 'blue'] }] });
  });

  test('is indented for people', async () => {
    expect((await ask(filled(), `${BASE}/a`, { headers: ['user-agent', 'curl/8.0'] })).text).toContain('\n  "kind"');
    expect((await ask(filled(), `${BASE}/a?pretty=false`, { headers: ['user-agent', 'curl/8.0'] })).text).not.toContain('\n  ');
  });

  test('of a version that is not reached yet is 504 and to be tried again', async () => {
    const got = await ask(filled(), `${BASE}/a?resourceVersion=999`);
    expect([got.status, got.header('retry-after')]).toEqual([504, '1']);
  });
});

describe('list', () => {
  test('answers all objects, sorted, with the version of the collection', async () => {
    const got = await ask(filled(), BASE);
    expect(got.json()).toMatchObject({ apiVersion: 'example.dev/v1', kind: 'WidgetList', metadata: { resourceVersion: '103' } });
    expect(named(got.json().items)).toEqual(['a', 'b', 'c']);
  });

  test('of nothing has an empty array', async () => {
    expect((await ask(newCollection(), BASE)).json().items).toEqual([]);
  });

  test.each([
    ['labelSelector=team%3Dx', ['a', 'c']],
    ['labelSelector=team+notin+(x)', ['b']],
    ['fieldSelector=metadata.name%3Db', ['b']],
    ['fieldSelector=metadata.namespace%3Dns', ['c']],
    ['fieldSelector=metadata.name!%3Da&labelSelector=team%3Dx', ['c']],
    ['fieldSelector=kind%3DWidget', ['a', 'b', 'c']],
  ])('selects by %s', async (query, expected) => {
    expect(named((await ask(filled(), `${BASE}?${query}`)).json().items)).toEqual(expected);
  });

  test('in a namespace shows that namespace', async () => {
    expect(named((await ask(filled(), '/apis/example.dev/v1/namespaces/ns/widgets')).json().items)).toEqual(['c']);
  });

  test('as a Table has a row for every object', async () => {
    const got = (await ask(filled(), BASE, accept(`${TABLE},application/json`))).json();
    expect(got).toMatchObject({ kind: 'Table', metadata: { resourceVersion: '103' } });
    expect((got.rows as { cells: unknown[] }[]).map(row => row.cells)).toEqual([
      ['a', 'red'],
      ['b', 'blue'],
      ['c', 'red'],
    ]);
  });

  test('as PartialObjectMetadataList has no specs', async () => {
    const got = (await ask(filled(), BASE, accept('application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'))).json();
    expect(got).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
    expect(got.items.every(item => item.spec === undefined && item.kind === 'PartialObjectMetadata')).toBe(true);
  });

  test.each([
    ['list', BASE, 'PartialObjectMetadata'],
    ['get', `${BASE}/a`, 'PartialObjectMetadataList'],
  ])('a %s cannot be a %3$s: 406', async (_, url, kind) => {
    const got = await ask(filled(), url, accept(`application/json;as=${kind};v=v1;g=meta.k8s.io`));
    expect([got.status, got.json().reason]).toEqual([406, 'NotAcceptable']);
  });

  test('larger than one piece waits for a slow client and is complete in the end', async () => {
    const collection = newCollection();
    for (let i = 0; i < 300; i += 1) collection.set(widget(`w${String(i).padStart(3, '0')}`, { color: 'x'.repeat(1000) }));
    const got = await ask(collection, BASE, { blocked: true });
    expect(got.closed).toBe(false);
    expect(got.bytesWritten).toBeLessThan(200_000);
    got.unblock();
    await got.done;
    expect(got.json().items).toHaveLength(300);
    expect(headerValue(got.sentHeaders, 'content-length')).toBeUndefined();
  });

  test('larger than one piece ends with a client that leaves', async () => {
    const collection = newCollection();
    for (let i = 0; i < 300; i += 1) collection.set(widget(`w${i}`, { color: 'x'.repeat(1000) }));
    const got = await ask(collection, BASE, { blocked: true });
    got.leave();
    await got.done;
    expect(got.complete).toBe(false);
  });
});

describe('refusals', () => {
  const INVALID = 'ListOptions.meta.k8s.io "" is invalid: ';
  test.each([
    ['labelSelector=(', 400, "found '(', expected: !, identifier, or 'end of string'"],
    ['fieldSelector=spec.color%3Dred', 400, 'field label not supported: spec.color'],
    ['limit=abc', 400, 'strconv.ParseInt: parsing "abc": invalid syntax'],
    ['resourceVersion=abc', 400, 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'],
    [
      'watch=1&resourceVersion=abc',
      400,
      'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    ],
    ['continue=%25%25', 400, 'invalid continue token: it cannot be read'],
    ['continue=e30', 400, 'invalid continue token: it is not one of this server'],
    [
      'resourceVersionMatch=Exact',
      422,
      `${INVALID}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided`,
    ],
    [
      'resourceVersion=1&resourceVersionMatch=Nearly',
      422,
      `${INVALID}resourceVersionMatch: Unsupported value: "Nearly": supported values: "Exact", "NotOlderThan", ""`,
    ],
    [
      'resourceVersion=0&resourceVersionMatch=Exact',
      422,
      `${INVALID}resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"`,
    ],
    ['sendInitialEvents=true', 422, `${INVALID}sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list`],
    [
      'watch=1&sendInitialEvents=true',
      422,
      `${INVALID}resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan`,
    ],
    [
      'watch=1&resourceVersion=5&resourceVersionMatch=NotOlderThan',
      422,
      `${INVALID}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided`,
    ],
  ])('%s is %d', async (query, code, message) => {
    const got = await ask(filled(), `${BASE}?${query}`);
    expect([got.status, got.json().message]).toEqual([code, message]);
  });

  test('a negative limit is no limit', async () => {
    expect((await ask(filled(), `${BASE}?limit=-1`)).json().items).toHaveLength(3);
  });

  test.each([
    ['POST', BASE, 'create'],
    ['PUT', `${BASE}/a`, 'update'],
    ['PATCH', `${BASE}/a`, 'patch'],
    ['DELETE', `${BASE}/a`, 'delete'],
    ['DELETE', BASE, 'deletecollection'],
  ])('%s %s is 405', async (method, url, verb) => {
    const got = await ask(filled(), url, { method });
    expect([got.status, got.json().message]).toEqual([
      405,
      `${verb} is not supported on resources of kind "widgets.example.dev"`,
    ]);
  });

  test.each(['/apis/example.dev/v1/gadgets', '/apis/other.dev/v1/widgets', `${BASE}/a/status`, '/healthz'])(
    '%s is not served: 404',
    async url => {
      expect((await ask(filled(), url)).status).toBe(404);
    },
  );

  test('an Accept header that nothing satisfies is 406', async () => {
    const got = await ask(filled(), BASE, accept('application/cbor'));
    expect([got.status, got.json().message]).toEqual([
      406,
      'only the following media types are accepted: application/json, application/yaml',
    ]);
  });

  test('what a collection throws by mistake is not hidden', async () => {
    const collection = filled();
    collection.list = () => {
      throw new TypeError('a bug');
    };
    const target = parseTarget(BASE);
    const exchange = new FakeExchange('GET', BASE, []);
    const served = serveCollection(exchange, requestInfo('GET', target), target.query, collection);
    await expect(served).rejects.toThrow('a bug');
  });
});
