import { describe, expect, test } from '@jest/globals';
import { CONFIGMAPS_PATH, TestShard, WIDGETS, WIDGETS_PATH, widget } from './api.fixture.ts';

const JSON_PATCH = 'application/json-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const PATH = `${WIDGETS_PATH}/w`;

function withWidget(): TestShard {
  const shard = new TestShard();
  shard.store.create(WIDGETS, 'a', widget('w', { spec: { x: 1, y: [1, 2] }, status: { z: 1 } }), { keepStatus: true });
  return shard;
}

describe('a patch', () => {
  test('by merge changes what it names', async () => {
    const reply = await withWidget().patch(PATH, { spec: { x: null, y: [3] } });
    expect(reply.json().spec).toEqual({ y: [3] });
  });

  test('by operations does them in order', async () => {
    const operations = [
      { op: 'test', path: '/spec/x', value: 1 },
      { op: 'remove', path: '/spec/y/0' },
      { op: 'add', path: '/spec/y/-', value: 9 },
    ];
    expect((await withWidget().patch(PATH, operations, JSON_PATCH)).json().spec).toEqual({ x: 1, y: [2, 9] });
  });

  test('of the status changes nothing else, and takes no notice of another uid', async () => {
    const shard = withWidget();
    const reply = await shard.patch(`${PATH}/status`, {
      metadata: { uid: 'other', labels: { a: 'b' } },
      spec: { x: 2 },
      status: { z: 2 },
    });
    expect(reply.json()).toMatchObject({ spec: { x: 1 }, status: { z: 2 } });
    expect(reply.json().metadata?.labels).toBeUndefined();
  });

  test('that names an older version is a conflict', async () => {
    const shard = withWidget();
    const { resourceVersion } = shard.store;
    await shard.patch(PATH, { spec: { x: 2 } });
    expect((await shard.patch(PATH, { metadata: { resourceVersion }, spec: { x: 3 } })).json()).toMatchObject({
      code: 409,
      message: expect.stringContaining('the object has been modified'),
    });
  });

  test.each([
    ['malformed JSON', '{', 'application/merge-patch+json', 400, 'error decoding patch: unexpected end of JSON input'],
    [
      'a test that fails',
      [{ op: 'test', path: '/spec/x', value: 2 }],
      JSON_PATCH,
      422,
      'the server rejected our request due to an error in our request',
    ],
    ['a list where an object belongs', [], 'application/merge-patch+json', 400, /error decoding patch/],
    ['an object where operations belong', {}, JSON_PATCH, 400, /error decoding patch/],
    ['another uid', { metadata: { uid: 'other' } }, 'application/merge-patch+json', 422, /field is immutable/],
    ['another name', { metadata: { name: 'x' } }, 'application/merge-patch+json', 400, /does not match the name on the URL/],
    ['another kind', { kind: 'X' }, 'application/merge-patch+json', 400, /cannot be handled as a Widget/],
    [
      'a strategic merge, which custom resources do not know',
      {},
      STRATEGIC,
      415,
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    ],
  ])('with %s is refused', async (_, body, type, code, message) => {
    const reply = (await withWidget().patch(PATH, body, type)).json();
    expect(reply.code).toBe(code);
    expect(reply.message).toMatch(message);
  });

  test('of what does not exist is a 404', async () => {
    expect((await new TestShard().patch(PATH, {})).status).toBe(404);
  });

  test('by strategic merge changes a built-in type', async () => {
    const shard = new TestShard();
    await shard.post(CONFIGMAPS_PATH, { metadata: { name: 'a' }, data: { x: '1', y: '2' } });
    const reply = await shard.patch(`${CONFIGMAPS_PATH}/a`, { data: { x: null, z: '3' } }, STRATEGIC);
    expect(reply.json()).toMatchObject({ data: { y: '2', z: '3' } });
  });

  test('cannot be forced unless it is an apply', async () => {
    expect((await withWidget().patch(`${PATH}?force=true`, {})).status).toBe(422);
  });

  test('in a dry run stores nothing', async () => {
    const shard = withWidget();
    expect((await shard.patch(`${PATH}?dryRun=All`, { spec: { x: 2 } })).json()).toMatchObject({ spec: { x: 2 } });
    expect((await shard.get(PATH)).json()).toMatchObject({ spec: { x: 1 } });
  });
});
