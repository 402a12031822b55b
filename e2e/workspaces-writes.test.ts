import { beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import type { Client, Credentials } from './support/client.ts';
import { masters } from './support/identities.ts';
import type { Status, Table, Workspace } from './support/kube.ts';
import type { Reply } from './support/reply.ts';
import { at, label, OF_ANOTHER_PROCESS, read, untilWritten } from './support/workspace-requests.ts';
import { createReady, createUser, OWNER, ownerOf, showsOwner, storedWorkspace, universal } from './support/workspace-writers.ts';
import { createParent } from './support/workspaces.ts';
import { describeWorkspacesView, namesIn, plainly, ROADS, viewOfWorkspaces, WORKSPACES } from './support/workspaces-view.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const OWNER_POINTER = `/metadata/annotations/${OWNER.replace('/', '~1')}`;

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
        const listed = (await here.get(`${WORKSPACES}?labelSelector=label%3D${value}`)).expect(200);
        expect((await read(here, name)).metadata.labels).toMatchObject({ label: value });
        expect(namesIn(listed.json())).toEqual([name]);
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
  });

  describe('of one that is Ready', () => {
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
        // Kubernetes reads no more of a pointer than what comes after its first slash.
        { op: 'copy', from: `anything${OWNER_POINTER}`, path: '/metadata/annotations/copied' },
        { op: 'test', path: `anything${OWNER_POINTER}`, value: owner },
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
});
