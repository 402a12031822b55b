import { describe, expect, test } from '@jest/globals';
import { internalError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { fakeUpstream } from '../testing/fake-upstream.ts';
import { type Transform, transform } from '../view/view.ts';
import { ask, THING, THINGS } from './view-write.fixture.ts';

const OF = {
  apiVersion: 'g.io/v1',
  kind: 'Thing',
  group: 'g.io',
  resource: 'things',
  columns: [{ name: 'Size', type: 'integer', description: '', priority: 0, jsonPath: '.spec.size' }],
} as const;
const thing = (name: string, size: number, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'g.io/v1',
  kind: 'Thing',
  metadata: { name, resourceVersion: '5', labels },
  spec: { size },
});
/** Shows what is labelled `double` with twice its size, what is `hidden` not at all, and breaks over what is `broken`. */
const PLAN: Transform = transform({
  reads: 'object',
  of: OF,
  object: object => {
    const { hidden, broken, double } = object.metadata?.labels ?? {};
    if (broken) throw internalError('its annotation is bad');
    if (hidden) return undefined;
    return double ? { ...object, spec: { size: 2 * (object.spec as { size: number }).size } } : object;
  },
  because: 'test',
});
const METADATA = { resourceVersion: '7', continue: 'c', remainingItemCount: 3 };
const list = (...items: readonly KubeObject[]) => ({ apiVersion: 'g.io/v1', kind: 'ThingList', metadata: METADATA, items });
const shardWith = (body: object | string) => fakeUpstream(() => ({ body }));
const as = (kind: string) => ['accept', `application/json;as=${kind};v=v1;g=meta.k8s.io`];
const YAML = ['accept', 'application/yaml'];

describe('of a transform that reads objects', () => {
  const items = [thing('a', 1, { double: 'yes' }), thing('b', 3, { hidden: 'yes' }), thing('c', 4)];

  test('a list is a Table to who asks for one, made of what is shown', async () => {
    const shard = shardWith(list(...items));
    const exchange = await ask(shard, 'GET', THINGS, { plan: PLAN, headers: as('Table') });
    expect(shard.requests[0]?.headers.join()).toContain('accept,application/json,');
    expect(exchange.json).toMatchObject({
      kind: 'Table',
      metadata: { resourceVersion: '7', continue: 'c' },
      columnDefinitions: [{ name: 'Name' }, { name: 'Size' }],
      rows: [{ cells: ['a', 2] }, { cells: ['c', 4] }],
    });
    expect(exchange.text).not.toContain('remainingItemCount');
  });

  test('a list is metadata, or YAML, or indented, to who asks for that', async () => {
    const partial = await ask(shardWith(list(...items)), 'GET', THINGS, { plan: PLAN, headers: as('PartialObjectMetadataList') });
    expect(partial.json).toMatchObject({
      kind: 'PartialObjectMetadataList',
      metadata: { resourceVersion: '7', continue: 'c' },
      items: [{ kind: 'PartialObjectMetadata', metadata: { name: 'a' } }, { metadata: { name: 'c' } }],
    });
    const yaml = await ask(shardWith(list(...items)), 'GET', THINGS, { plan: PLAN, headers: YAML });
    expect([yaml.responseHeader('content-type'), yaml.text]).toEqual([
      'application/yaml',
      expect.stringContaining('    spec:\n      size: 2\n'),
    ]);
    const pretty = await ask(shardWith(list(...items)), 'GET', `${THINGS}?pretty=true`, { plan: PLAN });
    expect(pretty.text).toContain('\n      "spec": {\n        "size": 2\n');
  });

  test('an object is a Table, metadata or YAML to who asks for that', async () => {
    const one = (headers: readonly string[]) =>
      ask(shardWith(thing('a', 1, { double: 'yes' })), 'GET', THING, { plan: PLAN, headers });
    expect((await one(as('Table'))).json).toMatchObject({
      kind: 'Table',
      metadata: { resourceVersion: '5' },
      rows: [{ cells: ['a', 2] }],
    });
    expect((await one(as('PartialObjectMetadata'))).json).toMatchObject({
      kind: 'PartialObjectMetadata',
      metadata: { name: 'a' },
    });
    expect((await one(YAML)).text).toContain('spec:\n  size: 2\n');
    expect((await one(['accept', 'text/html'])).status).toBe(406);
  });

  test('a hidden object is not found in any form', async () => {
    for (const headers of [as('Table'), as('PartialObjectMetadata'), YAML, []]) {
      expect((await ask(shardWith(thing('b', 1, { hidden: 'yes' })), 'GET', THING, { plan: PLAN, headers })).status).toBe(404);
    }
  });

  test('a watch is of Tables, with their columns once, or of metadata', async () => {
    const events = [
      { type: 'ADDED', object: items[0] },
      { type: 'ADDED', object: items[1] },
      { type: 'MODIFIED', object: items[2] },
      { type: 'BOOKMARK', object: { apiVersion: 'g.io/v1', kind: 'Thing', metadata: { resourceVersion: '9' } } },
      { type: 'ERROR', object: { kind: 'Status', code: 410 } },
    ];
    const body = events.map(event => `${JSON.stringify(event)}\n`).join('');
    const lines = async (kind: string) =>
      (await ask(shardWith(body), 'GET', `${THINGS}?watch=true`, { plan: PLAN, headers: as(kind) })).text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line));
    const table = (cells: unknown[]) => ({ kind: 'Table', rows: [{ cells }] });
    expect(await lines('Table')).toMatchObject([
      { type: 'ADDED', object: { ...table(['a', 2]), columnDefinitions: [{ name: 'Name' }, { name: 'Size' }] } },
      { type: 'MODIFIED', object: { ...table(['c', 4]), columnDefinitions: null } },
      { type: 'BOOKMARK', object: { kind: 'Table', metadata: { resourceVersion: '9' } } },
      events[4],
    ]);
    expect(await lines('PartialObjectMetadata')).toMatchObject([
      { type: 'ADDED', object: { kind: 'PartialObjectMetadata', metadata: { name: 'a' } } },
      { type: 'MODIFIED', object: { kind: 'PartialObjectMetadata', metadata: { name: 'c' } } },
      { type: 'BOOKMARK', object: { kind: 'PartialObjectMetadata', metadata: { resourceVersion: '9' } } },
      events[4],
    ]);
  });
});

