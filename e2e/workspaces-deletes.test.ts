import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client, Credentials } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { admin } from './support/identities.ts';
import type { Status, Workspace } from './support/kube.ts';
import { at, deleteWith, label, OF_ANOTHER_PROCESS, read } from './support/workspace-requests.ts';
import { createReady, createUser, grantIn, showsOwner, storedWorkspace } from './support/workspace-writers.ts';
import { createParent } from './support/workspaces.ts';
import { describeWorkspacesView, namesIn, plainly, ROADS, viewOfWorkspaces, WORKSPACES } from './support/workspaces-view.ts';

describeWorkspacesView('deleting workspaces through the view', () => {
  let parent: string;
  let caller: Credentials;
  let there: Client;

  beforeAll(async () => {
    parent = await createParent();
    caller = await createUser(parent);
    there = viewOfWorkspaces(caller, parent);
  });

  test.each(ROADS)('is seen by a watch, as a change and as the end, by $road', async ({ to }) => {
    const here = to(caller, parent);
    const doomed = await createReady(here);
    const one = doomed.metadata.name;
    const watch = await here.watch(
      `${WORKSPACES}?fieldSelector=metadata.name%3D${one}&resourceVersion=${doomed.metadata.resourceVersion}`,
    );
    const answer = (await deleteWith(here, at(one), { propagationPolicy: 'Background' })).expect(200, 202);
    expect(showsOwner(answer)).toBe(false);
    await watch.until('the end of the workspace', ({ type }) => type === 'DELETED', 60_000);
    const change = watch.events.find(({ type, object }) => type === 'MODIFIED' && object.metadata?.deletionTimestamp);
    expect(change).toBeDefined();
    (await here.get(at(one))).expect(404);
    watch.close();
  });

  test('leaves what the preconditions are not true of', async () => {
    const { name, uid } = (await createReady(there)).metadata;
    const before = await read(there, name);
    await label(there, name, 'changed');
    const attempt = (preconditions: unknown) => deleteWith(there, at(name), { preconditions });
    (await attempt({ uid: '00000000-0000-0000-0000-000000000000' })).expect(409);
    (await attempt({ uid, resourceVersion: before.metadata.resourceVersion })).expect(409);
    (await attempt({ resourceVersion: OF_ANOTHER_PROCESS })).expect(409);
    expect((await storedWorkspace(parent, name)).metadata).not.toHaveProperty('deletionTimestamp');
    await eventually(`deletion of ${name} by its version`, async () => {
      const { resourceVersion } = (await read(there, name)).metadata;
      (await attempt({ uid, resourceVersion })).expect(200, 202);
    });
  });

  test.each(['Background', 'Foreground', 'Orphan'])('is done with the propagation policy %s', async policy => {
    const { name } = (await createReady(there)).metadata;
    (await there.delete(at(name, `?propagationPolicy=${policy}`))).expect(200, 202);
    // A policy leaves a finalizer of Kubernetes' garbage collector, of which kcp has none for workspaces.
    const reply = await plainly(admin, parent).get(at(name));
    if (reply.expect(200, 404).status === 200) expect(reply.json<Workspace>().metadata).toHaveProperty('deletionTimestamp');
  });

  describe('as a collection', () => {
    let place: string;
    let owner: Credentials;
    let here: Client;

    beforeAll(async () => {
      place = await createParent();
      owner = await createUser(place);
      here = viewOfWorkspaces(owner, place);
    });

    const isGoing = async (name: string): Promise<boolean> => {
      const reply = (await plainly(admin, place).get(at(name))).expect(200, 404);
      return reply.status === 404 || reply.json<Workspace>().metadata.deletionTimestamp !== undefined;
    };

    test('deletes what is seen and selected, and leaves all else', async () => {
      const labels = { group: 'one' };
      const seen = await createReady(here, { labels });
      const other = await createReady(here, { labels: { group: 'other' } });
      const hidden = await createReady(plainly(admin, place), { labels });
      const reply = (await here.delete(`${WORKSPACES}?labelSelector=group%3Done`)).expect(200);
      expect(namesIn(reply.json())).toEqual([seen.metadata.name]);
      expect(showsOwner(reply)).toBe(false);
      expect(await isGoing(seen.metadata.name)).toBe(true);
      expect(await isGoing(other.metadata.name)).toBe(false);
      expect(await isGoing(hidden.metadata.name)).toBe(false);
      (await here.delete(`${WORKSPACES}?fieldSelector=metadata.name%3D${hidden.metadata.name}`)).expect(200);
      expect(await isGoing(hidden.metadata.name)).toBe(false);
    });

    test('deletes all that is seen, and leaves what is hidden', async () => {
      const seen = await Promise.all([createReady(here), createReady(here)]);
      const hidden = await createReady(plainly(admin, place));
      (await here.delete(WORKSPACES)).expect(200);
      for (const { metadata } of seen) expect(await isGoing(metadata.name)).toBe(true);
      expect(await isGoing(hidden.metadata.name)).toBe(false);
    });

    test('needs the right to, even if nothing is seen', async () => {
      const guest = await createUser(place, ['delete']);
      const path = `${WORKSPACES}?labelSelector=nobody%3Dhas`;
      const refusal = (await viewOfWorkspaces(guest, place).delete(path)).expect(403).json<Status>();
      expect(refusal).toEqual((await plainly(guest, place).delete(path)).expect(403).json());
      const rules = [{ verbs: ['deletecollection'], apiGroups: ['tenancy.kcp.io'], resources: ['workspaces'] }];
      await grantIn(place, guest.name, rules);
      await eventually('the right to delete the collection', async () =>
        (await viewOfWorkspaces(guest, place).delete(path)).expect(200),
      );
    });
  });
});
