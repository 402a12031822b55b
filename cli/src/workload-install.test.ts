import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadKubeconfig } from '@kcp-vw/shared/config/kubeconfig.ts';
import { BINDINGS, EXPORTS, type FakeKcp, fakeKcp, RBAC } from './workload.fixture.ts';
import { workload } from './workload.ts';

const COMPUTE = 'root:compute';
const WORKSPACES = '/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspaces';

let kcp: FakeKcp;

beforeEach(async () => {
  kcp = await fakeKcp();
});
afterEach(() => kcp.close());

const lines = (): string[] => kcp.said().trim().split('\n');
const install = (...argv: string[]): Promise<number> => kcp.run('install', ...argv);
const applies = (): string[] => kcp.api.requests.filter(line => line.startsWith('PATCH')).map(line => line.split('?')[0] ?? '');

describe('what is installed', () => {
  test('is the workspace with all that syncing needs, and the sight of shards in root, each told in a line', async () => {
    expect([await install(), kcp.complained()]).toEqual([0, '']);
    expect(lines().every(line => line.startsWith('created'))).toBe(true);
    expect(lines()[0]).toBe('created    Workspace root:compute');
    expect(lines()).toHaveLength(kcp.api.objects.size);
    for (const name of ['workload.kcp.io', 'kubernetes']) expect(kcp.at(COMPUTE, `${EXPORTS}/${name}`)).toBeDefined();
    expect(kcp.at(COMPUTE, '/api/v1/namespaces/syncer-vw/serviceaccounts/syncer-vw')).toBeDefined();
    const [user] = (kcp.at('root', `${RBAC}/clusterrolebindings/syncer-vw:1rootcompute:shards`)?.subjects ?? []) as object[];
    expect(user).toMatchObject({ kind: 'User', name: 'system:kcp:serviceaccount:1rootcompute:syncer-vw:syncer-vw' });
  });

  test('is of the type universal, whose parent is asked for it', async () => {
    await install('--workspace=root:teams:compute');
    expect(kcp.at('root:teams', '/apis/tenancy.kcp.io/v1alpha1/workspaces/compute')?.spec).toEqual({
      type: { name: 'universal', path: 'root' },
    });
  });

  test('is bound by its own workspace once the export has an identity, so that SyncTargets can be made there', async () => {
    await install();
    const binding = `/clusters/${COMPUTE}${BINDINGS}/workload.kcp.io`;
    expect(kcp.at(COMPUTE, `${BINDINGS}/workload.kcp.io`)?.spec).toMatchObject({
      reference: { export: { path: COMPUTE, name: 'workload.kcp.io' } },
      permissionClaims: [{ resource: 'subjectaccessreviews', verbs: ['create'], state: 'Accepted' }],
    });
    const asked = kcp.api.requests.findLastIndex(line => line.startsWith(`GET /clusters/${COMPUTE}${EXPORTS}/`));
    expect(kcp.api.requests.findIndex(line => line.startsWith(`PATCH ${binding}`))).toBeGreaterThan(asked);
    expect(kcp.api.requests.at(-1)).toBe(`GET ${binding}`);
  });

  test('may be bound by everybody who has logged in, or by the groups that are named', async () => {
    const subjects = () => kcp.at(COMPUTE, `${RBAC}/clusterrolebindings/kubernetes:bind`)?.subjects;
    await install();
    expect(subjects()).toMatchObject([{ kind: 'Group', name: 'system:authenticated' }]);
    await install('--consumers=blue', '--consumers=red');
    expect(subjects()).toMatchObject([{ name: 'blue' }, { name: 'red' }]);
  });

  test('can be in a workspace that has no parent', async () => {
    expect(await install('--workspace=root')).toBe(0);
    expect(kcp.at('root', `${EXPORTS}/kubernetes`)).toBeDefined();
    expect(kcp.api.requests.some(line => line.includes('/workspaces/'))).toBe(false);
  });
});