describe('what a transform does not change', () => {
  const AS_IT_CAME = '{"metadata":{"name":"c"},  "spec":{"size":12345678901234567890,"float":1.0}}';

  test('of a list is sent in the shard’s bytes, and its numbers keep their digits where it is changed', async () => {
    const changed =
      '{"metadata":{"name":"a","labels":{"double":"yes"}},"spec":{"size":2},"status":{"count":12345678901234567890}}';
    const body = `{"kind":"ThingList","metadata":{"resourceVersion":"7"},"items":[${AS_IT_CAME},${changed}]}\n`;
    const exchange = await ask(shardWith(body), 'GET', THINGS, { plan: PLAN });
    expect(exchange.text).toContain(AS_IT_CAME);
    expect(exchange.text).toContain('"spec":{"size":4},"status":{"count":12345678901234567890}}]}');
  });

  test('of a single object is sent in the shard’s bytes', async () => {
    expect((await ask(shardWith(AS_IT_CAME), 'GET', THING, { plan: PLAN })).text).toBe(AS_IT_CAME);
  });

  test('in a watch is sent in the shard’s bytes, and its numbers keep their digits where it is changed', async () => {
    const changed =
      '{"metadata":{"name":"a","labels":{"double":"yes"}},"spec":{"size":2},"status":{"count":12345678901234567890}}';
    const body = `{"type":"ADDED","object":${AS_IT_CAME}}\n{"type":"MODIFIED","object":${changed}}\n`;
    const { text } = await ask(shardWith(body), 'GET', `${THINGS}?watch=true`, { plan: PLAN });
    expect(text).toBe(`${body.replace('"size":2', '"size":4')}`);
  });

  test('is indented in an indented list, like the rest', async () => {
    const { of: _, ...plan } = PLAN;
    const shard = shardWith(JSON.stringify(list(thing('a', 1, { double: 'yes' }), thing('c', 4)), null, 2));
    const { text } = await ask(shard, 'GET', `${THINGS}?pretty=1`, { plan });
    expect(text).toContain('\n      "spec": {\n        "size": 2\n');
    expect(text).toContain('\n      "spec": {\n        "size": 4\n');
  });
});

