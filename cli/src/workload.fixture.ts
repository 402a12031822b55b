/** Test equipment: the little of a kcp that `kcp-vw workload` talks to, and what the command says. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type FakeApi, fakeApi } from './install.fixture.ts';
import { workload } from './workload.ts';

export const BINDINGS = '/apis/apis.kcp.io/v1alpha2/apibindings';
export const EXPORTS = '/apis/apis.kcp.io/v1alpha2/apiexports';
export const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** What kcp itself adds to an object, some time after it has been made. */
const STATUS: Readonly<Record<string, object>> = {
  Workspace: { phase: 'Ready' },
  APIExport: { identityHash: 'identity' },
  APIBinding: { phase: 'Bound' },
};
/** Reads until it does. */
const READS = 2;

export interface FakeKcp {
  readonly api: FakeApi;
  /** For files. */
  readonly folder: string;
  /** Runs the command with a kubeconfig of this kcp. */
  run(...argv: string[]): Promise<number>;
  /** What it has said, and what it has complained of, since it was run last. */
  said(): string;
  complained(): string;
  at(workspace: string, path: string): KubeObject | undefined;
  /** The name of the logical cluster of a workspace. */
  clusterOf(path: string): string;
  close(): Promise<void>;
}

/** `base`: the path of the server before `/clusters`. */
export async function fakeKcp(base = ''): Promise<FakeKcp> {
  const api = await fakeApi(`${base}/clusters`);
  const folder = mkdtempSync(join(tmpdir(), 'workload-'));
  const reads = new Map<string, number>();
  let said = '';
  let complained = '';
  const clusterOf = (path: string): string => (path === 'root' ? 'root' : `1${path.replaceAll(':', '')}`);

  api.intercept = (method, path) => {
    if (method !== 'GET') return undefined;
    const [, workspace = ''] = /\/clusters\/([^/]+)\/apis\/core\.kcp\.io\/v1alpha1\/logicalclusters\/cluster$/.exec(path) ?? [];
    if (workspace) return { status: 200, body: { metadata: { annotations: { 'kcp.io/cluster': clusterOf(workspace) } } } };
    if (path.endsWith(BINDINGS)) {
      const items = [...api.objects].filter(([key]) => key.startsWith(`${path}/`)).map(([, { kind: _, ...object }]) => object);
      return { status: 200, body: { items } };
    }
    const object = api.objects.get(path);
    const status = STATUS[object?.kind ?? ''];
    if (object === undefined || status === undefined || object.status !== undefined) return undefined;
    const count = (reads.get(path) ?? 0) + 1;
    reads.set(path, count);
    return { status: 200, body: count < READS ? object : { ...object, status } };
  };
  const config = {
    'current-context': 'root',
    contexts: [{ name: 'root', context: { cluster: 'kcp', user: 'admin' } }],
    clusters: [{ name: 'kcp', cluster: { server: `${api.url}${base}/clusters/root` } }],
    users: [{ name: 'admin', user: { token: 'of-admin' } }],
  };
  writeFileSync(join(folder, 'admin.kubeconfig'), JSON.stringify(config));
  jest.spyOn(process.stdout, 'write').mockImplementation(text => {
    said += text;
    return true;
  });
  jest.spyOn(process.stderr, 'write').mockImplementation(text => {
    complained += text;
    return true;
  });
  return {
    ...{ api, folder, clusterOf },
    run(...argv) {
      said = '';
      complained = '';
      return workload([...argv, `--kubeconfig=${join(folder, 'admin.kubeconfig')}`], { every: 2, atMost: 200 });
    },
    said: () => said,
    complained: () => complained,
    at: (workspace, path) => api.objects.get(`${base}/clusters/${workspace}${path}`),
    async close() {
      jest.restoreAllMocks();
      await api.close();
      rmSync(folder, { recursive: true });
    },
  };
}
