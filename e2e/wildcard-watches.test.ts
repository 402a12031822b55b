import { beforeAll, describe, expect, test } from '@jest/globals';
import { admin, masters } from './support/identities.ts';
import type { KubeObject, List, LogicalCluster, Table } from './support/kube.ts';
import { initializing, lifecycles, terminating } from './support/lifecycle.ts';
import { Scenario } from './support/scenario.ts';
import { deviationTest } from './support/suite.ts';
import { createPending, removeOwnName } from './support/views.ts';
import type { WatchEvent } from './support/watch.ts';
import { createWorkspace, deleteWorkspace, isReady, workspaceWhere } from './support/workspaces.ts';

const WATCH_LIST = '?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const PARTIAL = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json';

function clusterOf(object: KubeObject): string {
  return object.metadata?.annotations?.['kcp.io/cluster'] ?? '';
}

function about(cluster: string, ...types: WatchEvent['type'][]): (event: WatchEvent) => boolean {
  return ({ type, object }) => clusterOf(object) === cluster && types.includes(type);
}

function isBookmark({ type }: WatchEvent): boolean {
  return type === 'BOOKMARK';
}

describe.each(lifecycles)('a watch of $view', lifecycle => {
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await Scenario.create(lifecycle);
  });

  test('begins with the present objects as ADDED', async () => {
    const watch = await scenario.wildcard(admin).watch('');
    const event = await watch.until('the present workspace', about(scenario.cluster, 'ADDED'));
    expect(event.object).toMatchObject({
      kind: 'LogicalCluster',
      apiVersion: 'core.kcp.io/v1alpha1',
      metadata: { name: 'cluster' },
    });
  });

  test('continues from the resourceVersion of a list without repeating it', async () => {
    const list = (await scenario.wildcard(admin).get('')).expect(200).json<List<LogicalCluster>>();
    const watch = await scenario.wildcard(admin).watch(`?resourceVersion=${list.metadata.resourceVersion}`);
    const { cluster } = await scenario.another();
    await watch.until('the new workspace', about(cluster, 'ADDED', 'MODIFIED'));
    expect(watch.events.filter(about(scenario.cluster, 'ADDED'))).toEqual([]);
  });

  test('with sendInitialEvents ends the present objects with a bookmark that says so', async () => {
    const watch = await scenario.wildcard(admin).watch(WATCH_LIST);
    const bookmark = await watch.until('the bookmark that ends the initial events', isBookmark);
    expect(bookmark.object.metadata?.annotations?.['k8s.io/initial-events-end']).toBe('true');
    expect(bookmark.object.metadata?.resourceVersion).toEqual(expect.stringMatching(/^\d+$/));
    const before = watch.events.slice(0, watch.events.indexOf(bookmark));
    expect(before.map(({ type }) => type)).not.toContain('MODIFIED');
    expect(before.map(({ object }) => clusterOf(object))).toContain(scenario.cluster);
  });

  test('with sendInitialEvents ends the initial events of a name that nobody waits for, too', async () => {
    const watch = await new Scenario(lifecycle, { ...scenario.type, lifecycleName: 'whatever' }, scenario.workspace)
      .wildcard(masters)
      .watch(WATCH_LIST);
    const bookmark = await watch.until('the bookmark that ends the initial events', isBookmark);
    expect(bookmark.object.metadata?.annotations?.['k8s.io/initial-events-end']).toBe('true');
    expect(watch.events).toHaveLength(1);
  });

  test('without resourceVersionMatch refuses sendInitialEvents with 422, as any API server does', async () => {
    const reply = await scenario.wildcard(admin).get('?watch=true&sendInitialEvents=true');
    reply.expect(422);
  });

  test('delivers a bookmark within 30 seconds to who allows them', async () => {
    const watch = await scenario.wildcard(admin).watch('?allowWatchBookmarks=true&timeoutSeconds=90');
    const bookmark = await watch.until('a bookmark', isBookmark, 30_000);
    expect(bookmark.object).toMatchObject({ kind: 'LogicalCluster', apiVersion: 'core.kcp.io/v1alpha1' });
    expect(bookmark.object.metadata?.resourceVersion).toEqual(expect.stringMatching(/^\d+$/));
  });

  test('sees a change of the status as MODIFIED', async () => {
    const changed = await scenario.another();
    const { cluster } = changed;
    const watch = await scenario.wildcard(admin).watch('');
    await watch.until('the workspace', about(cluster, 'ADDED'));
    const condition = { type: 'E2E', status: 'True', lastTransitionTime: new Date().toISOString().replace(/\.\d+/, '') };
    (await changed.single(admin).mergePatch('/status', { status: { conditions: [condition] } })).expect(200);
    const isTheChange = (event: WatchEvent) =>
      about(cluster, 'MODIFIED')(event) &&
      (event.object as LogicalCluster).status.conditions?.some(({ type }) => type === 'E2E') === true;
    await watch.until('the change', isTheChange);
  });

  test('sees DELETED when the owner has removed its name, and stays open for the others', async () => {
    const leaving = await scenario.another();
    const watch = await scenario.wildcard(admin).watch('');
    await watch.until('the workspace', about(leaving.cluster, 'ADDED'));
    await removeOwnName(lifecycle, scenario.view(admin), leaving.cluster, scenario.name);
    const last = await watch.until('its departure', about(leaving.cluster, 'DELETED'));
    expect(last.object).toMatchObject({ kind: 'LogicalCluster', metadata: { name: 'cluster' } });
    const next = await scenario.another();
    await watch.until('a later workspace', about(next.cluster, 'ADDED', 'MODIFIED'));
    expect(watch.ended).toBe(false);
  });

  test('never shows what waits for another name', async () => {
    const other = await Scenario.create(lifecycle, undefined, scenario.type.parent);
    const watch = await scenario.wildcard(admin).watch('');
    await createPending(lifecycle, other.type);
    const { cluster } = await scenario.another();
    await watch.until('its own workspace', about(cluster, 'ADDED', 'MODIFIED'));
    expect(watch.events.map(({ object }) => clusterOf(object))).not.toContain(other.cluster);
  });

  test('honours the label selector of the caller', async () => {
    const watch = await scenario.wildcard(admin).watch('?labelSelector=no-such-label&timeoutSeconds=3');
    await watch.untilEnded(15_000);
    expect(watch.events).toEqual([]);
  });

  test('ends cleanly when timeoutSeconds are over', async () => {
    const watch = await scenario.wildcard(admin).watch('?timeoutSeconds=2');
    await watch.untilEnded(15_000);
    expect(watch.events.map(({ type }) => type)).not.toContain('ERROR');
  });

  // kcp's Go server takes the error for an object that is not being deleted and drops it, so that a client learns nothing.
  (lifecycle === terminating ? deviationTest : test)(
    'from a resourceVersion that is too old ends with the error 410',
    async () => {
      const watch = await scenario.wildcard(admin).watch('?resourceVersion=1');
      const { object } = await watch.until('the error', ({ type }) => type === 'ERROR');
      expect(object).toMatchObject({ kind: 'Status', status: 'Failure', reason: 'Expired', code: 410 });
      await watch.untilEnded(5_000);
    },
  );

  test('comes as Tables, the first of which carries the columns', async () => {
    const watch = await scenario.wildcard(admin).watch('', { Accept: TABLE });
    const { object } = await watch.until('a row', ({ type }) => type === 'ADDED');
    expect((object as Table).kind).toBe('Table');
    expect((object as Table).columnDefinitions.map(({ name }) => name)).toEqual(['Name', 'Phase', 'URL', 'Age']);
    expect((object as Table).rows).toHaveLength(1);
  });

  test('comes as PartialObjectMetadata', async () => {
    const watch = await scenario.wildcard(admin).watch('', { Accept: PARTIAL });
    const { object } = await watch.until('an object', about(scenario.cluster, 'ADDED'));
    expect(object.kind).toBe('PartialObjectMetadata');
    expect(Object.keys(object).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
  });
});

