/** How a client gets to see the workspaces that it is shown: as an API server would show them, and nothing of the others. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client, Credentials } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { admin } from './support/identities.ts';
import type { List, Status, Table, Workspace } from './support/kube.ts';
import { adminIn, createParent, createType, createWorkspace, uniqueSuffix } from './support/workspaces.ts';
import {
  createReady,
  describeWorkspacesView,
  EVERYWHERE,
  letIn,
  namesIn,
  plainly,
  ROADS,
  shownNames,
  somebody,
  storedWorkspaces,
  transparently,
  userSubject,
  WORKSPACES,
} from './support/workspaces-view.ts';

const AS_TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
const AS_METADATA = { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' };
const AS_YAML = { accept: 'application/yaml' };
const AGGREGATED = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };
const OWNER = 'experimental.tenancy.kcp.io/owner';
/** Managers of fields say that there is such a field, and nothing of its value. */
const OWNER_ITSELF = /(?<!f:)experimental\.tenancy\.kcp\.io\/owner/;
const LABEL = `e2e-${uniqueSuffix()}`;
const SEEN = 5;
const HIDDEN = 3;

const DIRECTLY = ROADS.filter(({ to }) => to !== transparently);

describeWorkspacesView('the workspaces of somebody who may enter some', () => {
  const reader = somebody('reader');
  const other = somebody('other');
  let org: string;
  /** Sorted by name; all but the last are Ready. */
  let seen: readonly Workspace[];
  let waiting: Workspace;
  const names = (): string[] => seen.map(({ metadata }) => metadata.name);

  beforeAll(async () => {
    org = await createParent();
    const endless = await createType(org, { initializer: true });
    const type = { path: org, name: endless.name };
    const [ready] = await Promise.all([
      Promise.all(Array.from({ length: SEEN - 1 }, () => createReady(org))),
      Promise.all(Array.from({ length: HIDDEN }, () => createWorkspace(org, { path: 'root', name: 'universal' }))),
    ]);
    waiting = await createWorkspace(org, type);
    seen = [...ready, waiting].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    const [labelled] = ready;
    const patch = { metadata: { labels: { [LABEL]: 'north' } } };
    (await adminIn(org).mergePatch(`${WORKSPACES}/${labelled?.metadata.name}`, patch)).expect(200);
    for (const who of [reader, other]) await Promise.all(seen.map(({ spec }) => letIn(spec.cluster, userSubject(who.name))));
    for (const who of [reader, other]) {
      await eventually('sight', async () => expect(await shownNames(who, org)).toEqual(names()));
    }
  }, 240_000);

  const get = async <T>(client: Client, query = '', headers = {}): Promise<T> =>
    (await client.get(WORKSPACES + query, headers)).expect(200).json<T>();

  describe.each(ROADS)('on $road', ({ to }) => {
    test('are a list that has a version, in the order of their names', async () => {
      const list = await get<List<Workspace>>(to(reader, org));
      expect(list).toMatchObject({ kind: 'WorkspaceList', apiVersion: 'tenancy.kcp.io/v1alpha1' });
      expect(list.metadata).toEqual({ resourceVersion: expect.stringMatching(/^[1-9]\d*$/) });
      expect(namesIn(list)).toEqual(names());
    });

    test('are what kcp has, but for the version and for who has created them', async () => {
      const comparable = ({ metadata: { resourceVersion: _, annotations, ...metadata }, ...workspace }: Workspace) => {
        const { [OWNER]: __, ...others } = annotations ?? {};
        return { ...workspace, metadata: { ...metadata, annotations: others } };
      };
      const stored = (await storedWorkspaces(org)).filter(({ metadata }) => names().includes(metadata.name));
      const { items } = await get<List<Workspace>>(to(reader, org));
      const byName = new Map(stored.map(workspace => [workspace.metadata.name, comparable(workspace)]));
      for (const { metadata } of stored) expect(metadata.annotations).toHaveProperty([OWNER]);
      expect(items.map(comparable)).toEqual(names().map(name => byName.get(name)));
    });

    test.each([
      ['a list', '', AS_TABLE],
      ['one', '/one', AS_TABLE],
    ])('are a Table with the columns and cells that kcp shows its administrator: %s', async (_, which, headers) => {
      const path = which === '' ? '' : `/${names()[0]}`;
      const [ours, kcps] = await Promise.all([to(admin, org), plainly(admin, org)].map(at => get<Table>(at, path, headers)));
      expect(ours?.columnDefinitions).toEqual(kcps?.columnDefinitions);
      const age = kcps?.columnDefinitions.findIndex(({ name }) => name === 'Age');
      const rows = (table?: Table): unknown[] => (table?.rows ?? []).map(({ cells }) => cells.filter((_cell, i) => i !== age));
      expect(rows(ours).length).toBe(which === '' ? SEEN + HIDDEN : 1);
      expect(rows(ours).sort()).toEqual(rows(kcps).sort());
    });

    test('of a Table are those that somebody may enter, in rows', async () => {
      const { rows } = await get<Table>(to(reader, org), '', AS_TABLE);
      expect(rows.map(({ cells: [name] }) => name)).toEqual(names());
      for (const { object } of rows) expect(object).toMatchObject({ kind: 'PartialObjectMetadata' });
    });

    test('are told by their metadata alone', async () => {
      const list = await get<List<Workspace>>(to(reader, org), '', AS_METADATA);
      expect(list).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
      expect(namesIn(list)).toEqual(names());
      for (const item of list.items) expect(Object.keys(item).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
    });

    test('are written in YAML', async () => {
      const reply = (await to(reader, org).get(WORKSPACES, AS_YAML)).expect(200);
      expect(reply.headers['content-type']).toBe('application/yaml');
      expect(reply.text.match(/(?<=^ +name: )e2e-.*$/gm)).toEqual(names());
    });

    test('can be selected by name, phase and label', async () => {
      const selected = async (query: string): Promise<string[]> => namesIn(await get(to(reader, org), `?${query}`));
      const [first = ''] = names();
      const ready = names().filter(name => name !== waiting.metadata.name);
      expect(await selected(`fieldSelector=metadata.name=${first}`)).toEqual([first]);
      expect(await selected('fieldSelector=metadata.name%3Dnosuchworkspace')).toEqual([]);
      expect(await selected('fieldSelector=status.phase%3DReady')).toEqual(ready);
      expect(await selected('fieldSelector=status.phase!%3DReady')).toEqual([waiting.metadata.name]);
      expect(await selected(`labelSelector=${LABEL}`)).toHaveLength(1);
      expect(await selected(`labelSelector=${LABEL}%20in%20(north)`)).toHaveLength(1);
      expect(await selected(`labelSelector=!${LABEL}`)).toHaveLength(SEEN - 1);
    });

    test('cannot be selected by what is no field of theirs', async () => {
      const reply = (await to(reader, org).get(`${WORKSPACES}?fieldSelector=spec.cluster%3Dx`)).expect(400);
      expect(reply.json<Status>().message).toContain('field label not supported');
    });

    test('come in pages that count only what is shown', async () => {
      const pages: List<Workspace>[] = [];
      for (let token: string | undefined = ''; token !== undefined; ) {
        const page: List<Workspace> = await get(to(reader, org), `?limit=2${token && `&continue=${token}`}`);
        pages.push(page);
        token = page.metadata.continue;
      }
      expect(pages.flatMap(namesIn)).toEqual(names());
      expect(pages.map(({ items }) => items.length)).toEqual([2, 2, 1]);
      expect(pages.map(({ metadata }) => metadata.remainingItemCount)).toEqual([3, 1, undefined]);
      expect(new Set(pages.map(({ metadata }) => metadata.resourceVersion)).size).toBe(1);
    });

    test('a further page is for whom the first one was', async () => {
      const { metadata } = await get<List<Workspace>>(to(reader, org), '?limit=2');
      const next = `${WORKSPACES}?limit=2&continue=${metadata.continue}`;
      const refused = (await to(other, org).get(next)).expect(410).json<Status>();
      expect(refused.reason).toBe('Expired');
      (await to(reader, org).get(next)).expect(200);
    });

    test('what is said of a continue token tells nothing of what it was made from', async () => {
      const { metadata } = await get<List<Workspace>>(to(reader, org), '?limit=1');
      const read = Buffer.from(metadata.continue ?? '', 'base64url').toString();
      const hidden = (await storedWorkspaces(org)).filter(one => !names().includes(one.metadata.name));
      expect(hidden).toHaveLength(HIDDEN);
      for (const { metadata: of, spec } of hidden) {
        expect(read).not.toContain(of.name);
        expect(read).not.toContain(spec.cluster);
      }
    });

    test('never say who has created them', async () => {
      const paths = ['?limit=2&includeObject=Object', `/${names()[0]}?includeObject=Object`, '?watch=true&timeoutSeconds=1'];
      for (const who of [reader, admin]) {
        for (const path of paths) {
          for (const headers of path.includes('watch') ? [{}] : [{}, AS_TABLE, AS_METADATA, AS_YAML]) {
            const { status, text } = (await to(who, org).get(WORKSPACES + path, headers)).expect(200, 406);
            // One object is no list of metadata.
            if (status === 406) expect(headers).toBe(AS_METADATA);
            expect(text).not.toMatch(OWNER_ITSELF);
            expect(text).not.toContain('system:kcp:admin');
          }
        }
      }
    });
  });

  describe.each(DIRECTLY)('over all parents, on $road', ({ to }) => {
    test('a Table says of each where it is, next to its name', async () => {
      const all = await get<Table>(to(reader, EVERYWHERE), '', AS_TABLE);
      const kcps = await get<Table>(plainly(admin, org), '', AS_TABLE);
      const [name, path, ...others] = all.columnDefinitions;
      expect([name, ...others]).toEqual(kcps.columnDefinitions);
      expect(path).toMatchObject({ name: 'Path', type: 'string' });
      expect(all.rows.map(({ cells }) => cells.slice(0, 2))).toEqual(names().map(found => [found, `${org}:${found}`]));
    });

    test('come in pages, too', async () => {
      const first = await get<List<Workspace>>(to(reader, EVERYWHERE), '?limit=3');
      const second = await get<List<Workspace>>(to(reader, EVERYWHERE), `?limit=3&continue=${first.metadata.continue}`);
      expect([...namesIn(first), ...namesIn(second)]).toEqual(names());
      expect(first.metadata.remainingItemCount).toBe(2);
    });
  });

  describe.each(DIRECTLY)('the API on $road', ({ to }) => {
    const parents = (): readonly string[] => [org, EVERYWHERE];
    const document = async <T>(who: Credentials, parent: string, path: string, headers = {}): Promise<T> =>
      (await to(who, parent).get(path, headers)).expect(200).json<T>();

    test('has workspaces as kcp has them, and nothing else', async () => {
      type Resources = { resources: readonly { name: string; verbs: readonly string[]; storageVersionHash?: string }[] };
      const kcps = (await plainly(admin, org).get(WORKSPACES.replace('/workspaces', ''))).expect(200).json<Resources>();
      const ours = await document<Resources>(reader, org, WORKSPACES.replace('/workspaces', ''));
      // Its hash is of what it is stored as, which is not here.
      const sorted = ({ resources }: Resources) =>
        resources
          .filter(({ name }) => name.split('/')[0] === 'workspaces')
          .map(({ storageVersionHash: _, ...one }) => ({ ...one, verbs: [...one.verbs].sort() }));
      expect(sorted(ours)).toEqual(sorted(kcps));
      expect(sorted(ours)).toHaveLength(ours.resources.length);
    });

    test('is discovered in one document and in several', async () => {
      for (const parent of parents()) {
        const { groups } = await document<{ groups: readonly { name: string }[] }>(reader, parent, '/apis');
        expect(groups.map(({ name }) => name)).toEqual(['tenancy.kcp.io']);
        const found = await document<{ kind: string; items: unknown[] }>(reader, parent, '/apis', AGGREGATED);
        expect(found).toMatchObject({ kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: 'tenancy.kcp.io' } }] });
        expect(JSON.stringify(found)).toContain('"resource":"workspaces"');
      }
    });

    test('has a version and a schema', async () => {
      for (const parent of parents()) {
        expect(await document(reader, parent, '/version')).toMatchObject({
          major: expect.any(String),
          gitVersion: expect.any(String),
        });
        const { paths } = await document<{ paths: Record<string, { serverRelativeURL: string }> }>(reader, parent, '/openapi/v3');
        expect(Object.keys(paths)).toContain('apis/tenancy.kcp.io/v1alpha1');
        const schema = await document(reader, parent, '/openapi/v3/apis/tenancy.kcp.io/v1alpha1');
        expect(JSON.stringify(schema)).toContain('"kind":"Workspace"');
      }
    });

    test('is there for those alone to whom the parent is', async () => {
      const nobody = somebody('nobody');
      for (const path of ['/api', '/apis', '/openapi/v3', '/version', WORKSPACES]) (await to(nobody, org).get(path)).expect(403);
    });

    test('over all parents reads lists and nothing else', async () => {
      const [name = ''] = names();
      (await to(reader, EVERYWHERE).get(`${WORKSPACES}/${name}`)).expect(405);
      const workspace = { apiVersion: 'tenancy.kcp.io/v1alpha1', kind: 'Workspace', metadata: { name: 'any' } };
      for (const who of [reader, admin]) (await to(who, EVERYWHERE).post(WORKSPACES, workspace)).expect(405);
      (await to(admin, EVERYWHERE).delete(`${WORKSPACES}/${name}`)).expect(405);
      (await to(admin, EVERYWHERE).delete(WORKSPACES)).expect(405);
    });
  });
});
