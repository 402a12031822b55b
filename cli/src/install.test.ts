import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { loadKubeconfig } from '@kcp-vw/shared/config/kubeconfig.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { shippedViews } from '@kcp-vw/shared/registration/manifests.ts';
import { type FakeApi, fakeApi } from './install.fixture.ts';
import { install } from './install.ts';

const WORKSPACE = '/clusters/root';
const DEFINITIONS = `${WORKSPACE}/apis/apiextensions.k8s.io/v1/customresourcedefinitions`;
const DEFINITION = `${DEFINITIONS}/virtualworkspaces.virtualworkspaces.kcp.io`;
const VIEWS = `${WORKSPACE}/apis/virtualworkspaces.kcp.io/v1alpha1/virtualworkspaces`;
const PATIENCE = { every: 2, atMost: 200 };
const authority = createAuthority({ commonName: 'services' });

const TRUST = {
  'certificate-authority-data': Buffer.from(authority.certPem).toString('base64'),
  'tls-server-name': 'kcp.example',
};

let api: FakeApi;
let folder: string;
let said: string;
let complained: string;

beforeEach(async () => {
  api = await fakeApi(WORKSPACE);
  folder = mkdtempSync(join(tmpdir(), 'install-'));
  writeKubeconfig(`${api.url}${WORKSPACE}`);
  said = '';
  complained = '';
  jest.spyOn(process.stdout, 'write').mockImplementation(text => {
    said += text;
    return true;
  });
  jest.spyOn(process.stderr, 'write').mockImplementation(text => {
    complained += text;
    return true;
  });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await api.close();
  rmSync(folder, { recursive: true });
});

function writeKubeconfig(server: string): void {
  const config = {
    'current-context': 'root',
    contexts: [{ name: 'root', context: { cluster: 'kcp', user: 'admin' } }],
    clusters: [{ name: 'kcp', cluster: { server, ...TRUST } }],
    users: [{ name: 'admin', user: { token: 'of-admin' } }],
  };
  writeFileSync(join(folder, 'admin.kubeconfig'), JSON.stringify(config));
}

const run = (...argv: string[]): Promise<number> =>
  install([`--kubeconfig=${join(folder, 'admin.kubeconfig')}`, ...argv], PATIENCE);
const outcomes = (): string[] => [
  ...new Set(
    said
      .trim()
      .split('\n')
      .map(line => line.split(' ')[0] ?? ''),
  ),
];
const viewOf = (name: string): KubeObject | undefined => api.objects.get(`${VIEWS}/${name}`);
const lines = (): string[] => said.trim().split('\n');

