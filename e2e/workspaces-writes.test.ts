import { beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import type { Client, Credentials } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { admin, masters } from './support/identities.ts';
import type { Status, Table, Workspace } from './support/kube.ts';
import type { Reply } from './support/reply.ts';
import { deviationTest } from './support/suite.ts';
import {
  createReady,
  createUser,
  deleteWith,
  grantIn,
  OWNER,
  ownerOf,
  showsOwner,
  storedWorkspace,
  uniqueName,
  universal,
} from './support/workspace-writers.ts';
import { admit, createParent } from './support/workspaces.ts';
import {
  describeWorkspacesView,
  namesIn,
  plainly,
  ROADS,
  transparently,
  viewOfWorkspaces,
  WORKSPACES,
} from './support/workspaces-view.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const OWNER_POINTER = `/metadata/annotations/${OWNER.replace('/', '~1')}`;

/** As versions of another process are: of a time long after this one. */
const OF_ANOTHER_PROCESS = '8123456789012345678';

const at = (name: string, rest = ''): string => `${WORKSPACES}/${name}${rest}`;

const readAt = async (there: Client, path: string): Promise<Workspace> => (await there.get(path)).expect(200).json<Workspace>();
const read = (there: Client, name: string): Promise<Workspace> => readAt(there, at(name));

/** kcp's controllers write, too: what they come between is done again. */
const untilWritten = (there: Client, path: string, write: (current: Workspace) => Promise<Reply>): Promise<Workspace> =>
  eventually(`write to ${path}`, async () => (await write(await readAt(there, path))).expect(200).json<Workspace>());

/** The versions that a name has had while it was labelled; the first is one that has changed since. */
async function label(there: Client, name: string, value: string): Promise<Workspace> {
  return (await there.mergePatch(at(name), { metadata: { labels: { label: value } } })).expect(200).json<Workspace>();
}

/** A refusal without the name that it is about, which may be in it several times. */
const nameless = (reply: Reply, name: string): unknown => ({ status: reply.status, text: reply.text.replaceAll(name, '<name>') });

describeWorkspacesView('writing to workspaces through the view', () => {
  let parent: string;
  let caller: Credentials;
  let there: Client;

  beforeAll(async () => {
    parent = await createParent();
    caller = await createUser(parent);
    there = viewOfWorkspaces(caller, parent);
  });

  describe.each(ROADS)('by $road', ({ to }) => {
    let name: string;
    let here: Client;

    beforeAll(async () => {
      here = to(caller, parent);
      ({ name } = (await createReady(here)).metadata);
    });

    test('a PUT of what was read changes what it says, and keeps the record of the owner and all other annotations', async () => {
      await here.mergePatch(at(name), { metadata: { annotations: { note: 'kept' } } });
      const before = await storedWorkspace(parent, name);
      const updated = await untilWritten(here, at(name), current => {
        const labels = { ...current.metadata.labels, put: 'done' };
        return here.put(at(name), { ...current, metadata: { ...current.metadata, labels } });
      });
      const { metadata } = await storedWorkspace(parent, name);
      expect(metadata.labels).toMatchObject({ put: 'done' });
      // kcp takes groups and extras from the record when the workspace is Ready.
      const owner = expect.stringContaining(`"username":"${caller.name}"`);
      expect(metadata.annotations).toEqual({ ...before.metadata.annotations, note: 'kept', [OWNER]: owner });
      expect(updated.metadata).toMatchObject({ labels: { put: 'done' }, annotations: { note: 'kept' } });
      expect(updated.metadata.annotations).not.toHaveProperty([OWNER]);
    });

    test('what has been written is read at once', async () => {
      for (const value of ['1', '2', '3', '4', '5']) {
        await label(here, name, value);
        const listed = (await here.get(`${WORKSPACES}?labelSelector=label%3D${value}`)).expect(200).json();
        expect((await read(here, name)).metadata.labels).toMatchObject({ label: value });
        expect(namesIn(listed as never)).toEqual([name]);
      }
    });

    test('a merge patch that removes all annotations leaves the record of the owner', async () => {
      await here.mergePatch(at(name), { metadata: { annotations: { gone: 'soon' } } });
      const patched = (await here.mergePatch(at(name), { metadata: { annotations: null } })).expect(200).json<Workspace>();
      expect(patched.metadata.annotations ?? {}).not.toHaveProperty('gone');
      const stored = await storedWorkspace(parent, name);
      expect(ownerOf(stored)).toContain(caller.name);
      expect(stored.metadata.annotations).not.toHaveProperty('gone');
    });

    test('a version that is no longer that of the object conflicts, in the words of kcp', async () => {
      const { metadata } = await read(here, name);
      await label(here, name, 'conflicting');
      const stale = { ...(await read(here, name)), metadata: { ...metadata, labels: { label: 'lost' } } };
      const refusal = (await here.put(at(name), stale)).expect(409).json<Status>();
      expect(refusal).toMatchObject({ reason: 'Conflict', message: expect.stringContaining('the object has been modified') });
      (await here.mergePatch(at(name), { metadata: { ...stale.metadata, annotations: {} } })).expect(409);
      expect((await storedWorkspace(parent, name)).metadata.labels).toMatchObject({ label: 'conflicting' });
    });

    test('a version from the future, or of another process, conflicts', async () => {
      const current = await read(here, name);
      const future = String(BigInt(current.metadata.resourceVersion ?? '') + 2n ** 40n);
      for (const resourceVersion of [future, OF_ANOTHER_PROCESS, '1']) {
        const body = { ...current, metadata: { ...current.metadata, resourceVersion, labels: { label: 'lost' } } };
        (await here.put(at(name), body)).expect(409);
        (await here.mergePatch(at(name), { metadata: { resourceVersion, labels: { label: 'lost' } } })).expect(409);
      }
      expect((await storedWorkspace(parent, name)).metadata.labels).not.toMatchObject({ label: 'lost' });
    });

    test('a watch from the version of a write shows what is written next', async () => {
      const { metadata } = await label(here, name, 'first');
      const watch = await here.watch(`${WORKSPACES}?resourceVersion=${metadata.resourceVersion}`);
      await label(here, name, 'second');
      const event = await watch.until('the second label', ({ object }) => object.metadata?.labels?.label === 'second');
      expect(event).toMatchObject({ type: 'MODIFIED', object: { metadata: { name } } });
      const ofFirst = watch.events.filter(({ object }) => object.metadata?.resourceVersion === metadata.resourceVersion);
      expect(ofFirst).toEqual([]);
      watch.close();
    });

    test('a delete is seen by a watch, as a change and as the end', async () => {
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
  });

  describe('of one of them', () => {
    let name: string;

    beforeAll(async () => {
      ({ name } = (await createReady(there)).metadata);
    });

    test('a PUT without a version is answered as kcp answers it', async () => {
      const { metadata, ...rest } = await read(there, name);
      const { resourceVersion: _, ...without } = metadata;
      const [here, ofKcp] = await Promise.all(
        [viewOfWorkspaces, plainly].map(to => to(caller, parent).put(at(name, '?dryRun=All'), { ...rest, metadata: without })),
      );
      expect(here?.status).toBe(ofKcp?.status);
      if (here?.status !== 200) expect(here?.json()).toEqual(ofKcp?.json());
    });

    test('a merge patch with the version that was read is accepted', async () => {
      const patched = await untilWritten(there, at(name), ({ metadata: { resourceVersion } }) =>
        there.mergePatch(at(name), { metadata: { resourceVersion, labels: { merged: 'yes' } } }),
      );
      expect(patched.metadata.labels).toMatchObject({ merged: 'yes' });
    });

    test('a JSON patch tests the version that was read', async () => {
      const patch = (value: unknown) => [
        { op: 'test', path: '/metadata/resourceVersion', value },
        { op: 'add', path: '/metadata/labels/tested', value: 'yes' },
      ];
      const before = await label(there, name, 'untested');
      const patched = await untilWritten(there, at(name), ({ metadata: { resourceVersion } }) =>
        there.jsonPatch(at(name), patch(resourceVersion)),
      );
      expect(patched.metadata.labels).toMatchObject({ tested: 'yes' });
      const stale = (await there.jsonPatch(at(name), patch(before.metadata.resourceVersion))).expect(422).json<Status>();
      const { message } = (await plainly(caller, parent).jsonPatch(at(name), patch('1'))).expect(422).json<Status>();
      expect(stale.message).toBe(message);
    });

    test('a JSON patch can neither copy nor test nor remove the record of the owner, which is not there', async () => {
      const owner = ownerOf(await storedWorkspace(parent, name));
      for (const operation of [
        { op: 'copy', from: OWNER_POINTER, path: '/metadata/annotations/copied' },
        { op: 'move', from: OWNER_POINTER, path: '/metadata/annotations/copied' },
        { op: 'copy', from: '/metadata/annotations', path: '/metadata/labels' },
        { op: 'test', path: OWNER_POINTER, value: owner },
        { op: 'remove', path: OWNER_POINTER },
        { op: 'replace', path: OWNER_POINTER, value: '{"username":"somebody-else"}' },
      ]) {
        const refusal = (await there.jsonPatch(at(name), [operation])).expect(422);
        expect(refusal.text).not.toContain(caller.name);
      }
      (await there.jsonPatch(at(name), [{ op: 'add', path: OWNER_POINTER, value: '{"username":"somebody-else"}' }])).expect(200);
      expect(ownerOf(await storedWorkspace(parent, name))).toBe(owner);
    });

    test('no write sets the record of the owner', async () => {
      const owner = ownerOf(await storedWorkspace(parent, name));
      const forged = { annotations: { [OWNER]: '{"username":"somebody-else"}', note: 'forged' } };
      (await there.mergePatch(at(name), { metadata: forged })).expect(200);
      expect(ownerOf(await storedWorkspace(parent, name))).toBe(owner);
      await untilWritten(there, at(name), ({ metadata, ...rest }) =>
        there.put(at(name), { ...rest, metadata: { ...metadata, ...forged } }),
      );
      expect(ownerOf(await storedWorkspace(parent, name))).toBe(owner);
      const applied = { ...universal({ name, ...forged }), spec: {} };
      (await there.apply(at(name), 'forger', applied)).expect(200);
      expect(await storedWorkspace(parent, name)).toMatchObject({
        metadata: { annotations: { [OWNER]: owner, note: 'forged' } },
      });
    });

    test('the status is read by whoever may read it, and written by nobody whom kcp does not let', async () => {
      const [here, ofKcp] = [there, plainly(caller, parent)];
      const shown = (await here.get(at(name, '/status'))).expect(200);
      expect(shown.json<Workspace>().status).toEqual((await ofKcp.get(at(name, '/status'))).expect(200).json<Workspace>().status);
      expect(shown.json<Workspace>().metadata.resourceVersion).toBe((await read(there, name)).metadata.resourceVersion);
      expect(showsOwner(shown)).toBe(false);
      const attempts: readonly ((to: Client) => Promise<Reply>)[] = [
        to => to.mergePatch(at(name, '/status'), { status: { phase: 'Scheduling' } }),
        to => to.put(at(name, '/status'), shown.json()),
      ];
      for (const attempt of attempts) {
        expect((await attempt(here)).expect(403).json()).toEqual((await attempt(ofKcp)).expect(403).json());
      }
    });

    test('the status is written with the version that was read, and the record of the owner stays', async () => {
      const here = viewOfWorkspaces(masters, parent);
      const condition = { type: 'E2ETested', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' };
      const before = await label(there, name, 'before');
      const written = await untilWritten(here, at(name, '/status'), current => {
        const conditions = [...(current.status.conditions ?? []), { ...condition, reason: 'Test', message: '' }];
        return here.put(at(name, '/status'), { ...current, status: { ...current.status, conditions } });
      });
      expect(written.status.conditions).toContainEqual(expect.objectContaining(condition));
      const stored = await storedWorkspace(parent, name);
      expect(stored.status.conditions).toContainEqual(expect.objectContaining(condition));
      expect(ownerOf(stored)).toContain(caller.name);
      (await here.put(at(name, '/status'), before)).expect(409);
      const patch = { status: { conditions: null } };
      expect((await here.mergePatch(at(name, '/status?dryRun=All'), patch)).expect(200).text).not.toContain(condition.type);
    });

    test('YAML is read and written, and a table shows what has been written', async () => {
      const body = 'metadata: {labels: {written-in: yaml}}\n';
      const yaml = await there.send('PATCH', `${at(name)}?fieldManager=yaml`, {
        body: `apiVersion: tenancy.kcp.io/v1alpha1\nkind: Workspace\n${body}`,
        contentType: 'application/apply-patch+yaml',
        headers: { Accept: 'application/yaml' },
      });
      const current = load(yaml.expect(200).text) as Workspace;
      expect(current.metadata.labels).toMatchObject({ 'written-in': 'yaml' });
      const table = await there.send('PATCH', at(name), {
        body: { metadata: { labels: { shown: 'in-a-table' } } },
        contentType: 'application/merge-patch+json',
        headers: { Accept: TABLE },
      });
      const { kind, rows } = table.expect(200).json<Table>();
      expect({ kind, rows }).toMatchObject({
        kind: 'Table',
        rows: [{ object: { metadata: { labels: { shown: 'in-a-table' } } } }],
      });
      expect(rows[0]?.cells[0]).toBe(name);
      expect(showsOwner(table)).toBe(false);
    });

    test('a dry run of any verb changes nothing', async () => {
      const current = await read(there, name);
      const labels = { dry: 'run' };
      const dry = at(name, '?dryRun=All');
      const answers = [
        await there.put(dry, { ...current, metadata: { ...current.metadata, labels } }),
        await there.mergePatch(dry, { metadata: { labels } }),
        await there.jsonPatch(dry, [{ op: 'add', path: '/metadata/labels/dry', value: 'run' }]),
        await there.apply(dry, 'dry', { ...universal({ name, labels }), spec: {} }),
      ];
      for (const answer of answers) expect(answer.expect(200).json<Workspace>().metadata.labels).toMatchObject(labels);
      (await there.delete(dry)).expect(200);
      (await there.delete(`${WORKSPACES}?dryRun=All&fieldSelector=metadata.name%3D${name}`)).expect(200);
      const stored = await storedWorkspace(parent, name);
      expect(stored.metadata.labels ?? {}).not.toHaveProperty('dry');
      expect(stored.metadata).not.toHaveProperty('deletionTimestamp');
      expect((await read(there, name)).metadata.resourceVersion).toBe(current.metadata.resourceVersion);
    });
  });

  describe('by server-side apply', () => {
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

  describe('deletes', () => {
    test('only what the preconditions are true of', async () => {
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

    test.each(['Background', 'Foreground', 'Orphan'])('with the propagation policy %s', async policy => {
      const { name } = (await createReady(there)).metadata;
      (await there.delete(at(name, `?propagationPolicy=${policy}`))).expect(200, 202);
      // A policy leaves a finalizer of Kubernetes' garbage collector, of which kcp has none for workspaces.
      const reply = await plainly(admin, parent).get(at(name));
      if (reply.expect(200, 404).status === 200) expect(reply.json<Workspace>().metadata).toHaveProperty('deletionTimestamp');
    });
  });

  describe('to what the caller does not see', () => {
    let hidden: string;

    beforeAll(async () => {
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
      const { spec, metadata } = await storedWorkspace(parent, hidden);
      const guest = await createUser(parent, []);
      await admit(spec.cluster, guest.name);
      const here = viewOfWorkspaces(guest, parent);
      const seen = await eventually(`sight of ${hidden}`, () => read(here, hidden));
      const attempts: readonly ((to: Client) => Promise<Reply>)[] = [
        to => to.put(at(metadata.name), seen),
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

  describe('deletes a collection', () => {
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

    test('of what is seen and selected, and leaves all else', async () => {
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

    test('as a whole, and leaves what is hidden', async () => {
      const seen = await Promise.all([createReady(here), createReady(here)]);
      const hidden = await createReady(plainly(admin, place));
      (await here.delete(WORKSPACES)).expect(200);
      for (const { metadata } of seen) expect(await isGoing(metadata.name)).toBe(true);
      expect(await isGoing(hidden.metadata.name)).toBe(false);
    });

    deviationTest('only with the right to, even if nothing is seen', async () => {
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