describe('a second time', () => {
  test('nothing changes', async () => {
    await install();
    const before = structuredClone(kcp.api.objects);
    expect(await install()).toBe(0);
    expect(lines().filter(line => !line.startsWith('unchanged'))).toEqual([]);
    expect(kcp.api.objects).toEqual(before);
  });

  test('what kcp counts up whenever it is asked is no change', async () => {
    await install();
    const usual = kcp.api.intercept;
    let generation = 1;
    kcp.api.intercept = (method, path) => {
      const object = kcp.api.objects.get(path);
      if (method === 'PATCH' && object?.kind === 'APIBinding') {
        kcp.api.objects.set(path, { ...object, metadata: { ...object.metadata, generation: ++generation } });
        return { status: 200, body: kcp.api.objects.get(path) ?? {} };
      }
      return usual(method, path);
    };
    await install();
    expect([generation, lines().at(-1)]).toEqual([2, 'unchanged  APIBinding workload.kcp.io']);
  });

  // Its type can never be changed, and whoever has made it may have chosen another.
  test('a workspace that is there stays as it is', async () => {
    const workspace = {
      kind: 'Workspace',
      metadata: { name: 'compute' },
      spec: { type: { name: 'team' } },
      status: { phase: 'Ready' },
    };
    kcp.api.objects.set(`${WORKSPACES}/compute`, workspace);
    expect(await install()).toBe(0);
    expect(kcp.api.objects.get(`${WORKSPACES}/compute`)).toEqual(workspace);
    expect(applies().filter(path => path.startsWith(WORKSPACES))).toEqual([]);
  });

  // A schema is never changed: kcp would refuse it.
  test('what an older version has made gets new schemas beside the old ones, and the export is pointed to them', async () => {
    await install();
    const path = `/clusters/${COMPUTE}/apis/apis.kcp.io/v1alpha1/apiresourceschemas/vold.pods.core`;
    const exported = kcp.at(COMPUTE, `${EXPORTS}/kubernetes`) ?? {};
    const { spec } = structuredClone(exported);
    const old = { kind: 'APIResourceSchema', metadata: { name: 'vold.pods.core' } };
    kcp.api.objects.set(path, old);
    const resources = [{ group: '', name: 'pods', schema: 'vold.pods.core', storage: { crd: {} } }];
    kcp.api.objects.set(`/clusters/${COMPUTE}${EXPORTS}/kubernetes`, { ...exported, spec: { resources } });
    expect(await install()).toBe(0);
    expect(lines().filter(line => !line.startsWith('unchanged'))).toEqual(['changed    APIExport kubernetes']);
    expect(kcp.at(COMPUTE, `${EXPORTS}/kubernetes`)?.spec).toEqual(spec);
    expect(kcp.api.objects.get(path)).toEqual(old);
  });
});

