/** Who is shown which workspaces: on every road those that kcp lets him into, and nothing else. */
import { beforeAll, expect, test } from '@jest/globals';
import { homeClusterOf } from '@kcp-vw/shared/target/home-cluster.ts';
import type { Credentials } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { admin, anonymous, masters, target } from './support/identities.ts';
import type { List, Workspace } from './support/kube.ts';
import { createServiceAccount } from './support/service-accounts.ts';
import { createParent, uniqueSuffix } from './support/workspaces.ts';
import {
  createReady,
  describeWorkspacesView,
  EVERYWHERE,
  entersByKcp,
  groupSubject,
  letIn,
  namesIn,
  oracleOf,
  plainly,
  ROADS,
  type Road,
  requireGroups,
  shownNames,
  somebody,
  storedWorkspaces,
  transparently,
  userSubject,
  WORKSPACES,
} from './support/workspaces-view.ts';

const [root, second = root] = target.shards;
const [CREW, STAFF, ABROAD, BOARD] = ['crew', 'staff', 'abroad', 'board'].map(name => `${name}-${uniqueSuffix()}`) as [
  string,
  string,
  string,
  string,
];

/** Below `org`, each by its part, but `inner`, which is below `outer`. */
type Part = 'open' | 'far' | 'gated' | 'outer' | 'inner' | 'closed';

interface Expected {
  readonly who: string;
  /** Of the org. Of `outer` he sees `inner` or nothing. */
  readonly sees: readonly Part[];
  readonly inner?: boolean;
}

const CALLERS = [
  { who: 'a member of the org who may enter two workspaces, on two shards', sees: ['open', 'far'] },
  { who: 'somebody who is let in by his group', sees: ['far'] },
  { who: 'somebody with both of the groups that are required', sees: ['gated'] },
  { who: 'somebody with the group that is required instead', sees: ['gated'] },
  { who: 'somebody with one of two groups that are required', sees: [] },
  { who: 'somebody who may enter a nested workspace and not what is above it', sees: [], inner: true },
  { who: 'a service account of the org', sees: [] },
  { who: 'a service account of a workspace', sees: ['open'] },
  { who: 'a service account that is let in elsewhere by its global name', sees: ['far', 'gated', 'closed'] },
  { who: 'somebody without any right', sees: [] },
] as const satisfies readonly Expected[];

const DIRECTLY = ROADS.filter(({ to }) => to !== transparently);