describe('a workspace that begins to wait', () => {
  test('for an initializer appears as ADDED in an open watch', async () => {
    const scenario = await Scenario.create(initializing);
    const watch = await scenario.wildcard(admin).watch('');
    const { cluster } = await scenario.another();
    await watch.until('its arrival', about(cluster, 'ADDED'));
  });

  test('for a terminator appears as MODIFIED, never as ADDED, because its label was there since its creation', async () => {
    const scenario = await Scenario.create(terminating);
    const { type } = scenario;
    const watch = await scenario.wildcard(admin).watch('?allowWatchBookmarks=true');
    const { metadata, spec } = await createWorkspace(type.parent, { path: type.parent, name: type.name });
    await workspaceWhere('is Ready', type.parent, metadata.name, isReady);
    expect(watch.events.map(({ object }) => clusterOf(object))).not.toContain(spec.cluster);
    await deleteWorkspace(type.parent, metadata.name);
    const { object } = await watch.until('its deletion', about(spec.cluster, 'ADDED', 'MODIFIED'));
    expect(object.metadata?.deletionTimestamp).toEqual(expect.any(String));
    const types = watch.events.filter(event => clusterOf(event.object) === spec.cluster).map(event => event.type);
    expect(new Set(types)).toEqual(new Set(['MODIFIED']));
  });
});
