import { beforeAll, expect, test } from '@jest/globals';
import type { Client, Credentials } from './support/client.ts';
import { admin } from './support/identities.ts';
import type { Status, Workspace } from './support/kube.ts';
import { at, nameless } from './support/workspace-requests.ts';
import { createUser, OWNER, ownerOf, storedWorkspace, uniqueName, universal } from './support/workspace-writers.ts';
import { createParent } from './support/workspaces.ts';
import { describeWorkspacesView, viewOfWorkspaces, WORKSPACES } from './support/workspaces-view.ts';

describeWorkspacesView('server-side apply of workspaces through the view', () => {
  let parent: string;
  let caller: Credentials;
  let there: Client;

  beforeAll(async () => {
    parent = await createParent();
    caller = await createUser(parent);
    there = viewOfWorkspaces(caller, parent);
  });

  test('makes what is not there, and changes it when it is', async () => {
    const name = uniqueName('applied');
    const made = (await there.apply(at(name), 'one', universal({ name, labels: { a: '1' } }))).expect(201).json<Workspace>();
    expect(made.metadata.annotations).not.toHaveProperty([OWNER]);
    expect(ownerOf(await storedWorkspace(parent, name))).toContain(caller.name);
    const changed = (await there.apply(at(name), 'one', universal({ name, labels: { b: '2' } }))).expect(200).json<Workspace>();
    expect(changed.metadata.labels).toMatchObject({ b: '2' });
    expect(changed.metadata.labels).not.toHaveProperty('a');
    expect(ownerOf(await storedWorkspace(parent, name))).toContain(caller.name);
  });

  test('conflicts with another manager unless it is forced', async () => {
    const name = uniqueName('applied');
    const apply = (manager: string, value: string, force: boolean) =>
      there.send('PATCH', at(name, `?fieldManager=${manager}&force=${force}`), {
        body: universal({ name, labels: { owned: value } }),
        contentType: 'application/apply-patch+yaml',
      });
    (await apply('one', 'by one', false)).expect(422);
    (await apply('one', 'by-one', false)).expect(201);
    const conflict = (await apply('two', 'by-two', false)).expect(409).json<Status>();
    expect(conflict).toMatchObject({ reason: 'Conflict', details: { causes: [{ field: '.metadata.labels.owned' }] } });
    expect((await apply('two', 'by-two', true)).expect(200).json<Workspace>().metadata.labels).toMatchObject({
      owned: 'by-two',
    });
  });

  test('neither makes nor changes what is there and hidden', async () => {
    const name = uniqueName('hidden');
    (await viewOfWorkspaces(admin, parent).post(WORKSPACES, universal({ name }))).expect(201);
    const body = universal({ name, labels: { a: '1' } });
    const refusal = (await there.apply(at(name), 'one', body)).expect(409);
    expect(refusal.json<Status>().details).toMatchObject({ name });
    expect((await there.apply(at(name, '?dryRun=All'), 'one', { ...body, metadata: null })).status).toBeGreaterThanOrEqual(400);
    expect((await storedWorkspace(parent, name)).metadata.labels ?? {}).not.toHaveProperty('a');
    const uid = (await storedWorkspace(parent, name)).metadata.uid as string;
    expect(refusal.text).not.toContain(uid);
  });

  test('tells those without the right nothing of what is hidden', async () => {
    const [hidden, missing] = [uniqueName('hidden'), uniqueName('missing')];
    (await viewOfWorkspaces(admin, parent).post(WORKSPACES, universal({ name: hidden }))).expect(201);
    const guest = viewOfWorkspaces(await createUser(parent, []), parent);
    const apply = (name: string) => guest.apply(at(name), 'one', universal({ name }));
    const refusal = (await apply(hidden)).expect(403);
    expect(nameless(refusal, hidden)).toEqual(nameless(await apply(missing), missing));
  });
});