describeWorkspacesView('the workspaces of an org', () => {
  let org: string;
  const cluster = {} as Record<Part | 'org', string>;
  const name = {} as Record<Part, string>;
  let callers: Record<(typeof CALLERS)[number]['who'], Credentials>;
  /** Paths and names of logical clusters, and the logical cluster that each leads to. */
  let parents: readonly { readonly parent: string; readonly cluster: string }[];

  beforeAll(async () => {
    org = await createParent();
    const create = async (part: Part, parent: string, shard = root): Promise<void> => {
      const { metadata, spec } = await createReady(parent, shard);
      name[part] = metadata.name;
      cluster[part] = spec.cluster;
    };
    await Promise.all([
      create('open', org),
      create('far', org, second),
      create('gated', org, second),
      create('outer', org),
      create('closed', org),
    ]);
    await create('inner', `${org}:${name.outer}`, second);
    cluster.org = (await storedWorkspaces('root')).find(({ metadata }) => `root:${metadata.name}` === org)?.spec.cluster ?? '';
    parents = [
      { parent: 'root', cluster: 'root' },
      { parent: org, cluster: cluster.org },
      { parent: cluster.org, cluster: cluster.org },
      { parent: `${org}:${name.outer}`, cluster: cluster.outer },
      { parent: cluster.outer, cluster: cluster.outer },
      { parent: `${cluster.org}:${name.open}`, cluster: cluster.open },
    ];

    const [ofOrg, ofChild, foreign] = await Promise.all([
      createServiceAccount(org),
      createServiceAccount(cluster.open),
      createServiceAccount(cluster.closed),
    ]);
    callers = {
      'a member of the org who may enter two workspaces, on two shards': somebody('member'),
      'somebody who is let in by his group': somebody('grouped', [CREW]),
      'somebody with both of the groups that are required': somebody('both', [STAFF, ABROAD]),
      'somebody with the group that is required instead': somebody('instead', [BOARD]),
      'somebody with one of two groups that are required': somebody('one', [STAFF]),
      'somebody who may enter a nested workspace and not what is above it': somebody('nested'),
      'a service account of the org': ofOrg.credentials,
      'a service account of a workspace': ofChild.credentials,
      'a service account that is let in elsewhere by its global name': foreign.credentials,
      'somebody without any right': somebody('nobody'),
    };
    const nameOf = (who: keyof typeof callers): string => callers[who].name;
    await requireGroups(cluster.gated, `${STAFF},${ABROAD};${BOARD}`, second);
    await Promise.all([
      ...(['org', 'open', 'far'] as const).map(part =>
        letIn(cluster[part], userSubject(nameOf('a member of the org who may enter two workspaces, on two shards'))),
      ),
      letIn(cluster.far, groupSubject(CREW)),
      letIn(cluster.gated, userSubject(nameOf('somebody with both of the groups that are required'))),
      letIn(cluster.gated, userSubject(nameOf('somebody with the group that is required instead'))),
      letIn(cluster.gated, userSubject(nameOf('somebody with one of two groups that are required'))),
      letIn(cluster.inner, userSubject(nameOf('somebody who may enter a nested workspace and not what is above it'))),
      letIn(cluster.far, userSubject(foreign.globalName)),
      letIn(cluster.gated, userSubject(foreign.globalName)),
    ]);
  }, 300_000);

  /** Of each parent the names that are shown, or `refused`. */
  async function shownIn(to: Road['to'], caller: Credentials): Promise<Record<string, readonly string[] | 'refused'>> {
    const shown = parents.map(async ({ parent }) => {
      const reply = (await to(caller, parent).get(WORKSPACES)).expect(200, 403);
      return [parent, reply.status === 403 ? 'refused' : namesIn(reply.json<List<Workspace>>())] as const;
    });
    return Object.fromEntries(await Promise.all(shown));
  }

  /** The same, by kcp itself: nobody is refused who may enter the parent, or any workspace in it. */
  async function expectedIn(caller: Credentials): Promise<Record<string, readonly string[] | 'refused'>> {
    const expected = parents.map(async ({ parent, cluster: of }) => {
      const names = await oracleOf(caller, parent);
      return [parent, names.length > 0 || (await entersByKcp(caller, of)) ? names : 'refused'] as const;
    });
    return Object.fromEntries(await Promise.all(expected));
  }

  const within = (sees: readonly Part[]): string[] => sees.map(part => name[part]).sort();

  describeWorkspacesView.each(ROADS)('on $road', ({ to }) => {
    test.each<Expected>(CALLERS)(
      '$who is shown what kcp lets him into, whichever parent he asks for',
      async ({ who, sees, inner }) => {
        const caller = callers[who as keyof typeof callers];
        const shown = await eventually(`agreement with kcp on ${who}`, async () => {
          const [found, expected] = await Promise.all([shownIn(to, caller), expectedIn(caller)]);
          expect(found).toEqual(expected);
          return found;
        });
        // What has to come out, lest both be wrong.
        if (shown[org] !== 'refused') expect(shown[org]).toEqual(within(sees));
        else expect(sees).toEqual([]);
        if (inner) expect(shown[cluster.outer]).toEqual([name.inner]);
      },
    );

    test('an object that is shown can be got, and one that is not cannot', async () => {
      const asMember = to(callers['a member of the org who may enter two workspaces, on two shards'], org);
      const got = (await asMember.get(`${WORKSPACES}/${name.far}`)).expect(200).json<Workspace>();
      expect(got).toMatchObject({ kind: 'Workspace', spec: { cluster: cluster.far }, status: { phase: 'Ready' } });
      (await asMember.get(`${WORKSPACES}/${name.closed}`)).expect(404);
    });

    test("kcp's administrator is shown all of them", async () => {
      const stored = await storedWorkspaces(org);
      expect(await shownNames(admin, org, to)).toEqual(stored.map(({ metadata }) => metadata.name).sort());
    });

    test('a home leads to what its owner has made in it, and nobody else gets there', async () => {
      const owner = somebody('owner');
      await eventually('a home', async () => (await plainly(owner, 'root').get(`${WORKSPACES}/~`)).expect(200), 60_000);
      const home = `user:${owner.name}`;
      const workspace = { apiVersion: 'tenancy.kcp.io/v1alpha1', kind: 'Workspace', metadata: { name: 'mine' } };
      const spec = { type: { path: 'root', name: 'universal' } };
      await eventually('creation', async () => (await to(owner, home).post(WORKSPACES, { ...workspace, spec })).expect(201, 409));
      await eventually('sight', async () => expect(await shownNames(owner, home, to)).toEqual(['mine']));
      expect(await shownNames(owner, homeClusterOf(owner.name), to)).toEqual(['mine']);
      (await to(callers['somebody without any right'], home).get(WORKSPACES)).expect(403);
    });

    test('whoever does not say who he is is refused', async () => {
      // A proxy that vouches for nobody has not found out who asks.
      for (const parent of ['root', org]) (await to(anonymous, parent).get(WORKSPACES)).expect(to === transparently ? 401 : 403);
    });

    test('who may not impersonate is refused, and not shown what he sees himself', async () => {
      const caller = callers['a member of the org who may enter two workspaces, on two shards'];
      const headers = { 'Impersonate-User': callers['somebody who is let in by his group'].name };
      await eventually('sight', async () => expect(await shownNames(caller, org, to)).not.toEqual([]));
      (await to(caller, org).get(WORKSPACES, headers)).expect(403);
    });
  });

  describeWorkspacesView.each(DIRECTLY)('over all parents, on $road', ({ to }) => {
    test.each<Expected>(CALLERS)('$who is shown the same as in all parents together', async ({ who, sees, inner }) => {
      const caller = callers[who as keyof typeof callers];
      const expected = [...within(sees), ...(inner ? [name.inner] : [])].sort();
      await eventually('the union', async () => {
        const { items } = (await to(caller, EVERYWHERE).get(WORKSPACES)).expect(200).json<List<Workspace>>();
        const ofTree = items.filter(({ metadata }) => metadata.annotations?.['kcp.io/path']?.startsWith(org));
        const atRoot = items.filter(item => !ofTree.includes(item)).map(({ metadata }) => metadata.name);
        const own = await oracleOf(caller, 'root');
        expect({
          inTree: namesIn({ items: ofTree } as List<Workspace>).filter(found => `root:${found}` !== org),
          atRoot,
        }).toEqual({
          inTree: expect.arrayContaining(expected),
          atRoot: own.filter(found => `root:${found}` !== org),
        });
        expect(ofTree.filter(({ metadata }) => `root:${metadata.name}` !== org)).toHaveLength(expected.length);
      });
    });

    test('each says where it is', async () => {
      const caller = callers['somebody who may enter a nested workspace and not what is above it'];
      const { items } = (await to(caller, EVERYWHERE).get(WORKSPACES)).expect(200).json<List<Workspace>>();
      expect(items.map(({ metadata }) => metadata.annotations?.['kcp.io/path'])).toEqual([`${org}:${name.outer}:${name.inner}`]);
    });

    test('masters are shown all of them', async () => {
      const { items } = (await to(masters, EVERYWHERE).get(WORKSPACES)).expect(200).json<List<Workspace>>();
      const all = items.map(({ spec }) => spec.cluster);
      expect(all).toEqual(expect.arrayContaining(Object.values(cluster)));
    });

    test('masters are shown all of the org, and may ask as somebody else', async () => {
      const stored = await storedWorkspaces(org);
      expect(await shownNames(masters, org, to)).toEqual(stored.map(({ metadata }) => metadata.name).sort());
      const as = { 'Impersonate-User': callers['somebody who may enter a nested workspace and not what is above it'].name };
      (await to(masters, org).get(WORKSPACES, as)).expect(403);
      const nested = (await to(masters, cluster.outer).get(WORKSPACES, as)).expect(200).json<List<Workspace>>();
      expect(namesIn(nested)).toEqual([name.inner]);
    });

    test('whoever does not say who he is is refused', async () => {
      (await to(anonymous, EVERYWHERE).get(WORKSPACES)).expect(403);
    });
  });
});
