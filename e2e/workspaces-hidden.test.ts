import { beforeAll, expect, test } from '@jest/globals';
import type { Client, Credentials } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { admin } from './support/identities.ts';
import type { Status } from './support/kube.ts';
import type { Reply } from './support/reply.ts';
import { at, nameless, read } from './support/workspace-requests.ts';
import { createReady, createUser, storedWorkspace, uniqueName, universal } from './support/workspace-writers.ts';
import { admit, createParent } from './support/workspaces.ts';
import {
  describeWorkspacesView,
  plainly,
  ROADS,
  transparently,
  viewOfWorkspaces,
  WORKSPACES,
} from './support/workspaces-view.ts';

describeWorkspacesView('writing to what the caller does not see', () => {
  let parent: string;
  let caller: Credentials;
  let hidden: string;

  beforeAll(async () => {
    parent = await createParent();
    caller = await createUser(parent);
    hidden = (await createReady(plainly(admin, parent))).metadata.name;
  });

  test.each(ROADS)('is refused as for what is not there, by $road', async ({ to }) => {
    const here = to(caller, parent);
    const missing = uniqueName('missing');
    const attempts: readonly ((name: string) => Promise<Reply>)[] = [
      name => here.get(at(name)),
      name => here.put(at(name), { ...universal({ name, resourceVersion: '1' }) }),
      name => here.mergePatch(at(name), { metadata: { labels: { a: '1' } } }),
      name => here.jsonPatch(at(name), [{ op: 'add', path: '/metadata/labels', value: {} }]),
      name => here.delete(at(name)),
      name => here.delete(at(name, '?dryRun=All')),
      name => here.get(at(name, '/status')),
      name => here.put(at(name, '/status'), { ...universal({ name, resourceVersion: '1' }) }),
      name => here.mergePatch(at(name, '/status'), { status: {} }),
      name => here.apply(at(name, '/status'), 'one', { ...universal({ name }), spec: {} }),
    ];
    for (const attempt of attempts) {
      const reply = await attempt(hidden);
      expect(reply.status).toBe(404);
      expect(nameless(reply, hidden)).toEqual(nameless(await attempt(missing), missing));
    }
    expect((await storedWorkspace(parent, hidden)).metadata).not.toHaveProperty('deletionTimestamp');
  });

  test('is refused without the right to, in the words of kcp, for what the caller does see', async () => {
    const { spec } = await storedWorkspace(parent, hidden);
    const guest = await createUser(parent, []);
    await admit(spec.cluster, guest.name);
    const here = viewOfWorkspaces(guest, parent);
    const seen = await eventually(`sight of ${hidden}`, () => read(here, hidden));
    const attempts: readonly ((to: Client) => Promise<Reply>)[] = [
      to => to.put(at(hidden), seen),
      to => to.mergePatch(at(hidden), { metadata: { labels: { a: '1' } } }),
      to => to.jsonPatch(at(hidden), [{ op: 'add', path: '/metadata/labels', value: {} }]),
      to => to.apply(at(hidden), 'one', { ...universal({ name: hidden }), spec: {} }),
      to => to.delete(at(hidden)),
      to => to.delete(WORKSPACES),
      to => to.get(at(hidden, '/status')),
      to => to.mergePatch(at(hidden, '/status'), { status: {} }),
    ];
    for (const attempt of attempts) {
      const refusal = (await attempt(here)).expect(403).json<Status>();
      expect(refusal).toEqual((await attempt(plainly(guest, parent))).expect(403).json());
      expect((await attempt(transparently(guest, parent))).expect(403).json()).toEqual(refusal);
    }
  });
});
