import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { OWNER_ANNOTATION } from '../index/workspace-object.ts';
import { createIndexSource } from '../sight/index-source.ts';
import { edges, entranceOf } from '../sight/sight.fixture.ts';
import { alice, enterable, fillIndex, stranger } from '../workspaces-view.fixture.ts';
import { untilApplied, type Written } from './applied.ts';
import { shownAfterWrite } from './shown.ts';

const answered = (name: string, resourceVersion?: string): KubeObject => ({
  metadata: {
    ...{ name, uid: `uid-${name}`, annotations: { a: '1', [OWNER_ANNOTATION]: '{"username":"alice"}' } },
    ...(resourceVersion !== undefined && { resourceVersion }),
  },
});

async function shown(object: KubeObject, index = fillIndex(), caller = alice, written: Written = 'as-shown') {
  const sight = await createIndexSource(index).sightOf(caller, 'root');
  return shownAfterWrite({ index, sight, applied: untilApplied(index, 'root'), written }, object);
}

const versionOf = async (...parameters: Parameters<typeof shown>) => (await shown(...parameters)).metadata?.resourceVersion;

describe('the answer of a shard to a write', () => {
  test('is shown without the record of the owner, and is not changed itself', async () => {
    const object = answered('open', '7');
    expect((await shown(object)).metadata?.annotations).toEqual({ a: '1' });
    expect(object.metadata?.annotations).toHaveProperty([OWNER_ANNOTATION]);
  });

  test('has the version at which the view has the object', async () => {
    expect(await versionOf(answered('open', '7'))).toBe('50');
  });

  test('has the version at which the caller got to see the object, if that was later', async () => {
    const index = fillIndex();
    index.put(enterable('open', { entrance: entranceOf('c-open', { edges: edges({ 'u:alice': 60n }) }) }));
    expect(await versionOf(answered('open', '7'), index)).toBe('60');
  });

  test('has the version of the object for whoever does not see what he has made', async () => {
    expect(await versionOf(answered('open', '7'), fillIndex(), stranger)).toBe('50');
  });

  test('has a version just before the next change, if there has been one: a write from here conflicts, a watch shows it', async () => {
    const index = fillIndex();
    index.put(enterable('open', { objectVersion: 90n, upstreamVersion: '8' }));
    expect(await versionOf(answered('open', '7'), index)).toBe('89');
  });

  test('has the newest version of all when the object is gone, or another has its name', async () => {
    const index = fillIndex();
    const gone = answered('gone', '9');
    expect(await versionOf({ metadata: { ...gone.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }, index)).toBe(
      String(index.version),
    );
    expect(await versionOf(gone, index, alice, 'deleted')).toBe(String(index.version));
  });

  test('has no version where nothing has been stored', async () => {
    expect((await shown(answered('new'))).metadata).not.toHaveProperty('resourceVersion');
  });

  test('is given when the view has heard of it', async () => {
    const index = fillIndex();
    const version = versionOf(answered('new', '9'), index);
    index.put(enterable('new', { objectVersion: 105n, upstreamVersion: '9' }));
    expect(await version).toBe('105');
  });
});