describe('what is installed', () => {
  test('is everything for the views that are shipped, each told in a line', async () => {
    expect([await run(), complained]).toEqual([0, '']);
    expect(outcomes()).toEqual(['created']);
    expect(lines()).toHaveLength(api.objects.size);
    expect(lines()[0]).toBe('created    CustomResourceDefinition virtualworkspaces.virtualworkspaces.kcp.io');
    expect(lines()).toContain('created    Role virtualworkspace-apiexport/virtualworkspaces:view');
    expect(
      [...api.objects.values()].filter(({ kind }) => kind === 'VirtualWorkspace').map(({ metadata }) => metadata?.name),
    ).toEqual(shippedViews());
  });

  test('is owned by one field manager, which takes what others have', async () => {
    await run();
    const applied = api.requests.filter(line => line.startsWith('PATCH'));
    expect(applied).toHaveLength(api.objects.size);
    expect(applied.filter(line => !line.endsWith('?fieldManager=kcp-vw-install&force=true'))).toEqual([]);
  });

  test('waits for the definition to be established before anything that needs it', async () => {
    await run();
    const reads = api.requests.lastIndexOf(`GET ${DEFINITION}`);
    expect(api.requests.slice(0, reads + 1).every(line => line.includes('customresourcedefinitions'))).toBe(true);
    expect(api.requests.filter(line => line === `GET ${DEFINITION}`).length).toBeGreaterThan(1);
    expect(api.requests.findIndex(line => line.includes(VIEWS))).toBeGreaterThan(reads);
  });

  test('waits for the API of a definition that has just been established', async () => {
    let refusals = 0;
    api.intercept = (method, path) =>
      method === 'PATCH' && path.startsWith(VIEWS) && refusals++ < 3 ? { status: 404, body: '404 page not found\n' } : undefined;
    expect([await run(), complained]).toEqual([0, '']);
    expect(viewOf('apiexport')).toBeDefined();
  });

  test('is for one view, where one is named, with what the flags say of it', async () => {
    const caFile = join(folder, 'ca.pem');
    const { certPem, keyPem } = authority.issue({ commonName: 'one', usage: 'server' });
    writeFileSync(caFile, `${keyPem}${authority.certPem}${certPem}`);
    const endpoints = ['--allowed-endpoints=10.0.0.0/8,*.example:7444', '--allowed-endpoints=vw.example'];
    expect(await run('--view=team-notes', `--ca-file=${caFile}`, ...endpoints)).toBe(0);
    expect([...api.objects.values()].filter(({ kind }) => kind === 'VirtualWorkspace')).toHaveLength(1);
    const { caBundle, ...spec } = (viewOf('team-notes') as KubeObject).spec as { caBundle: string };
    expect(spec).toEqual({
      path: '/services/team-notes',
      allowedEndpoints: ['10.0.0.0/8', '*.example:7444', 'vw.example'],
      serviceAccounts: [{ namespace: 'virtualworkspace-team-notes', name: 'team-notes' }],
    });
    const published = Buffer.from(caBundle, 'base64').toString();
    expect(published.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(published).not.toContain('KEY');
  });

  test('lets the service accounts in that are named, and makes them', async () => {
    expect(await run('--view=team-notes', '--service-account=teams/blue', '--service-account=teams/red')).toBe(0);
    const accounts = ['blue', 'red'].map(name => ({ namespace: 'teams', name }));
    expect(viewOf('team-notes')?.spec).toMatchObject({ serviceAccounts: accounts });
    for (const { name } of accounts)
      expect(api.objects.get(`${WORKSPACE}/api/v1/namespaces/teams/serviceaccounts/${name}`)).toBeDefined();
    expect(api.objects.get(`${WORKSPACE}/api/v1/namespaces/teams`)).toBeDefined();
  });
});

describe('a second time', () => {
  test('nothing changes', async () => {
    await run('--view=team-notes');
    const before = structuredClone(api.objects);
    said = '';
    expect(await run('--view=team-notes')).toBe(0);
    expect(outcomes()).toEqual(['unchanged']);
    expect(api.objects).toEqual(before);
  });

  test('what differs becomes what it should be, and the status stays', async () => {
    await run('--view=team-notes');
    const status = { endpoints: [{ instance: 'one', url: 'https://vw.example', ready: true }] };
    const object = viewOf('team-notes') as KubeObject;
    api.objects.set(`${VIEWS}/team-notes`, { ...object, spec: { path: '/services/team-notes' }, status });
    said = '';
    expect(await run('--view=team-notes')).toBe(0);
    expect(lines().filter(line => !line.startsWith('unchanged'))).toEqual(['changed    VirtualWorkspace team-notes']);
    expect(viewOf('team-notes')).toMatchObject({ spec: { serviceAccounts: [{ name: 'team-notes' }] }, status });
  });

  test('what others write meanwhile is no change of ours', async () => {
    await run('--view=team-notes');
    api.intercept = (method, path) => {
      const object = api.objects.get(path);
      if (method === 'PATCH' && object) {
        api.objects.set(path, {
          ...object,
          metadata: { ...object.metadata, resourceVersion: '99', managedFields: [{}] },
          status: {},
        });
      }
      return undefined;
    };
    said = '';
    expect(await run('--view=team-notes')).toBe(0);
    expect(outcomes()).toEqual(['unchanged']);
  });
});

describe('kubeconfigs', () => {
  const written = (): string => join(folder, 'credentials');

  test('are written for each service and the front proxy, for this user only, with the token of a Secret and the admin’s CA', async () => {
    expect([await run(`--write-kubeconfigs=${written()}`), complained]).toEqual([0, '']);
    expect(readdirSync(written()).sort()).toEqual(expect.arrayContaining(['apiexport-vw.kubeconfig', 'front-proxy.kubeconfig']));
    const file = join(written(), 'apiexport-vw.kubeconfig');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const access = await loadKubeconfig(file);
    expect([access.ca?.toString(), access.servername]).toEqual([authority.certPem, 'kcp.example']);
    expect([access.server.href, access.token]).toEqual([`${api.url}${WORKSPACE}`, 'token of apiexport-vw-token']);
    expect(api.objects.get(`${WORKSPACE}/api/v1/namespaces/virtualworkspaces/secrets/apiexport-vw-token`)).toMatchObject({
      type: 'kubernetes.io/service-account-token',
      metadata: { annotations: { 'kubernetes.io/service-account.name': 'apiexport-vw' } },
    });
    expect(said).not.toContain('token of');
  });

  test('are not written of the front proxy where somebody’s view is installed', async () => {
    expect(await run('--view=team-notes', `--write-kubeconfigs=${written()}`)).toBe(0);
    expect(readdirSync(written())).toEqual(['team-notes.kubeconfig']);
    expect([...api.objects.values()].filter(({ kind }) => kind === 'Secret')).toHaveLength(1);
  });

  test('that were there and could be read by others are replaced', async () => {
    await run('--view=team-notes', `--write-kubeconfigs=${written()}`);
    chmodSync(join(written(), 'team-notes.kubeconfig'), 0o644);
    await run('--view=team-notes', `--write-kubeconfigs=${written()}`);
    expect(statSync(join(written(), 'team-notes.kubeconfig')).mode & 0o777).toBe(0o600);
  });
});

describe('what is printed', () => {
  test('is all of it as YAML, and asks nobody', async () => {
    expect(await install(['--print', '--view=team-notes'])).toBe(0);
    const documents = said.split('---\n');
    expect(documents[0]).toMatch(/^apiVersion: apiextensions.k8s.io\/v1\nkind: CustomResourceDefinition\n/);
    expect(documents.at(-1)).toMatch(
      /\nkind: VirtualWorkspace\nmetadata:\n {2}name: team-notes\nspec:\n {2}path: \/services\/team-notes\n/,
    );
    expect(said).not.toContain('&ref');
    expect(api.requests).toEqual([]);
  });

  test('is help where help is asked for', async () => {
    expect(await install(['--help'])).toBe(0);
    expect(said).toMatch(/^Makes known to a kcp.*--write-kubeconfigs/s);
  });
});

describe('what cannot be done is one sentence', () => {
  test.each([
    [['--view=Team'], /--view takes up to 46 lower-case letters/],
    [[`--view=${'a'.repeat(47)}`], /--view takes up to 46 lower-case letters/],
    [['--service-account=blue'], /--service-account takes namespace\/name, not "blue"/],
    [['--allowed-endpoints=a,,b'], /--allowed-endpoints takes a comma-separated list/],
    [['--allowed-endpoints=10.0.0.0/33'], /--allowed-endpoints: "10\.0\.0\.0\/33" is no host/],
    [['--ca-file=/does/not/exist'], /--ca-file: \/does\/not\/exist cannot be read \(ENOENT\)/],
    [['--print', '--write-kubeconfigs=x'], /--write-kubeconfigs needs a server/],
    [['--unknown'], /--unknown/],
    [
      ['--view=a', '--service-account=x/a', '--service-account=y/a', '--write-kubeconfigs=x'],
      /two service accounts are called a/,
    ],
  ])('%j', async (argv, sentence) => {
    expect(await run(...argv)).toBe(1);
    expect(complained).toMatch(sentence);
    expect(complained.trim().split('\n')).toHaveLength(1);
    expect(api.requests).toEqual([]);
  });

  test('a kubeconfig is needed', async () => {
    expect(await install([])).toBe(1);
    expect(complained).toBe('kcp-vw: --kubeconfig is required: an admin of the workspace root\n');
  });

  test('a server without a workspace in its path is refused before it is asked', async () => {
    writeKubeconfig(api.url);
    expect(await run()).toBe(1);
    expect(complained).toMatch(/is no workspace, which ends with \/clusters\/root\n$/);
    expect(api.requests).toEqual([]);
  });

  test('a refusal ends it, and is told with the object and what the server said', async () => {
    api.intercept = (method, path) =>
      method === 'PATCH' && path.includes('/clusterroles/') ? { status: 403, body: { message: 'it is forbidden' } } : undefined;
    expect(await run()).toBe(1);
    expect(complained).toBe('kcp-vw: cannot apply ClusterRole virtualworkspaces:front-proxy: it is forbidden (403)\n');
    expect([...api.objects.values()].some(({ kind }) => kind === 'VirtualWorkspace')).toBe(false);
  });

  test('plain text of a server is told, too', async () => {
    api.intercept = () => ({ status: 503, body: 'try later\n' });
    expect(await run()).toBe(1);
    expect(complained).toMatch(/cannot read CustomResourceDefinition virtualworkspaces\S+: try later \(503\)\n$/);
  });

  test('a definition whose names are taken is not waited for', async () => {
    const conditions = [{ type: 'NamesAccepted', status: 'False', message: '"vw" is already in use' }];
    api.intercept = (method, path) =>
      method === 'GET' && path === DEFINITION ? { status: 200, body: { status: { conditions } } } : undefined;
    expect(await run()).toBe(1);
    expect(complained).toMatch(/its names are not accepted: "vw" is already in use\n$/);
  });

  test('a definition that is not established is waited for no longer than patience lasts', async () => {
    api.intercept = (method, path) => (method === 'GET' && path === DEFINITION ? { status: 200, body: {} } : undefined);
    expect(await run()).toBe(1);
    expect(complained).toMatch(/waited 0\.2 s in vain for CustomResourceDefinition \S+ to be established\n$/);
  });
});
