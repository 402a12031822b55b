/** An open watch tells whoever is let into a workspace, or out of it, and is as any API server's otherwise. */
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Credentials } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { admin, target } from './support/identities.ts';
import type { KubeObject, List, Status, Table, Workspace } from './support/kube.ts';
import type { Watch, WatchEvent } from './support/watch.ts';
import { closeWatches } from './support/watch.ts';
import { adminIn, createParent, uniqueSuffix } from './support/workspaces.ts';
import {
  createReady,
  describeWorkspacesView,
  groupSubject,
  letIn,
  namesIn,
  ROADS,
  requireGroups,
  shownNames,
  somebody,
  userSubject,
  viewOfWorkspaces,
  WORKSPACES,
} from './support/workspaces-view.ts';

const [root, second = root] = target.shards;
const ROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
const WATCH_LIST = '?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
const AS_TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
const OWNER = 'experimental.tenancy.kcp.io/owner';
const CHANGES = 20;

const isAbout =
  (workspace: Workspace, type: WatchEvent['type']) =>
  (event: WatchEvent): boolean =>
    event.type === type && event.object.metadata?.name === workspace.metadata.name;

const versionOf = ({ object }: WatchEvent): bigint => BigInt(object.metadata?.resourceVersion ?? '');
/** A new one has no status at all. */
const phaseOf = ({ object }: WatchEvent): string | undefined => (object as Partial<Workspace>).status?.phase;
const said = ({ events }: Watch): string[] => events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`);

describeWorkspacesView('a watch of workspaces', () => {
  let org: string;
  /** In the org: one on each shard, and one that nothing happens to but that somebody is let in, so that what comes before it has come. */
  let near: Workspace;
  let far: Workspace;
  let last: Workspace;

  beforeAll(async () => {
    org = await createParent();
    [near, far, last] = await Promise.all([createReady(org), createReady(org, second), createReady(org)]);
  }, 240_000);

  afterEach(closeWatches);

  /** Somebody who may enter the org. */
  async function member(groups: readonly string[] = []): Promise<Credentials> {
    const who = somebody('watcher', groups);
    await letIn(org, userSubject(who.name));
    return who;
  }

  const label = async ({ metadata }: Workspace, key: string, value: string | null): Promise<void> => {
    const patch = { metadata: { labels: { [key]: value } } };
    (await adminIn(org).mergePatch(`${WORKSPACES}/${metadata.name}`, patch)).expect(200);
  };

  describe.each(ROADS)('on $road', ({ to }) => {
    const watchAs = (who: Credentials, query = '', headers = {}): Promise<Watch> =>
      eventually('a watch', () => to(who, org).watch(WORKSPACES + query, headers));
    const list = async (who: Credentials, query = ''): Promise<List<Workspace>> =>
      eventually('a list', async () => (await to(who, org).get(WORKSPACES + query)).expect(200).json<List<Workspace>>());

    /** Whatever comes before it has come, once this is told. */
    async function untilAllIsTold(watch: Watch, who: Credentials): Promise<void> {
      await letIn(last.spec.cluster, userSubject(who.name));
      await watch.until('the last of them', isAbout(last, 'ADDED'));
    }

    test('tells with ADDED and the whole object that somebody is let in, and with DELETED and the same object that he is not any more', async () => {
      const who = await member();
      const watch = await watchAs(who);
      const revoke = await letIn(near.spec.cluster, userSubject(who.name));
      const added = await watch.until('the grant', isAbout(near, 'ADDED'));
      const got = (await to(who, org).get(`${WORKSPACES}/${near.metadata.name}`)).expect(200).json<Workspace>();
      expect(added.object).toEqual(got);
      expect(got).toMatchObject({ kind: 'Workspace', spec: { cluster: near.spec.cluster }, status: { phase: 'Ready' } });
      expect(got.metadata.annotations).not.toHaveProperty([OWNER]);
      await revoke();
      const deleted = await watch.until('the revocation', isAbout(near, 'DELETED'));
      expect(versionOf(deleted)).toBeGreaterThan(versionOf(added));
      const { resourceVersion } = deleted.object.metadata ?? {};
      expect(deleted.object).toEqual({ ...got, metadata: { ...got.metadata, resourceVersion } });
      expect(said(watch)).toEqual([`ADDED ${near.metadata.name}`, `DELETED ${near.metadata.name}`]);
    });

    test('tells of a workspace on another shard than its parent', async () => {
      const who = await member();
      const watch = await watchAs(who);
      const revoke = await letIn(far.spec.cluster, userSubject(who.name));
      await watch.until('the grant', isAbout(far, 'ADDED'));
      await revoke();
      await watch.until('the revocation', isAbout(far, 'DELETED'));
    });

    test('tells those who select by label that they have lost what has it', async () => {
      const key = `e2e-${uniqueSuffix()}`;
      await label(near, key, 'yes');
      const who = await member();
      const watch = await watchAs(who, `?labelSelector=${key}%3Dyes`);
      const without = await watchAs(who, `?labelSelector=!${key}`);
      const revoke = await letIn(near.spec.cluster, userSubject(who.name));
      await watch.until('the grant', isAbout(near, 'ADDED'));
      await revoke();
      const deleted = await watch.until('the revocation', isAbout(near, 'DELETED'));
      expect(deleted.object.metadata?.labels).toMatchObject({ [key]: 'yes' });
      await untilAllIsTold(without, who);
      expect(said(without)).toEqual([`ADDED ${last.metadata.name}`]);
      await label(near, key, null);
    });

    test('tells nothing when somebody loses one of two bindings, or gets another', async () => {
      const who = await member();
      const watch = await watchAs(who);
      const first = await letIn(near.spec.cluster, userSubject(who.name));
      await watch.until('the grant', isAbout(near, 'ADDED'));
      const other = await letIn(near.spec.cluster, userSubject(who.name), 'cluster-admin');
      await first();
      await untilAllIsTold(watch, who);
      expect(said(watch)).toEqual([`ADDED ${near.metadata.name}`, `ADDED ${last.metadata.name}`]);
      await other();
      await watch.until('the revocation', isAbout(near, 'DELETED'));
    });

    test('tells all members of a group, and nobody else', async () => {
      const group = `group-${uniqueSuffix()}`;
      const [one, another, outsider] = await Promise.all([member([group]), member([group]), member()]);
      const [first, second_, third] = await Promise.all([one, another, outsider].map(who => watchAs(who)));
      const revoke = await letIn(near.spec.cluster, groupSubject(group));
      for (const watch of [first, second_]) await watch?.until('the grant', isAbout(near, 'ADDED'));
      await revoke();
      for (const watch of [first, second_]) await watch?.until('the revocation', isAbout(near, 'DELETED'));
      await untilAllIsTold(third as Watch, outsider);
      expect(said(third as Watch)).toEqual([`ADDED ${last.metadata.name}`]);
    });

    test('tells when the role that somebody has is made one that lets in, and when it is not any more', async () => {
      const who = await member();
      const roles = adminIn(near.spec.cluster).at(ROLES);
      const name = `e2e-${uniqueSuffix()}`;
      const role = (rules: object[]) => ({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name },
        rules,
      });
      const harmless = { verbs: ['get'], nonResourceURLs: ['/version'] };
      (await roles.post('', role([harmless]))).expect(201);
      await letIn(near.spec.cluster, userSubject(who.name), name);
      const watch = await watchAs(who);
      const change = async (rules: object[]): Promise<void> => void (await roles.put(`/${name}`, role(rules))).expect(200);
      await change([harmless, { verbs: ['access'], nonResourceURLs: ['/'] }]);
      await watch.until('the grant', isAbout(near, 'ADDED'));
      await change([harmless, { verbs: ['*'], nonResourceURLs: ['*'] }]);
      await change([harmless]);
      await watch.until('the revocation', isAbout(near, 'DELETED'));
      expect(said(watch)).toEqual([`ADDED ${near.metadata.name}`, `DELETED ${near.metadata.name}`]);
    });

    test('tells when groups are required that somebody has not, and when they are not any more', async () => {
      const group = `group-${uniqueSuffix()}`;
      const [outsider, insider] = await Promise.all([member(), member([group])]);
      const [out, inside] = await Promise.all([outsider, insider].map(who => watchAs(who)));
      for (const { name } of [outsider, insider]) await letIn(far.spec.cluster, userSubject(name));
      for (const watch of [out, inside]) await watch?.until('the grant', isAbout(far, 'ADDED'));
      await requireGroups(far.spec.cluster, `nosuchgroup;${group}`, second);
      await out?.until('the loss', isAbout(far, 'DELETED'));
      await requireGroups(far.spec.cluster, null, second);
      await eventually('the return', async () => expect(out?.events.filter(isAbout(far, 'ADDED'))).toHaveLength(2));
      await untilAllIsTold(inside as Watch, insider);
      expect(said(inside as Watch)).toEqual([`ADDED ${far.metadata.name}`, `ADDED ${last.metadata.name}`]);
    });

    test('tells nothing of what others create, change and delete', async () => {
      const who = await member();
      const watch = await watchAs(who, '?allowWatchBookmarks=true');
      const created = await createReady(org);
      await label(created, 'changed', 'yes');
      (await adminIn(org).delete(`${WORKSPACES}/${created.metadata.name}`)).expect(200, 202);
      await untilAllIsTold(watch, who);
      expect(said(watch)).toEqual([`ADDED ${last.metadata.name}`]);
    });

    test('tells whoever has created a workspace of it before it is Ready, and until it is', async () => {
      const who = somebody('creator');
      await letIn(org, userSubject(who.name), 'cluster-admin');
      const watch = await watchAs(who);
      const workspace = { apiVersion: 'tenancy.kcp.io/v1alpha1', kind: 'Workspace', metadata: { name: `e2e-${uniqueSuffix()}` } };
      const spec = { type: { path: 'root', name: 'universal' } };
      const created = await eventually('creation', async () =>
        (await to(who, org).post(WORKSPACES, { ...workspace, spec })).expect(201).json<Workspace>(),
      );
      const added = await watch.until('its own', isAbout(created, 'ADDED'));
      expect(added.object).not.toMatchObject({ status: { phase: 'Ready' } });
      await watch.until('Ready', event => isAbout(created, 'MODIFIED')(event) && phaseOf(event) === 'Ready', 60_000);
      const types = watch.events.filter(({ object }) => object.metadata?.name === created.metadata.name).map(({ type }) => type);
      expect([...new Set(types)]).toEqual(['ADDED', 'MODIFIED']);
      expect(types.filter(type => type === 'ADDED')).toHaveLength(1);
      const versions = watch.events.map(versionOf);
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => (a < b ? -1 : 1)));
      await deleteAndSee(watch, created);
    });

    async function deleteAndSee(watch: Watch, workspace: Workspace): Promise<void> {
      (await adminIn(org).delete(`${WORKSPACES}/${workspace.metadata.name}`)).expect(200, 202);
      await watch.until('the end', isAbout(workspace, 'DELETED'), 60_000);
    }

    test('tells what changes of a workspace to whoever may enter it', async () => {
      const who = await member();
      const watch = await watchAs(who);
      await letIn(near.spec.cluster, userSubject(who.name));
      await watch.until('the grant', isAbout(near, 'ADDED'));
      const key = `e2e-${uniqueSuffix()}`;
      await label(near, key, 'yes');
      const event = await watch.until('the change', isAbout(near, 'MODIFIED'));
      expect(event.object.metadata?.labels).toMatchObject({ [key]: 'yes' });
      await label(near, key, null);
    });

    test('tells what comes to be selected as ADDED and what is not any more as DELETED, as it is then', async () => {
      const key = `e2e-${uniqueSuffix()}`;
      const who = await member();
      await letIn(near.spec.cluster, userSubject(who.name));
      await eventually('sight', async () => expect(await shownNames(who, org, to)).toEqual([near.metadata.name]));
      const watch = await watchAs(who, `?labelSelector=${key}%3Dyes`);
      await label(near, key, 'yes');
      await watch.until('the first change', isAbout(near, 'ADDED'));
      await label(near, key, 'no');
      await watch.until('the second change', isAbout(near, 'DELETED'));
      await label(near, key, null);
      expect(said(watch)).toEqual([`ADDED ${near.metadata.name}`, `DELETED ${near.metadata.name}`]);
    });

    test('can be restricted to phases and names', async () => {
      const who = await member();
      const query = `metadata.name%3D${near.metadata.name}`;
      const [ready, others, named] = await Promise.all(
        ['status.phase%3DReady', 'status.phase!%3DReady', query].map(selector => watchAs(who, `?fieldSelector=${selector}`)),
      );
      await letIn(near.spec.cluster, userSubject(who.name));
      await ready?.until('the grant', isAbout(near, 'ADDED'));
      await named?.until('the grant', isAbout(near, 'ADDED'));
      await untilAllIsTold(ready as Watch, who);
      expect([said(others as Watch), said(named as Watch)]).toEqual([[], [`ADDED ${near.metadata.name}`]]);
    });

    test('goes on from the version of a list with what was granted in between, and says nothing twice', async () => {
      const who = await member();
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
      await further.until('what was revoked', isAbout(far, 'DELETED'));
      expect(said(further)).toEqual([`DELETED ${far.metadata.name}`]);
    });

    test('ends with 410 on the stream when it is to go on from a version that is not known any more', async () => {
      const watch = await watchAs(await member(), '?resourceVersion=1');
      const { object } = await watch.until('the error', ({ type }) => type === 'ERROR');
      expect(object).toMatchObject({ kind: 'Status', code: 410, reason: 'Expired' } satisfies Partial<Status>);
      await watch.untilEnded(5_000);
    });

    test('ends when the client has said it should, with a bookmark from which it can go on', async () => {
      const who = await member();
      const watch = await watchAs(who, '?allowWatchBookmarks=true&timeoutSeconds=1');
      await watch.untilEnded(10_000);
      expect(watch.events).toMatchObject([{ type: 'BOOKMARK', object: { kind: 'Workspace', metadata: expect.anything() } }]);
      const { resourceVersion } = watch.events[0]?.object.metadata ?? {};
      await letIn(near.spec.cluster, userSubject(who.name));
      const next = await watchAs(who, `?resourceVersion=${resourceVersion}`);
      await next.until('the grant', isAbout(near, 'ADDED'));
    });

    test('streams a list when it is asked to, and ends that with a bookmark', async () => {
      const who = await member();
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
      const who = await member();
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
    const watch = await viewOfWorkspaces(admin, org).watch(`${WORKSPACES}?allowWatchBookmarks=true&labelSelector=nosuchlabel`);
    const bookmark = await watch.until('a bookmark', ({ type }) => type === 'BOOKMARK', 40_000);
    expect(bookmark.object).toMatchObject({ kind: 'Workspace', apiVersion: 'tenancy.kcp.io/v1alpha1' });
    expect(versionOf(bookmark)).toBeGreaterThan(0n);
  });

  describe.each(ROADS)('on $road, measured', ({ road, to }) => {
    const middle = (sorted: readonly number[]): string => (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(1);

    test(`${CHANGES} grants and as many revocations arrive, in that order`, async () => {
      const who = await member();
      const watch = await eventually('a watch', () => to(who, org).watch(WORKSPACES));
      const took: Record<'ADDED' | 'DELETED', number[]> = { ADDED: [], DELETED: [] };
      const measure = async <T>(type: 'ADDED' | 'DELETED', number: number, write: () => Promise<T>): Promise<T> => {
        const arrived = arrival(watch, type, number);
        const written = await write();
        const answered = performance.now();
        took[type].push(Math.max(0, (await arrived) - answered));
        return written;
      };
      for (let number = 1; number <= CHANGES; number++) {
        const { spec } = number % 2 === 0 ? near : far;
        const revoke = await measure('ADDED', number, () => letIn(spec.cluster, userSubject(who.name)));
        await measure('DELETED', number, revoke);
      }
      for (const [type, times] of Object.entries(took)) {
        const sorted = times.sort((a, b) => a - b);
        process.stdout.write(
          `${road}: ${type} after the answer to the write, ms: median ${middle(sorted)}, worst ${(sorted.at(-1) ?? 0).toFixed(1)}\n`,
        );
      }
      expect(watch.events.map(({ type }) => type)).toEqual(Array.from({ length: CHANGES }, () => ['ADDED', 'DELETED']).flat());
    });
  });

  /** When the event of that number of its type came. */
  async function arrival(watch: Watch, type: WatchEvent['type'], number: number): Promise<number> {
    for (const deadline = performance.now() + 30_000; performance.now() < deadline; ) {
      if (watch.events.filter(event => event.type === type).length >= number) return performance.now();
      await new Promise(resolve => setTimeout(resolve, 1));
    }
    throw new Error(`${type} number ${number} has not come`);
  }

  test('of all others is not disturbed by any of this', async () => {
    const bystander = await member();
    const shown = await eventually('a list', () => shownNames(bystander, org));
    expect(shown).toEqual([]);
    const whole = (await viewOfWorkspaces(admin, org).get(WORKSPACES)).expect(200).json<List<Workspace>>();
    expect(namesIn(whole)).toEqual(expect.arrayContaining([near, far, last].map(({ metadata }) => metadata.name)));
  });
});
