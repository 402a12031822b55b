import { beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import type { Client, Credentials } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { admin, target } from './support/identities.ts';
import type { Status, Table, Workspace } from './support/kube.ts';
import {
  createReady,
  createUser,
  isReady,
  OWNER,
  ownerOf,
  storedWorkspace,
  uniqueName,
  universal,
  untilReady,
} from './support/workspace-writers.ts';
import { createParent } from './support/workspaces.ts';
import {
  describeWorkspacesView,
  entersByKcp,
  namesIn,
  plainly,
  ROADS,
  shownNames,
  viewOfWorkspaces,
  WORKSPACES,
} from './support/workspaces-view.ts';

const SCOPES = 'authentication.kcp.io/scopes';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

describeWorkspacesView('creating workspaces through the view', () => {
  let parent: string;
  let caller: Credentials;

  beforeAll(async () => {
    parent = await createParent();
    caller = await createUser(parent);
  });

  describe.each(ROADS)('by $road', ({ to }) => {
    test('makes one that becomes Ready, that its creator may enter and is shown', async () => {
      const { metadata, spec } = await createReady(to(caller, parent));
      expect(await entersByKcp(caller, spec.cluster)).toBe(true);
      expect(await shownNames(caller, parent)).toContain(metadata.name);
    });

    test('records the creator as kcp does when it is asked directly', async () => {
      const recordedBy = async (client: Client): Promise<unknown> => {
        const name = uniqueName();
        (await client.post(WORKSPACES, universal({ name }))).expect(201);
        // At once: kcp takes groups and extras from the record when the workspace is Ready.
        return JSON.parse(ownerOf(await storedWorkspace(parent, name)) ?? '');
      };
      const owner = await recordedBy(to(caller, parent));
      expect(owner).toEqual(await recordedBy(plainly(caller, parent)));
      expect(owner).toMatchObject({ username: caller.name });
      expect(owner).not.toHaveProperty(['extra', SCOPES]);
    });

    test('answers with the object as the view shows it, without the record of the creator', async () => {
      const name = uniqueName();
      const reply = (await to(caller, parent).post(WORKSPACES, universal({ name }))).expect(201);
      const created = reply.json<Workspace>();
      expect(created).toMatchObject({ apiVersion: 'tenancy.kcp.io/v1alpha1', kind: 'Workspace', metadata: { name } });
      expect(created.metadata.annotations).not.toHaveProperty([OWNER]);
      expect(reply.headers['content-type']).toMatch(/^application\/json/);
      const { uid, resourceVersion } = (await storedWorkspace(parent, name)).metadata;
      expect(created.metadata.uid).toBe(uid);
      expect(created.metadata.resourceVersion).not.toBe(resourceVersion);
    });

    test('chooses a name where a prefix is given', async () => {
      const generateName = `${uniqueName('made')}-`;
      const { metadata } = (await to(caller, parent).post(WORKSPACES, universal({ generateName }))).expect(201).json<Workspace>();
      expect(metadata.name.startsWith(generateName)).toBe(true);
      expect(await shownNames(caller, parent)).toContain(metadata.name);
    });

    test('answers with a version from which a watch shows what follows', async () => {
      const name = uniqueName();
      const created = (await to(caller, parent).post(WORKSPACES, universal({ name }))).expect(201).json<Workspace>();
      const watch = await to(caller, parent).watch(
        `${WORKSPACES}?fieldSelector=metadata.name%3D${name}&resourceVersion=${created.metadata.resourceVersion}`,
      );
      const { object } = await watch.until('the workspace that is Ready', event => {
        return event.type === 'MODIFIED' && isReady(event.object);
      });
      expect(object.metadata?.name).toBe(name);
      expect(watch.events.map(({ type }) => type)).not.toContain('ADDED');
      watch.close();
    });

    test('is followed by reads that show it at once', async () => {
      const name = uniqueName();
      (await to(caller, parent).post(WORKSPACES, universal({ name }))).expect(201);
      const read = await to(caller, parent).get(`${WORKSPACES}/${name}`);
      const list = await to(caller, parent).get(WORKSPACES);
      read.expect(200);
      expect(namesIn(list.expect(200).json())).toContain(name);
    });

    test('is refused for a name that is taken, whether the caller sees what has it or not', async () => {
      const [seen, hidden] = [uniqueName('seen'), uniqueName('hidden')];
      (await to(caller, parent).post(WORKSPACES, universal({ name: seen }))).expect(201);
      (await plainly(admin, parent).post(WORKSPACES, universal({ name: hidden }))).expect(201);
      for (const name of [seen, hidden]) {
        const refusal = (await to(caller, parent).post(WORKSPACES, universal({ name }))).expect(409).json<Status>();
        expect(refusal).toMatchObject({ reason: 'AlreadyExists', message: `workspaces.tenancy.kcp.io "${name}" already exists` });
      }
      await eventually('what is hidden stays so', async () => {
        expect(await shownNames(caller, parent)).not.toContain(hidden);
      });
    });

    test('is refused in the words of kcp to those without the right', async () => {
      const reader = await createUser(parent, ['get', 'list', 'watch']);
      const body = universal({ name: uniqueName() });
      const refusal = (await to(reader, parent).post(WORKSPACES, body)).expect(403).json<Status>();
      expect(refusal).toEqual((await plainly(reader, parent).post(WORKSPACES, body)).expect(403).json());
    });

    test('is refused in the words of kcp when the object is no good', async () => {
      const body = { ...universal({ name: 'Not_A_Name' }), spec: { type: { path: 'root', name: 'no-such-type' } } };
      const refusal = (await to(caller, parent).post(WORKSPACES, body)).json<Status>();
      const ofKcp = (await plainly(caller, parent).post(WORKSPACES, body)).json<Status>();
      expect(refusal.code).toBeGreaterThanOrEqual(400);
      expect(refusal).toEqual(ofKcp);
    });

    test('stores nothing as a dry run, and answers as if it had', async () => {
      const name = uniqueName();
      const created = (await to(caller, parent).post(`${WORKSPACES}?dryRun=All`, universal({ name })))
        .expect(201)
        .json<Workspace>();
      expect(created).toMatchObject({ kind: 'Workspace', metadata: { name } });
      expect(created).not.toHaveProperty(['metadata', 'annotations', OWNER]);
      (await plainly(admin, parent).get(`${WORKSPACES}/${name}`)).expect(404);
    });
  });

  test('takes YAML and answers in YAML', async () => {
    const name = uniqueName();
    const body = `apiVersion: tenancy.kcp.io/v1alpha1\nkind: Workspace\nmetadata:\n  name: ${name}\nspec: {type: {path: root, name: universal}}\n`;
    const headers = { Accept: 'application/yaml' };
    const contentType = 'application/yaml';
    const reply = await viewOfWorkspaces(caller, parent).send('POST', WORKSPACES, { body, contentType, headers });
    const created = load(reply.expect(201).text) as Workspace;
    expect(reply.headers['content-type']).toMatch(/^application\/yaml/);
    expect(created).toMatchObject({ kind: 'Workspace', metadata: { name } });
    expect(created.metadata.annotations).not.toHaveProperty([OWNER]);
    await untilReady(viewOfWorkspaces(caller, parent), name);
  });

  test('answers with a table to those who ask for one', async () => {
    const body = universal({ name: uniqueName() });
    const [here, ofKcp] = await Promise.all(
      [viewOfWorkspaces, plainly].map(async to => {
        const reply = await to(caller, parent).send('POST', `${WORKSPACES}?dryRun=All`, { body, headers: { Accept: TABLE } });
        return reply.expect(201).json<Table>();
      }),
    );
    expect(here).toMatchObject({
      kind: 'Table',
      rows: [{ cells: expect.arrayContaining([body.metadata.name, 'universal']) }],
    });
    expect(here?.columnDefinitions).toEqual(ofKcp?.columnDefinitions);
    // The two were made one after the other.
    const ageless = (table?: Table): unknown => table?.rows[0]?.cells.map(cell => (/^\d+s$/.test(String(cell)) ? 'age' : cell));
    expect(ageless(here)).toEqual(ageless(ofKcp));
    expect(JSON.stringify(here)).not.toContain(`"${OWNER}":"`);
  });

  test.each(['Warn', 'Strict', 'Ignore'])(
    'tells what kcp tells of unknown fields when the validation is %s',
    async validation => {
      const body = { ...universal({ name: uniqueName() }), unknown: 'field' };
      const path = `${WORKSPACES}?dryRun=All&fieldValidation=${validation}`;
      const [here, ofKcp] = await Promise.all(
        [viewOfWorkspaces, plainly].map(async to => {
          const { status, headers, text } = await to(caller, parent).post(path, body);
          return { status, warning: headers.warning, message: (JSON.parse(text) as Partial<Status>).message };
        }),
      );
      expect(here).toEqual(ofKcp);
    },
  );

  test('goes to the shard of the parent, wherever the workspace itself comes to lie', async () => {
    const names = target.shards.map(({ name }) => name);
    for (const shard of names) {
      const nested = await createParent(shard);
      const other = names.find(name => name !== shard) ?? shard;
      const builder = await createUser(nested);
      for (const road of ROADS) {
        const made = await createReady(road.to(builder, nested), {}, other);
        const inside = `${nested}:${made.metadata.name}`;
        const child = await createReady(road.to(builder, inside), {}, shard);
        expect(await shownNames(builder, inside, road.to)).toEqual([child.metadata.name]);
        expect(await storedWorkspace(inside, child.metadata.name)).toMatchObject({ metadata: { uid: child.metadata.uid } });
      }
    }
  });
});
