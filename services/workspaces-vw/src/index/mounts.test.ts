import { describe, expect, test } from '@jest/globals';
import type { WorkspaceObject } from './facts.ts';
import { ANN, started, workspaceOf } from './started.fixture.ts';
import { createWorkspaceIndex } from './workspace-index.ts';

const mount = (name: string, resourceVersion = '1'): WorkspaceObject =>
  workspaceOf(name, { mount: { ref: {} } }, { resourceVersion });
const READ_ALL = { access: false, getWorkspaces: '*' } as const;
const MANY = Array.from({ length: 500 }, (_, at) => `u:${at}`);

function withMounts(...names: readonly string[]) {
  const world = started();
  world.index.batch(() => {
    for (const name of names) world.index.workspace('alpha', 'root', name, mount(name));
  });
  return world;
}

describe('mounts of one parent', () => {
  const names = Array.from({ length: 50 }, (_, at) => `m${at}`);

  test('share the edges of those who may get all, so that many of both are not multiplied', () => {
    const { index } = withMounts(...names);
    index.role('alpha', 'root', 'reader', READ_ALL);
    index.binding('alpha', 'root', 'b', { role: 'reader', subjects: MANY });
    expect(index.stats().edges).toBeLessThanOrEqual(2 * MANY.length);
    const edges = new Set(names.map(name => index.find('root', name)?.mount?.edges));
    expect(edges.size).toBe(1);
    expect([...index.candidates({ parent: 'root', subjects: ['u:7'] })]).toHaveLength(50);
    for (const name of names) index.workspace('alpha', 'root', name, undefined);
    expect(index.stats().edges).toBe(0);
  });

  test('that a role names share the edges of who is bound to it, and the others have none of them', () => {
    const { index, names: found } = withMounts(...names, 'other');
    index.role('alpha', 'root', 'reader', { access: false, getWorkspaces: [...names, 'absent'] });
    index.binding('alpha', 'root', 'b', { role: 'reader', subjects: MANY });
    expect(index.stats().edges).toBeLessThanOrEqual(2 * MANY.length);
    expect(found({ subjects: ['u:7'] })).toEqual([...names].sort());
    expect(index.find('root', 'other')?.mount?.edges.size).toBe(0);
  });

  test('are posted once for each subject, and no more when it may get them no longer', () => {
    const { index, names: found } = withMounts('one', 'two');
    const { kept } = index.stats();
    index.role('alpha', 'root', 'all', READ_ALL);
    index.role('alpha', 'root', 'some', { access: false, getWorkspaces: ['one'] });
    index.binding('alpha', 'root', 'first', { role: 'all', subjects: ANN });
    index.binding('alpha', 'root', 'second', { role: 'some', subjects: ANN });
    expect(found({ subjects: ANN })).toEqual(['one', 'two']);
    index.binding('alpha', 'root', 'first', undefined);
    expect(found({ subjects: ANN })).toEqual(['one']);
    index.binding('alpha', 'root', 'second', undefined);
    expect(found({ subjects: ANN })).toEqual([]);
    expect(index.stats().kept).toBe(kept);
  });

  test('are seen by who is bound already no sooner than a role names them', () => {
    const { index } = withMounts('one', 'two');
    index.role('alpha', 'root', 'some', { access: false, getWorkspaces: ['one'] });
    index.binding('alpha', 'root', 'b', { role: 'some', subjects: ANN });
    const since = () => index.find('root', 'one')?.mount?.edges.since('u:ann');
    const first = index.version;
    expect(since()).toBe(first);
    index.role('alpha', 'root', 'some', { access: false, getWorkspaces: ['one', 'two'] });
    expect(since()).toBe(first);
    expect(index.find('root', 'two')?.mount?.edges.since('u:ann')).toBe(index.version);
    expect(index.version).toBe(first + 1n);
    index.role('alpha', 'root', 'other', { access: false, getWorkspaces: ['one'] });
    index.binding('alpha', 'root', 'c', { role: 'other', subjects: ['u:bob'] });
    expect(since()).toBe(first);
    expect([...(index.find('root', 'one')?.mount?.edges.subjects() ?? [])]).toEqual(['u:ann', 'u:bob']);
  });
});

describe('mounts that are too many in one parent', () => {
  function crowded() {
    const told: string[] = [];
    const index = createWorkspaceIndex({ epoch: 100n, mostMounts: 2, onMountShut: parent => told.push(parent) });
    index.logicalCluster('alpha', 'root', { phase: 'Ready' });
    index.role('alpha', 'root', 'reader', { access: true, getWorkspaces: '*' });
    index.binding('alpha', 'root', 'b', { role: 'reader', subjects: ANN });
    for (const name of ['a', 'b', 'c', 'd']) index.workspace('alpha', 'root', name, mount(name));
    const seen = () => [...index.candidates({ subjects: ANN })].map(({ name }) => name);
    return { index, told, seen };
  }

  test('are closed and seen by nobody, which is told once', () => {
    const { index, told, seen } = crowded();
    expect(seen()).toEqual(['a', 'b']);
    expect(index.find('root', 'c')).toMatchObject({ entrance: { open: false }, mount: { edges: { size: 0 } } });
    expect(told).toEqual(['root']);
  });

  test('have no events when others come to see mounts', () => {
    const { index } = crowded();
    const { version } = index;
    index.binding('alpha', 'root', 'c', { role: 'reader', subjects: ['u:bob'] });
    expect(index.version).toBe(version + 2n);
  });

  test('open when another is gone, at that version for those who could see the others before', () => {
    const { index, seen } = crowded();
    index.workspace('alpha', 'root', 'a', undefined);
    expect(seen()).toEqual(['b', 'c']);
    expect(index.find('root', 'c')?.mount?.edges.since('u:ann')).toBe(index.version);
    // A change of something else does not make it newer.
    const since = index.version;
    index.binding('alpha', 'root', 'c', { role: 'reader', subjects: ['u:bob'] });
    expect(index.find('root', 'c')?.mount?.edges.since('u:ann')).toBe(since);
    for (const name of ['b', 'c', 'd']) index.workspace('alpha', 'root', name, undefined);
    expect(seen()).toEqual([]);
  });
});

test('a change of a logical cluster touches only the workspace that it is of, however many say that they are it', () => {
  const { index, eventsOf } = started();
  index.batch(() => {
    for (let at = 0; at < 200; at += 1)
      index.workspace('alpha', 'root', `thief-${at}`, workspaceOf(`thief-${at}`, { cluster: 'c-web' }));
  });
  const bind = () => index.binding('beta', 'c-web', 'b', { role: 'member', subjects: ANN });
  expect(eventsOf(bind)).toMatchObject([{ after: { name: 'web' } }]);
  expect(index.byCluster('c-web')?.name).toBe('web');
  const shut = () => index.logicalCluster('beta', 'c-web', undefined);
  expect(eventsOf(shut)).toHaveLength(201);
  expect(index.find('root', 'thief-7')?.entrance).toMatchObject({ shard: '', open: false });
});
