import { describe, expect, test } from '@jest/globals';
import { frozen } from './upstream.fixture.ts';
import { isUpsynced, upsyncCreate, upsyncUpdate } from './upsync-write.ts';

const PATCH = 'internal.workload.kcp.io/upsyncdiffW';
const write = { of: { group: '', resource: 'persistentvolumes' }, name: 'pv', key: 'W' } as const;
const labels = { app: 'web', 'state.workload.kcp.io/W': 'Upsync' };
const stored = frozen({ metadata: { name: 'pv', uid: 'u', resourceVersion: '7', labels }, spec: { size: 1 } });
const volume = (annotations?: Record<string, string>) =>
  frozen({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv', labels, ...(annotations && { annotations }) },
    spec: { size: 1, claimRef: {} },
  });

const created = (patch: unknown) =>
  upsyncCreate({ ...write, submitted: volume({ a: 'b', [PATCH]: typeof patch === 'string' ? patch : JSON.stringify(patch) }) });

function code(result: object): number | undefined {
  return 'refusal' in result ? (result.refusal as { code: number }).code : undefined;
}

describe('an object that an upsyncer creates', () => {
  test('is stored as it is', () => {
    const submitted = volume({ a: 'b' });
    expect(upsyncCreate({ ...write, submitted })).toEqual({ object: submitted });
  });

  test('13: is stored with the patch that it brings applied, and without it', () => {
    expect(
      created([
        { op: 'replace', path: '/spec/size', value: 2 },
        { op: 'add', path: '/data', value: {} },
      ]),
    ).toEqual({
      object: { ...volume({ a: 'b' }), spec: { size: 2, claimRef: {} }, data: {} },
    });
  });

  test('14: without the state label of its target is a 400', () => {
    const submitted = { ...volume(), metadata: { labels: { 'state.workload.kcp.io/W': 'Sync' } } };
    const result = upsyncCreate({ ...write, submitted });
    expect(result).toMatchObject({
      refusal: {
        status: {
          code: 400,
          message: 'label selector "state.workload.kcp.io/W=Upsync" does not match labels {"state.workload.kcp.io/W":"Sync"}',
        },
      },
    });
  });

  // The other target's syncer would have run it.
  test('cannot be assigned to another target', () => {
    const submitted = { ...volume(), metadata: { labels: { ...labels, 'state.workload.kcp.io/E': 'Sync' } } };
    expect(code(upsyncCreate({ ...write, submitted }))).toBe(403);
  });

  test.each([
    ['metadata', [{ op: 'add', path: '/metadata/labels/x', value: 'y' }]],
    ['the kind, in other letters', [{ op: 'add', path: '/Kind', value: 'Pod' }]],
    ['the apiVersion', [{ op: 'move', from: '/apiVersion', path: '/x' }]],
    ['metadata anywhere', [{ op: 'add', path: '/spec/template/metadata', value: {} }]],
    // The original looked at the text only, in which these are not found.
    ['metadata, escaped', '[{"op":"remove","path":"\\/metadat\\u0061"}]'],
    ['all of it', [{ op: 'replace', path: '', value: { metadata: { labels } } }]],
    ['all of it, by a move', [{ op: 'move', from: '/spec', path: '' }]],
  ])('cannot bring a patch of %s', (_, patch) => {
    expect(created(patch)).toMatchObject({
      refusal: { status: { code: 400, message: expect.stringContaining('may not change') } },
    });
  });

  test.each([
    ['{'],
    ['{}'],
    ['[{"op":"remove","path":"/x"}]'],
    [`[{"op":"add","path":"/x","value":${'['.repeat(800)}${']'.repeat(800)}}]`],
  ])('is a 400 that says why with the patch %s', patch => {
    expect(created(patch)).toMatchObject({ refusal: { status: { code: 400, message: expect.stringContaining(PATCH) } } });
  });
});

describe('an object that an upsyncer updates', () => {
  test('15: is stored, bound to the one that was looked at', () => {
    const submitted = { ...volume(), status: { phase: 'Bound' } };
    expect(upsyncUpdate({ ...write, stored, submitted })).toEqual({
      object: { ...submitted, metadata: { ...submitted.metadata, resourceVersion: '7' } },
    });
  });

  test('16: cannot lose its state label', () => {
    const submitted = { ...volume(), metadata: { labels: { app: 'web' } } };
    expect(code(upsyncUpdate({ ...write, stored, submitted }))).toBe(400);
  });

  test('is a 404 when it is none of its own, whatever the submitted one says', () => {
    const other = { ...stored, metadata: { ...stored.metadata, labels: {} } };
    expect(code(upsyncUpdate({ ...write, stored: other, submitted: volume() }))).toBe(404);
    expect(code(upsyncUpdate({ ...write, stored: undefined, submitted: volume() }))).toBe(404);
  });

  test('is a 409 when it is another version', () => {
    const submitted = { ...volume(), metadata: { ...volume().metadata, resourceVersion: '6' } };
    expect(code(upsyncUpdate({ ...write, stored, submitted }))).toBe(409);
  });

  test('cannot be assigned to another target, nor taken from one', () => {
    const both = { ...labels, 'state.workload.kcp.io/E': 'Sync' };
    const assigned = { ...volume(), metadata: { labels: both } };
    expect(code(upsyncUpdate({ ...write, stored, submitted: assigned }))).toBe(403);
    const shared = { ...stored, metadata: { ...stored.metadata, labels: both } };
    expect(code(upsyncUpdate({ ...write, stored: shared, submitted: volume() }))).toBe(403);
    expect(code(upsyncUpdate({ ...write, stored: shared, submitted: assigned }))).toBeUndefined();
  });
});

test('11: what an upsyncer sees has its state label', () => {
  expect(isUpsynced(stored, 'W')).toBe(true);
  expect(isUpsynced(stored, 'E')).toBe(false);
});