describe('the kubeconfig', () => {
  test('is of the account, for its workspace at the same server, and for this user only', async () => {
    const written = join(kcp.folder, 'credentials');
    expect(await install(`--write-kubeconfigs=${written}`)).toBe(0);
    const file = join(written, 'syncer-vw.kubeconfig');
    expect(lines().at(-1)).toBe(`written    ${file}`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { server, token } = await loadKubeconfig(file);
    expect([server.href, token]).toEqual([`${kcp.api.url}/clusters/root:compute`, 'token of syncer-vw-token']);
    expect(kcp.said()).not.toContain('token of');
  });

  test('keeps the path of a server that has one', async () => {
    await kcp.close();
    kcp = await fakeKcp('/kcp');
    expect(await install(`--write-kubeconfigs=${kcp.folder}`)).toBe(0);
    const { server } = await loadKubeconfig(join(kcp.folder, 'syncer-vw.kubeconfig'));
    expect(server.pathname).toBe('/kcp/clusters/root:compute');
  });
});

describe('what is printed', () => {
  test('is all of the workspace as YAML, and asks nobody', async () => {
    expect(await workload(['install', '--print', '--workspace=root:a'])).toBe(0);
    const documents = kcp.said().split('\n---\n');
    expect(documents[0]).toMatch(/^apiVersion: v1\nkind: Namespace\n/);
    expect(kcp.said()).toContain('\n      path: root:a\n');
    expect(kcp.said()).not.toContain('&ref');
    expect(kcp.api.requests).toEqual([]);
  });

  test('has the grant for root as a comment, since it is for another workspace and nobody was asked whom to grant it to', async () => {
    await workload(['install', '--print']);
    const [, comment = ''] = kcp.said().split('# For the workspace root');
    expect(comment).toContain('name: syncer-vw:<the logical cluster of the workspace>:shards');
    expect(
      comment
        .trimEnd()
        .split('\n')
        .slice(1)
        .every(line => line.startsWith('# ')),
    ).toBe(true);
  });

  test('is help where help is asked for', async () => {
    expect(await workload(['--help'])).toBe(0);
    expect(kcp.said()).toMatch(/^Lets syncers.*--write-kubeconfigs/s);
  });
});

describe('what cannot be done is one sentence', () => {
  test.each([
    [[], /workload takes one of install, sync, bind, grant$/],
    [['unsync'], /workload takes one of install, sync, bind, grant, not unsync$/],
    [['install', 'more'], /workload install does not take "more"$/],
    [['install', '--workspace=Root'], /--workspace takes the path of a workspace, such as root:compute, not "Root"$/],
    [['install', '--export=x'], /workload install has no --export$/],
    [['install', '--consumers='], /--consumers takes the name of a group$/],
    [['install', '--print', '--write-kubeconfigs=x'], /--write-kubeconfigs needs a server/],
    [['install', '--write-kubeconfigs='], /--write-kubeconfigs takes the path of a folder$/],
    [['sync'], /workload sync takes the name of a SyncTarget, up to 234 /],
    [['sync', 'West'], /workload sync takes the name of a SyncTarget, .* not "West"$/],
    [['sync', 'a'.repeat(235)], /workload sync takes the name of a SyncTarget/],
    [['sync', 'west', 'east'], /workload sync does not take "east"$/],
    [['sync', 'west', '--print'], /workload sync has no --print$/],
    [['sync', 'west', '--label=zone'], /--label takes <key>=<value>, not "zone"$/],
    [['sync', 'west', '--export=root:'], /--export takes <workspace>:<name> or <name>, not "root:"$/],
    [['sync', 'west', '--export=:a'], /--export takes <workspace>:<name> or <name>, not ":a"$/],
    [['bind'], /workload bind needs --workspace: a path$/],
    [['bind', '--workspace=root:a', '--compute=x y'], /--compute takes the path of a workspace/],
    [['grant', '--workspace=root:a'], /workload grant takes one --export: the name of an APIExport$/],
    [
      ['grant', '--workspace=root:a', '--export=root:b:c'],
      /--export takes the name of an APIExport of the workspace, not "root:b:c"$/,
    ],
  ])('%j', async (argv, sentence) => {
    expect(await kcp.run(...argv)).toBe(1);
    expect(kcp.complained().trim()).toMatch(sentence);
    expect(kcp.complained().trim().split('\n')).toHaveLength(1);
    expect(kcp.api.requests).toEqual([]);
  });

  test('a kubeconfig is needed', async () => {
    expect(await workload(['install'])).toBe(1);
    expect(kcp.complained()).toBe('kcp-vw: --kubeconfig is required: a user of the front proxy of kcp\n');
  });

  test('a refusal ends it, and is told with the object and what the server said', async () => {
    const usual = kcp.api.intercept;
    kcp.api.intercept = (method, path) =>
      method === 'PATCH' && path.includes('/apiexports/')
        ? { status: 403, body: { message: 'it is forbidden' } }
        : usual(method, path);
    expect(await install()).toBe(1);
    expect(kcp.complained()).toBe('kcp-vw: cannot apply APIExport workload.kcp.io: it is forbidden (403)\n');
    expect(applies().some(path => path.includes('/clusterroles/'))).toBe(false);
  });

  test.each([
    ['a workspace that does not get ready', '/workspaces/compute', /Workspace root:compute to be ready\n$/],
    ['an export without an identity', '/apiexports/kubernetes', /an identity of APIExport kubernetes\n$/],
    ['a binding that is not bound', '/apibindings/workload.kcp.io', /APIBinding workload\.kcp\.io to be bound\n$/],
  ])('%s is waited for no longer than patience lasts', async (_, path, sentence) => {
    const usual = kcp.api.intercept;
    kcp.api.intercept = (method, asked) => (asked.endsWith(path) ? undefined : usual(method, asked));
    expect(await install()).toBe(1);
    expect(kcp.complained()).toMatch(/^kcp-vw: waited 0\.2 s in vain for /);
    expect(kcp.complained()).toMatch(sentence);
  });
});
