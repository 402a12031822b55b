/** An open watch tells whoever is let into a workspace, or out of it, at once. */
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Credentials } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { admin, target } from './support/identities.ts';
import type { List, Workspace } from './support/kube.ts';
import { closeWatches, type Watch, type WatchEvent } from './support/watch.ts';
import {
  createWatchedOrg,
  isAbout,
  labelWorkspace,
  memberOf,
  phaseOf,
  said,
  untilAllIsTold,
  versionOf,
  type WatchedOrg,
} from './support/watched-workspaces.ts';
import { adminIn, uniqueSuffix } from './support/workspaces.ts';
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
const OWNER = 'experimental.tenancy.kcp.io/owner';
const CHANGES = 20;

describeWorkspacesView('a watch of workspaces', () => {
  let watched: WatchedOrg;

  beforeAll(async () => {
    watched = await createWatchedOrg();
  }, 240_000);

  afterEach(closeWatches);

  describe.each(ROADS)('on $road', ({ to }) => {
    const watchAs = (who: Credentials, query = '', headers = {}): Promise<Watch> =>
      eventually('a watch', () => to(who, watched.org).watch(WORKSPACES + query, headers));

    test('tells with ADDED and the whole object that somebody is let in, and with DELETED and the same object that he is not any more', async () => {
      const { org, near } = watched;
      const who = await memberOf(watched);
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
      const { far } = watched;
      const who = await memberOf(watched);
      const watch = await watchAs(who);
      const revoke = await letIn(far.spec.cluster, userSubject(who.name));
      await watch.until('the grant', isAbout(far, 'ADDED'));
      await revoke();
      await watch.until('the revocation', isAbout(far, 'DELETED'));
    });

    test('tells those who select by label that they have lost what has it', async () => {
      const { near, last } = watched;
      const key = `e2e-${uniqueSuffix()}`;
      await labelWorkspace(watched, near, key, 'yes');
      const who = await memberOf(watched);
      const watch = await watchAs(who, `?labelSelector=${key}%3Dyes`);
      const without = await watchAs(who, `?labelSelector=!${key}`);
      const revoke = await letIn(near.spec.cluster, userSubject(who.name));
      await watch.until('the grant', isAbout(near, 'ADDED'));
      await revoke();
      const deleted = await watch.until('the revocation', isAbout(near, 'DELETED'));
      expect(deleted.object.metadata?.labels).toMatchObject({ [key]: 'yes' });
      await untilAllIsTold(watched, without, who);
      expect(said(without)).toEqual([`ADDED ${last.metadata.name}`]);
      await labelWorkspace(watched, near, key, null);
    });

    test('tells nothing when somebody loses one of two bindings, or gets another', async () => {
      const { near, last } = watched;
      const who = await memberOf(watched);
      const watch = await watchAs(who);
      const first = await letIn(near.spec.cluster, userSubject(who.name));
      await watch.until('the grant', isAbout(near, 'ADDED'));
      const other = await letIn(near.spec.cluster, userSubject(who.name), 'cluster-admin');
      await first();
      await untilAllIsTold(watched, watch, who);
      expect(said(watch)).toEqual([`ADDED ${near.metadata.name}`, `ADDED ${last.metadata.name}`]);
      await other();
      await watch.until('the revocation', isAbout(near, 'DELETED'));
    });

    test('tells all members of a group, and nobody else', async () => {
      const { near, last } = watched;
      const group = `group-${uniqueSuffix()}`;
      const [one, another, outsider] = await Promise.all([
        memberOf(watched, [group]),
        memberOf(watched, [group]),
        memberOf(watched),
      ]);
      const [first, second_, third] = await Promise.all([one, another, outsider].map(who => watchAs(who)));
      const revoke = await letIn(near.spec.cluster, groupSubject(group));
      for (const watch of [first, second_]) await watch?.until('the grant', isAbout(near, 'ADDED'));
      await revoke();
      for (const watch of [first, second_]) await watch?.until('the revocation', isAbout(near, 'DELETED'));
      await untilAllIsTold(watched, third as Watch, outsider);
      expect(said(third as Watch)).toEqual([`ADDED ${last.metadata.name}`]);
    });

    test('tells when the role that somebody has is made one that lets in, and when it is not any more', async () => {
      const { near } = watched;
      const who = await memberOf(watched);
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
      const { far, last } = watched;
      const group = `group-${uniqueSuffix()}`;
      const [outsider, insider] = await Promise.all([memberOf(watched), memberOf(watched, [group])]);
      const [out, inside] = await Promise.all([outsider, insider].map(who => watchAs(who)));
      for (const { name } of [outsider, insider]) await letIn(far.spec.cluster, userSubject(name));
      for (const watch of [out, inside]) await watch?.until('the grant', isAbout(far, 'ADDED'));
      await requireGroups(far.spec.cluster, `nosuchgroup;${group}`, second);
      await out?.until('the loss', isAbout(far, 'DELETED'));
      await requireGroups(far.spec.cluster, null, second);
      await eventually('the return', async () => expect(out?.events.filter(isAbout(far, 'ADDED'))).toHaveLength(2));
      await untilAllIsTold(watched, inside as Watch, insider);
      expect(said(inside as Watch)).toEqual([`ADDED ${far.metadata.name}`, `ADDED ${last.metadata.name}`]);
    });

    test('tells nothing of what others create, change and delete', async () => {
      const { org, last } = watched;
      const who = await memberOf(watched);
      const watch = await watchAs(who, '?allowWatchBookmarks=true');
      const created = await createReady(org);
      await labelWorkspace(watched, created, 'changed', 'yes');
      (await adminIn(org).delete(`${WORKSPACES}/${created.metadata.name}`)).expect(200, 202);
      await untilAllIsTold(watched, watch, who);
      expect(said(watch)).toEqual([`ADDED ${last.metadata.name}`]);
    });

    test('tells whoever has created a workspace of it before it is Ready, and until it is', async () => {
      const { org } = watched;
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
      (await adminIn(watched.org).delete(`${WORKSPACES}/${workspace.metadata.name}`)).expect(200, 202);
      await watch.until('the end', isAbout(workspace, 'DELETED'), 60_000);
    }

    test('tells what changes of a workspace to whoever may enter it', async () => {
      const { near } = watched;
      const who = await memberOf(watched);
      const watch = await watchAs(who);
      await letIn(near.spec.cluster, userSubject(who.name));
      await watch.until('the grant', isAbout(near, 'ADDED'));
      const key = `e2e-${uniqueSuffix()}`;
      await labelWorkspace(watched, near, key, 'yes');
      const event = await watch.until('the change', isAbout(near, 'MODIFIED'));
      expect(event.object.metadata?.labels).toMatchObject({ [key]: 'yes' });
      await labelWorkspace(watched, near, key, null);
    });
  });

  describe.each(ROADS)('on $road, measured', ({ road, to }) => {
    const middle = (sorted: readonly number[]): string => (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(1);

    test(`${CHANGES} grants and as many revocations arrive, in that order`, async () => {
      const { org, near, far } = watched;
      const who = await memberOf(watched);
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
    const { org, near, far, last } = watched;
    const bystander = await memberOf(watched);
    const shown = await eventually('a list', () => shownNames(bystander, org));
    expect(shown).toEqual([]);
    const whole = (await viewOfWorkspaces(admin, org).get(WORKSPACES)).expect(200).json<List<Workspace>>();
    expect(namesIn(whole)).toEqual(expect.arrayContaining([near, far, last].map(({ metadata }) => metadata.name)));
  });
});