describe('an object that cannot be shown', () => {
  const broken = thing('b', 1, { broken: 'yes' });

  test('is left out of lists and watches, in any form', async () => {
    const items = [thing('a', 1), broken, thing('c', 4)];
    for (const headers of [[], as('PartialObjectMetadataList')]) {
      const listed = await ask(shardWith(list(...items)), 'GET', THINGS, { plan: PLAN, headers });
      expect([listed.status, (listed.json as { items: unknown[] }).items.length]).toEqual([200, 2]);
    }
    const body = items.map(object => `${JSON.stringify({ type: 'ADDED', object })}\n`).join('');
    const { text } = await ask(shardWith(body), 'GET', `${THINGS}?watch=true`, { plan: PLAN });
    expect(text.trim().split('\n')).toHaveLength(2);
  });

  test('is answered with the reason where it is asked for alone', async () => {
    const exchange = await ask(shardWith(broken), 'GET', THING, { plan: PLAN });
    expect([exchange.status, exchange.text]).toEqual([500, expect.stringContaining('its annotation is bad')]);
  });

  test('because it is nested too deeply does not take the others with it', async () => {
    const deep = `{"metadata":{"name":"b"},"spec":{"digits":12345678901234567890,"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;
    const body = `{"items":[{"metadata":{"name":"a"}},${deep},{"metadata":{"name":"c"}}]}`;
    const { json } = await ask(shardWith(body), 'GET', THINGS, { plan: PLAN });
    expect((json as { items: KubeObject[] }).items.map(({ metadata }) => metadata?.name)).toEqual(['a', 'c']);
  });
});

test('an answer with an item that is no JSON is an error, not a shorter list', async () => {
  expect((await ask(shardWith('{"items":[{"metadata":{}},{"metadata"}]}'), 'GET', THINGS, { plan: PLAN })).status).toBe(500);
  expect((await ask(shardWith('{"items":[{"metadata":{}}'), 'GET', THINGS, { plan: PLAN })).status).toBe(500);
  const cut = await ask(shardWith('{"type":"ADDED","object":{}\n'), 'GET', `${THINGS}?watch=true`, { plan: PLAN });
  expect(cut.end_).toBe('aborted');
});

test('a long list, which is read in turns, is whole', async () => {
  const body = list(...Array.from({ length: 30_000 }, (_, index) => thing(`thing-${index}`, index)));
  const whole = await ask(shardWith(body), 'GET', THINGS, { plan: PLAN });
  expect((whole.json as { items: unknown[] }).items).toHaveLength(30_000);
});

test('the last state of a deleted object is what the plan says of deleted ones', async () => {
  const plan: Transform = {
    ...PLAN,
    deleted: object => (object.metadata?.name === 'never-seen' ? undefined : { ...object, spec: 'gone' }),
  };
  const deleted = (name: string) => `${JSON.stringify({ type: 'DELETED', object: thing(name, 1, { hidden: 'yes' }) })}\n`;
  const body = `${deleted('a')}${deleted('never-seen')}${JSON.stringify({ type: 'ADDED', object: thing('c', 1) })}\n`;
  const lines = (await ask(shardWith(body), 'GET', `${THINGS}?watch=true`, { plan })).text.trim().split('\n');
  expect(lines.map(line => JSON.parse(line))).toMatchObject([
    { type: 'DELETED', object: { metadata: { name: 'a' }, spec: 'gone' } },
    { type: 'ADDED', object: { spec: { size: 1 } } },
  ]);
  expect((await ask(shardWith(body), 'GET', `${THINGS}?watch=true`, { plan: PLAN })).text.split('\n')).toHaveLength(2);
});
