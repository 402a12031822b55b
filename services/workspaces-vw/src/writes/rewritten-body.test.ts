import { describe, expect, test } from '@jest/globals';
import type { BodyKind } from '@kcp-vw/shared/view/view.ts';
import type { Snapshot } from '../index/snapshot.ts';
import { OWNER_ANNOTATION } from '../index/workspace-object.ts';
import { rewrittenBody } from './rewritten-body.ts';

const OWNER = '{"username":"creator","groups":["team"]}';
const POINTER = '/metadata/annotations/experimental.tenancy.kcp.io~1owner';
const HEAD = 200n;

/** Changed last at 150 of the view, which is 77 at its shard. */
const stored = {
  object: { metadata: { name: 'ws', annotations: { a: '1', b: '2' } } },
  upstreamVersion: '77',
  objectVersion: 150n,
  ownerAnnotation: OWNER,
} as unknown as Snapshot;

const sent = (body: unknown, kind: BodyKind, snapshot = stored): unknown => rewrittenBody(body, kind, snapshot, HEAD);
const never = { op: 'test', path: POINTER, value: [] };

describe('the resourceVersion of a body', () => {
  test.each([
    ['of the object is that of the shard', '150', '77'],
    ['of a later state of the view is that of the shard', '200', '77'],
    ['of a state before is one that conflicts', '149', '1'],
    ['from the future is one that conflicts', '201', '1'],
    ['of another process is one that conflicts', '1812345678901234567', '1'],
    ['that is no version is for the shard to refuse', 'abc', 'abc'],
    ['that is empty stays empty', '', ''],
    ['0 stays 0: it stands for whatever is there', '0', '0'],
  ])('%s', (_, given, expected) => {
    expect(sent({ metadata: { resourceVersion: given } }, 'object')).toMatchObject({ metadata: { resourceVersion: expected } });
    expect(sent({ metadata: { resourceVersion: given } }, 'merge-patch')).toEqual({ metadata: { resourceVersion: expected } });
    expect(sent({ metadata: { resourceVersion: given } }, 'apply')).toEqual({ metadata: { resourceVersion: expected } });
    expect(sent({ preconditions: { uid: 'u', resourceVersion: given } }, 'delete-options')).toEqual({
      preconditions: { uid: 'u', resourceVersion: expected },
    });
    const operation = { op: 'test', path: '/metadata/resourceVersion' };
    expect(sent([{ ...operation, value: given }], 'json-patch')).toEqual([{ ...operation, value: expected }]);
  });

  test('is not put where there was none', () => {
    expect(sent({ metadata: { labels: {} } }, 'merge-patch')).toEqual({ metadata: { labels: {} } });
    expect(sent({ preconditions: { uid: 'u' } }, 'delete-options')).toEqual({ preconditions: { uid: 'u' } });
    expect(sent({ metadata: { name: 'ws' } }, 'object')).not.toHaveProperty('metadata.resourceVersion');
  });
});

