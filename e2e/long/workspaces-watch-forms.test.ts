/** A watch of workspaces is in its forms as any API server's: versions, selectors, streamed lists, Tables. */
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Credentials } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { admin } from '../support/identities.ts';
import type { KubeObject, List, Status, Table, Workspace } from '../support/kube.ts';
import { closeWatches, type Watch, type WatchEvent } from '../support/watch.ts';
import {
  createWatchedOrg,
  isAbout,
  labelWorkspace,
  memberOf,
  said,
  untilAllIsTold,
  versionOf,
  type WatchedOrg,
} from '../support/watched-workspaces.ts';
import { uniqueSuffix } from '../support/workspaces.ts';
import {
  describeWorkspacesView,
  letIn,
  ROADS,
  shownNames,
  userSubject,
  viewOfWorkspaces,
  WORKSPACES,
} from '../support/workspaces-view.ts';

const WATCH_LIST = '?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
const AS_TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };

describeWorkspacesView('a watch of workspaces, in its forms', () => {
  let watched: WatchedOrg;

  beforeAll(async () => {
    watched = await createWatchedOrg();
  }, 240_000);

  afterEach(closeWatches);

  describe.each(ROADS)('on $road', ({ to }) => {
    const watchAs = (who: Credentials, query = '', headers = {}): Promise<Watch> =>
      eventually('a watch', () => to(who, watched.org).watch(WORKSPACES + query, headers));
    const list = async (who: Credentials, query = ''): Promise<List<Workspace>> =>
      eventually('a list', async () => (await to(who, watched.org).get(WORKSPACES + query)).expect(200).json<List<Workspace>>());

    test('tells what comes to be selected as ADDED and what is not any more as DELETED, as it is then', async () => {
      const { org, near } = watched;
      const key = `e2e-${uniqueSuffix()}`;
      const who = await memberOf(watched);
      await letIn(near.spec.cluster, userSubject(who.name));
      await eventually('sight', async () => expect(await shownNames(who, org, to)).toEqual([near.metadata.name]));
      const watch = await watchAs(who, `?labelSelector=${key}%3Dyes`);
      await labelWorkspace(watched, near, key, 'yes');
      await watch.until('the first change', isAbout(near, 'ADDED'));
      await labelWorkspace(watched, near, key, 'no');
      await watch.until('the second change', isAbout(near, 'DELETED'));
      await labelWorkspace(watched, near, key, null);
      expect(said(watch)).toEqual([`ADDED ${near.metadata.name}`, `DELETED ${near.metadata.name}`]);
    });

    test('can be restricted to phases and names', async () => {
      const { near } = watched;
      const who = await memberOf(watched);
      const query = `metadata.name%3D${near.metadata.name}`;
      const [ready, others, named] = await Promise.all(
        ['status.phase%3DReady', 'status.phase!%3DReady', query].map(selector => watchAs(who, `?fieldSelector=${selector}`)),
      );
      await letIn(near.spec.cluster, userSubject(who.name));
      await ready?.until('the grant', isAbout(near, 'ADDED'));
      await named?.until('the grant', isAbout(near, 'ADDED'));
      await untilAllIsTold(watched, ready as Watch, who);
      expect([said(others as Watch), said(named as Watch)]).toEqual([[], [`ADDED ${near.metadata.name}`]]);
    });

    test('goes on from the version of a list with what was granted in between, and begins anew after what was taken away', async () => {
      const { org, near, far } = watched;
      const who = await memberOf(watched);
      await letIn(near.spec.cluster, userSubject(who.name));
      await eventually('sight', async () => expect(await shownNames(who, org, to)).toEqual([near.metadata.name]));
      const { metadata } = await list(who);
      const revoke = await letIn(far.spec.cluster, userSubject(who.name));
      await eventually('sight', async () => expect(await shownNames(who, org, to)).toContain(far.metadata.name));
      const watch = await watchAs(who, `?resourceVersion=${metadata.resourceVersion}`);
      const added = await watch.until('what was granted', isAbout(far, 'ADDED'));
      expect(said(watch)).toEqual([`ADDED ${far.metadata.name}`]);

      await revoke();
      await eventually('blindness', async () => expect(await shownNames(who, org, to)).toEqual([near.metadata.name]));
      const further = await watchAs(who, `?resourceVersion=${added.object.metadata?.resourceVersion}`);
      // What he saw then he may not be shown again: he lists what he sees now.
      const { object } = await further.until('the error', ({ type }) => type === 'ERROR');
      expect(object).toMatchObject({ kind: 'Status', code: 410, reason: 'Expired' } satisfies Partial<Status>);
      expect(further.events).toHaveLength(1);
    });

    test('ends with 410 on the stream when it is to go on from a version that is not known any more', async () => {
      const watch = await watchAs(await memberOf(watched), '?resourceVersion=1');
      const { object } = await watch.until('the error', ({ type }) => type === 'ERROR');
      expect(object).toMatchObject({ kind: 'Status', code: 410, reason: 'Expired' } satisfies Partial<Status>);
      await watch.untilEnded(5_000);
    });

    test('ends when the client has said it should, with a bookmark from which it can go on', async () => {
      const { near } = watched;
      const who = await memberOf(watched);
      const watch = await watchAs(who, '?allowWatchBookmarks=true&timeoutSeconds=1');
      await watch.untilEnded(10_000);
      expect(watch.events).toMatchObject([{ type: 'BOOKMARK', object: { kind: 'Workspace', metadata: expect.anything() } }]);
      const { resourceVersion } = watch.events[0]?.object.metadata ?? {};
      await letIn(near.spec.cluster, userSubject(who.name));
      const next = await watchAs(who, `?resourceVersion=${resourceVersion}`);
      await next.until('the grant', isAbout(near, 'ADDED'));
    });

    test('streams a list when it is asked to, and ends that with a bookmark', async () => {
      const { org, near, far } = watched;
      const who = await memberOf(watched);
      await letIn(near.spec.cluster, userSubject(who.name));
      await eventually('sight', async () => expect(await shownNames(who, org, to)).toEqual([near.metadata.name]));
      const watch = await watchAs(who, WATCH_LIST);
      const end = await watch.until('the bookmark', ({ type }) => type === 'BOOKMARK');
      expect(end.object.metadata?.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
      expect(said(watch)).toEqual([`ADDED ${near.metadata.name}`, 'BOOKMARK ']);
      await letIn(far.spec.cluster, userSubject(who.name));
      await watch.until('the grant', isAbout(far, 'ADDED'));
    });

    test('shows kubectl rows, with the columns in the first event only', async () => {
      const { org, near, far } = watched;
      const who = await memberOf(watched);
      await letIn(near.spec.cluster, userSubject(who.name));
      await eventually('sight', async () => expect(await shownNames(who, org, to)).toEqual([near.metadata.name]));
      const table = (await to(who, org).get(`${WORKSPACES}?limit=500`, AS_TABLE)).expect(200).json<Table & List<KubeObject>>();
      const watch = await watchAs(who, `?resourceVersion=${table.metadata.resourceVersion}`, AS_TABLE);
      const revoke = await letIn(far.spec.cluster, userSubject(who.name));
      const rowOf =
        ({ metadata }: Workspace, type: WatchEvent['type']) =>
        ({ type: found, object }: WatchEvent): boolean =>
          found === type && (object as Table).rows[0]?.cells[0] === metadata.name;
      const added = await watch.until('the grant', rowOf(far, 'ADDED'));
      expect(added.object).toMatchObject({ kind: 'Table', columnDefinitions: table.columnDefinitions });
      expect((added.object as Table).rows).toMatchObject([{ object: { kind: 'PartialObjectMetadata' } }]);
      await revoke();
      const deleted = await watch.until('the revocation', rowOf(far, 'DELETED'));
      expect((deleted.object as Table).columnDefinitions ?? []).toEqual([]);
      expect(watch.events).toHaveLength(2);
    });
  });

  test('gets bookmarks while nothing happens', async () => {
    const { org } = watched;
    const watch = await viewOfWorkspaces(admin, org).watch(`${WORKSPACES}?allowWatchBookmarks=true&labelSelector=nosuchlabel`);
    const bookmark = await watch.until('a bookmark', ({ type }) => type === 'BOOKMARK', 40_000);
    expect(bookmark.object).toMatchObject({ kind: 'Workspace', apiVersion: 'tenancy.kcp.io/v1alpha1' });
    expect(versionOf(bookmark)).toBeGreaterThan(0n);
  });
});
