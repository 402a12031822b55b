import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadKubeconfig } from '@kcp-vw/shared/config/kubeconfig.ts';
import { BINDINGS, EXPORTS, type FakeKcp, fakeKcp, RBAC } from './workload.fixture.ts';

const COMPUTE = 'root:compute';
const TEAM = 'root:team';
const SYNC_TARGETS = '/apis/workload.kcp.io/v1alpha1/synctargets';

let kcp: FakeKcp;

beforeEach(async () => {
  kcp = await fakeKcp();
});
afterEach(() => kcp.close());

const lines = (): string[] => kcp.said().trim().split('\n');
const applies = (): string[] => kcp.api.requests.filter(line => line.startsWith('PATCH'));

/** As somebody has bound an export, by a name of his own choice. */
function bound(workspace: string, provider: string | undefined, exported = 'workload.kcp.io', name = 'mine'): void {
  const reference = { export: { ...(provider !== undefined && { path: provider }), name: exported } };
  const binding = { kind: 'APIBinding', metadata: { name }, spec: { reference }, status: { phase: 'Bound' } };
  kcp.api.objects.set(`/clusters/${workspace}${BINDINGS}/${name}`, binding);
}

describe('a SyncTarget', () => {
  const sync = (...argv: string[]): Promise<number> => kcp.run('sync', 'west', `--write-kubeconfigs=${kcp.folder}`, ...argv);

  test('is made beside the exports, with its labels, and supports what its schema says', async () => {
    bound(COMPUTE, COMPUTE);
    expect([await sync('--label=zone=a', '--label=team/x='), kcp.complained()]).toEqual([0, '']);
    expect(lines()[0]).toBe('created    SyncTarget west');
    expect(kcp.at(COMPUTE, `${SYNC_TARGETS}/west`)).toMatchObject({
      apiVersion: 'workload.kcp.io/v1alpha1',
      metadata: { labels: { zone: 'a', 'team/x': '' } },
      spec: {},
    });
  });

  test.each([
    ['by its path', TEAM],
    ['by its logical cluster', '1rootteam'],
    ['without a path', undefined],
  ])('supports what its schema says where its workspace has bound its own export %s', async (_, provider) => {
    bound(TEAM, provider);
    expect(await sync(`--workspace=${TEAM}`)).toBe(0);
    expect(kcp.at(TEAM, `${SYNC_TARGETS}/west`)?.spec).toEqual({});
  });

  test('elsewhere supports the compute export beside the one that its workspace has bound', async () => {
    bound(TEAM, 'root:others');
    expect(await sync(`--workspace=${TEAM}`)).toBe(0);
    expect(kcp.at(TEAM, `${SYNC_TARGETS}/west`)?.spec).toEqual({
      supportedAPIExports: [{ path: 'root:others', export: 'kubernetes' }],
    });
  });

  test('supports the exports that are named, and no others', async () => {
    bound(TEAM, COMPUTE);
    await sync(`--workspace=${TEAM}`, '--export=wild', '--export=root:compute:kubernetes');
    expect(kcp.at(TEAM, `${SYNC_TARGETS}/west`)?.spec).toEqual({
      supportedAPIExports: [{ export: 'wild' }, { path: COMPUTE, export: 'kubernetes' }],
    });
  });

  test('gets an account for its syncer, which may sync it and nothing else', async () => {
    bound(COMPUTE, COMPUTE);
    await sync();
    expect(kcp.at(COMPUTE, '/api/v1/namespaces/syncers/serviceaccounts/west')).toBeDefined();
    expect(kcp.at(COMPUTE, `${RBAC}/clusterrolebindings/syncer:west`)?.subjects).toEqual([
      { kind: 'ServiceAccount', namespace: 'syncers', name: 'west' },
    ]);
    const rules = kcp.at(COMPUTE, `${RBAC}/clusterroles/syncer:west`)?.rules as { resourceNames: string[]; verbs: string[] }[];
    expect(rules.map(({ resourceNames }) => resourceNames)).toEqual([['west'], ['west']]);
    expect(rules[0]?.verbs).toContain('sync');
  });

  // Where the workspace is synced itself, one cluster would get the tokens of all others' syncers.
  test('keeps the credentials of syncers in a namespace that is synced nowhere', async () => {
    bound(COMPUTE, COMPUTE);
    await sync();
    expect(kcp.at(COMPUTE, '/api/v1/namespaces/syncers')?.metadata?.annotations).toEqual({
      'placement.workload.kcp.io/spread': '0',
    });
  });

  test('gets a kubeconfig for its syncer, for the workspace that it is in', async () => {
    bound(TEAM, COMPUTE);
    await sync(`--workspace=${TEAM}`);
    const file = join(kcp.folder, 'west.kubeconfig');
    expect(lines().at(-1)).toBe(`written    ${file}`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { server, token } = await loadKubeconfig(file);
    expect([server.href, token]).toEqual([`${kcp.api.url}/clusters/root:team`, 'token of west-token']);
  });

  test('stays as it is a second time', async () => {
    bound(COMPUTE, COMPUTE);
    await sync('--label=zone=a');
    await sync('--label=zone=a');
    expect(
      lines()
        .slice(0, -1)
        .filter(line => !line.startsWith('unchanged')),
    ).toEqual([]);
  });

  test('is not made where SyncTargets are not known, and it is said how they are', async () => {
    bound(TEAM, COMPUTE, 'kubernetes');
    expect(await sync(`--workspace=${TEAM}`)).toBe(1);
    expect(kcp.complained()).toBe(
      'kcp-vw: root:team knows no SyncTargets: kcp-vw workload bind --workspace=root:team --sync-targets lets it\n',
    );
    expect(applies()).toEqual([]);
  });

  test('is tried again as long as the API is bound, and not served yet', async () => {
    bound(COMPUTE, COMPUTE);
    const usual = kcp.api.intercept;
    let refusals = 3;
    kcp.api.intercept = (method, path) =>
      path.includes(SYNC_TARGETS) && refusals-- > 0 ? { status: 404, body: '404 page not found' } : usual(method, path);
    expect(await sync()).toBe(0);
    expect(kcp.at(COMPUTE, `${SYNC_TARGETS}/west`)).toBeDefined();
  });
});

describe('binding', () => {
  const bind = (...argv: string[]): Promise<number> => kcp.run('bind', `--workspace=${TEAM}`, ...argv);

  test('is to the compute export, with all of its claims, and asks nothing of its workspace', async () => {
    expect([await bind(), kcp.complained(), kcp.said()]).toEqual([0, '', 'created    APIBinding kubernetes\n']);
    const claim = {
      group: '',
      verbs: ['get', 'list', 'watch', 'update', 'patch'],
      state: 'Accepted',
      selector: { matchAll: true },
    };
    expect(kcp.at(TEAM, `${BINDINGS}/kubernetes`)?.spec).toEqual({
      reference: { export: { path: COMPUTE, name: 'kubernetes' } },
      permissionClaims: ['configmaps', 'namespaces', 'secrets', 'serviceaccounts'].map(resource => ({ ...claim, resource })),
    });
    expect(kcp.api.requests.filter(line => !line.includes(`/clusters/${TEAM}/`))).toEqual([]);
  });

  test('is to SyncTargets, too, where these are asked for', async () => {
    await bind('--sync-targets', '--compute=root:others');
    expect(lines()).toEqual(['created    APIBinding workload.kcp.io', 'created    APIBinding kubernetes']);
    expect(kcp.at(TEAM, `${BINDINGS}/workload.kcp.io`)?.spec).toMatchObject({ reference: { export: { path: 'root:others' } } });
  });

  // A second binding to the same export would never be bound: the names are taken.
  test('goes on with a binding that somebody has made by another name', async () => {
    bound(TEAM, COMPUTE, 'kubernetes', 'mine');
    expect(await bind()).toBe(0);
    expect(lines()).toEqual(['changed    APIBinding mine']);
    expect(kcp.at(TEAM, `${BINDINGS}/mine`)).toHaveProperty('spec.permissionClaims.length', 4);
    expect(kcp.at(TEAM, `${BINDINGS}/kubernetes`)).toBeUndefined();
  });

  test('is given up at once when others have the names', async () => {
    const usual = kcp.api.intercept;
    const conditions = [{ type: 'Ready', status: 'False', reason: 'NamingConflicts', message: 'pods: are taken' }];
    kcp.api.intercept = (method, path) =>
      method === 'GET' && kcp.api.objects.has(path) ? { status: 200, body: { status: { conditions } } } : usual(method, path);
    expect(await bind()).toBe(1);
    expect(kcp.complained()).toBe('kcp-vw: APIBinding kubernetes cannot be bound: pods: are taken\n');
  });
});

describe('a grant', () => {
  const grant = (...argv: string[]): Promise<number> => kcp.run('grant', `--workspace=${TEAM}`, '--export=wild', ...argv);

  test('lets the account of syncer-vw have the objects of that export, under the name that it has there', async () => {
    kcp.api.objects.set(`/clusters/${TEAM}${EXPORTS}/wild`, { kind: 'APIExport', metadata: { name: 'wild' } });
    expect([await grant('--compute=root:others'), kcp.complained()]).toEqual([0, '']);
    const role = 'syncer-vw:1rootothers:wild';
    expect(lines()).toEqual([`created    ClusterRole ${role}`, `created    ClusterRoleBinding ${role}`]);
    expect(kcp.at(TEAM, `${RBAC}/clusterrolebindings/${role}`)?.subjects).toMatchObject([
      { kind: 'User', name: 'system:kcp:serviceaccount:1rootothers:syncer-vw:syncer-vw' },
    ]);
    expect(kcp.at(TEAM, `${RBAC}/clusterroles/${role}`)?.rules).toContainEqual(
      expect.objectContaining({ resources: ['apiexports/content'], resourceNames: ['wild'] }),
    );
  });

  test('is not of an export that somebody may make one day', async () => {
    expect(await grant()).toBe(1);
    expect(kcp.complained()).toBe('kcp-vw: root:team has no APIExport wild\n');
    expect(applies()).toEqual([]);
  });
});
