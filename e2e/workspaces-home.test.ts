import { expect, test } from '@jest/globals';
import { eventually } from './support/eventually.ts';
import { certified } from './support/identities.ts';
import type { Status, Workspace } from './support/kube.ts';
import { OWNER, uniqueName, universal } from './support/workspace-writers.ts';
import { uniqueSuffix } from './support/workspaces.ts';
import { describeWorkspacesView, plainly, ROADS, shownNames, viewOfWorkspaces, WORKSPACES } from './support/workspaces-view.ts';

const HOME = `${WORKSPACES}/~`;

describeWorkspacesView('the home of somebody', () => {
  test.each(ROADS)('is made when it is asked for in root, by $road', async ({ to }) => {
    const caller = certified(`home-${uniqueSuffix()}`);
    const first = (await to(caller, 'root').get(HOME)).expect(200, 429);
    if (first.status === 429) {
      expect(first.headers['retry-after']).toMatch(/^\d+$/);
    }
    const home = await eventually('readiness of the home', async () => (await to(caller, 'root').get(HOME)).expect(200), 60_000);
    const { metadata, spec, status } = home.json<Workspace & { spec: { URL: string } }>();
    expect(metadata.annotations ?? {}).not.toHaveProperty([OWNER]);
    expect(spec.URL).toMatch(/\/clusters\/[^/]+$/);
    expect(status.phase).toBe('Ready');
    const ofKcp = (await plainly(caller, 'root').get(HOME)).expect(200).json<Workspace>();
    const { [OWNER]: _, ...annotations } = ofKcp.metadata.annotations ?? {};
    expect(home.json()).toEqual({
      ...ofKcp,
      metadata: { ...ofKcp.metadata, ...(ofKcp.metadata.annotations && { annotations }) },
    });
  });

  test.each(ROADS)('is a parent by its path, whose workspaces its owner makes and is shown, by $road', async ({ to }) => {
    const caller = certified(`home-${uniqueSuffix()}`);
    await eventually('readiness of the home', async () => (await to(caller, 'root').get(HOME)).expect(200), 60_000);
    const path = `user:${caller.name}`;
    expect(await eventually('sight of the home', () => shownNames(caller, path, to))).toEqual([]);
    const name = uniqueName();
    (await to(caller, path).post(WORKSPACES, universal({ name }))).expect(201);
    expect(await shownNames(caller, path, to)).toEqual([name]);
    expect(await shownNames(caller, 'root', to)).not.toContain('~');
  });

  test('is nobody else’s to look into', async () => {
    const [caller, other] = [certified(`home-${uniqueSuffix()}`), certified(`home-${uniqueSuffix()}`)];
    await eventually('readiness of the home', async () => (await viewOfWorkspaces(caller, 'root').get(HOME)).expect(200), 60_000);
    await eventually('refusal of the other', async () =>
      (await viewOfWorkspaces(other, `user:${caller.name}`).get(WORKSPACES)).expect(403),
    );
  });

  test('is in root alone: elsewhere there is nothing of that name', async () => {
    const caller = certified(`home-${uniqueSuffix()}`);
    await eventually('readiness of the home', async () => (await viewOfWorkspaces(caller, 'root').get(HOME)).expect(200), 60_000);
    const there = viewOfWorkspaces(caller, `user:${caller.name}`);
    await eventually('sight of the home', async () => (await there.get(WORKSPACES)).expect(200));
    expect((await there.get(HOME)).expect(404).json<Status>().reason).toBe('NotFound');
  });
});