describe('the record of the owner', () => {
  test('is put back into an update, which comes without it', () => {
    expect(sent({ metadata: { name: 'ws', annotations: { a: '1' } } }, 'object')).toEqual({
      metadata: { name: 'ws', annotations: { a: '1', [OWNER_ANNOTATION]: OWNER } },
    });
    expect(sent({ metadata: { name: 'ws' } }, 'object')).toEqual({
      metadata: { name: 'ws', annotations: { [OWNER_ANNOTATION]: OWNER } },
    });
  });

  test('cannot be set by an update, neither where there is one nor where there is none', () => {
    const body = { metadata: { name: 'ws', annotations: { [OWNER_ANNOTATION]: 'forged' } } };
    expect(sent(body, 'object')).toEqual({ metadata: { name: 'ws', annotations: { [OWNER_ANNOTATION]: OWNER } } });
    const { ownerAnnotation: _, ...without } = stored;
    expect(sent(body, 'object', without)).toEqual({ metadata: { name: 'ws', annotations: {} } });
  });

  test.each<BodyKind>(['apply', 'merge-patch', 'strategic-merge-patch'])('cannot be set or taken away by %s', kind => {
    expect(sent({ metadata: { annotations: { a: '2', [OWNER_ANNOTATION]: null } } }, kind)).toEqual({
      metadata: { annotations: { a: '2' } },
    });
  });

  test('stays when a merge patch takes all annotations away', () => {
    expect(sent({ metadata: { annotations: null } }, 'merge-patch')).toEqual({ metadata: { annotations: { a: null, b: null } } });
  });

  test.each([
    ['replace', '/metadata/annotations', { c: '3' }, { c: '3', [OWNER_ANNOTATION]: OWNER }],
    ['add', '/metadata/annotations', { c: '3' }, { c: '3', [OWNER_ANNOTATION]: OWNER }],
    ['test', '/metadata/annotations', { a: '1', b: '2' }, { a: '1', b: '2', [OWNER_ANNOTATION]: OWNER }],
    ['replace', '/metadata', { name: 'ws' }, { name: 'ws', annotations: { [OWNER_ANNOTATION]: OWNER } }],
    ['replace', '', { metadata: {} }, { metadata: { annotations: { [OWNER_ANNOTATION]: OWNER } } }],
  ])('is in the value of a JSON patch that does %s to %j', (op, path, value, expected) => {
    expect(sent([{ op, path, value }], 'json-patch')).toEqual([{ op, path, value: expected }]);
  });

  test('stays when a JSON patch removes all annotations', () => {
    expect(sent([{ op: 'remove', path: '/metadata/annotations' }], 'json-patch')).toEqual([
      { op: 'replace', path: '/metadata/annotations', value: { [OWNER_ANNOTATION]: OWNER } },
    ]);
  });

  test.each(['remove', 'replace', 'test'])('is not there for a JSON patch that does %s to it', op => {
    expect(sent([{ op, path: POINTER, value: OWNER }], 'json-patch')).toEqual([never]);
  });

  // It may have the record in it, and is not shown then.
  test('is out of reach in what was applied, when that is not shown', () => {
    const path = '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration';
    expect(sent([{ op: 'copy', from: path, path: '/metadata/labels/x' }], 'json-patch')).toEqual([never]);
    expect(sent([{ op: 'test', path, value: 'x' }], 'json-patch')).toEqual([never]);
    const replacing = { op: 'replace', path, value: '{}' };
    expect(sent([replacing], 'json-patch')).toEqual([replacing]);
  });

  test.each(['copy', 'move'])('is there again after a JSON patch that does %s to the place of all annotations', op => {
    const operation = { op, from: '/metadata/labels', path: '/metadata/annotations' };
    expect(sent([operation], 'json-patch')).toEqual([operation, { op: 'add', path: POINTER, value: OWNER }]);
  });

  // Go's library takes a pointer apart at its slashes and forgets the first part, where RFC 6901 wants nothing to be.
  test('is out of reach for a pointer that does not begin with a slash', () => {
    for (const from of [POINTER, '/metadata/annotations', '/metadata']) {
      expect(sent([{ op: 'copy', from: `anything${from}`, path: '/spec/x' }], 'json-patch')).toEqual([never]);
    }
    for (const op of ['test', 'remove', 'replace']) {
      expect(sent([{ op, path: `anything${POINTER}`, value: OWNER }], 'json-patch')).toEqual([never]);
    }
    const all = { op: 'replace', path: 'anything/metadata/annotations' };
    expect(sent([{ ...all, value: {} }], 'json-patch')).toEqual([{ ...all, value: { [OWNER_ANNOTATION]: OWNER } }]);
    const tested = { op: 'test', path: 'anything/metadata/resourceVersion' };
    expect(sent([{ ...tested, value: '150' }], 'json-patch')).toEqual([{ ...tested, value: '77' }]);
  });

  test('is not added by a JSON patch; the rest of the patch counts', () => {
    const other = { op: 'add', path: '/metadata/labels', value: {} };
    expect(sent([{ op: 'add', path: POINTER, value: 'forged' }, other], 'json-patch')).toEqual([other]);
  });

  test.each(['', '/metadata', '/metadata/annotations', POINTER])('cannot be copied to where it would be seen, from %j', from => {
    expect(sent([{ op: 'copy', from, path: '/spec/x' }], 'json-patch')).toEqual([never]);
    expect(sent([{ op: 'move', from, path: '/spec/x' }], 'json-patch')).toEqual([never]);
  });
});

test.each<[BodyKind, unknown]>([
  ['object', 'text'],
  ['object', { metadata: 'text' }],
  ['merge-patch', null],
  ['json-patch', { op: 'add' }],
  ['json-patch', ['text', null]],
  ['delete-options', { preconditions: 'text' }],
  ['delete-options', []],
])('a %s that is none (%j) goes to the shard as it is', (kind, body) => {
  expect(sent(body, kind)).toEqual(body);
});
