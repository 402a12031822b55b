/** What syncing needs of a kcp before anything can be synced. Loads no target, since servers are started with what comes out of it. */
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { ACCOUNT, ACCOUNT_SUBJECT, accountObjects, globalNameOf, shardsGrant } from '@kcp-vw/syncer-vw/manifests/account.ts';
import {
  bindingTo,
  COMPUTE_CLAIMS,
  type COMPUTE_EXPORT,
  COMPUTE_WORKSPACE,
  WORKLOAD_CLAIMS,
  WORKLOAD_EXPORT,
} from '@kcp-vw/syncer-vw/manifests/exports.ts';
import { manifests } from '@kcp-vw/syncer-vw/manifests/manifests.ts';
import type { Client } from './client.ts';
import { eventually } from './eventually.ts';

/** The workspace with the exports of SyncTargets and of what is synced, one for all tests. */
export const COMPUTE = COMPUTE_WORKSPACE;

const SECRET = `${ACCOUNT.name}-token`;
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const APIS = '/apis/apis.kcp.io';
const CORE = '/api/v1';

const COLLECTIONS: Readonly<Record<string, string>> = {
  APIBinding: `${APIS}/v1alpha2/apibindings`,
  APIExport: `${APIS}/v1alpha2/apiexports`,
  APIResourceSchema: `${APIS}/v1alpha1/apiresourceschemas`,
  ClusterRole: `${RBAC}/clusterroles`,
  ClusterRoleBinding: `${RBAC}/clusterrolebindings`,
  Namespace: `${CORE}/namespaces`,
  Role: `${RBAC}/namespaces/${ACCOUNT.namespace}/roles`,
  RoleBinding: `${RBAC}/namespaces/${ACCOUNT.namespace}/rolebindings`,
  Secret: `${CORE}/namespaces/${ACCOUNT.namespace}/secrets`,
  ServiceAccount: `${CORE}/namespaces/${ACCOUNT.namespace}/serviceaccounts`,
};

/** The identity that syncer-vw has. */
export interface SyncingAccount {
  /** The logical cluster of `root:compute`. */
  readonly cluster: string;
  /** What it is called in other logical clusters. */
  readonly globalName: string;
  /** Good until its Secret is deleted. */
  readonly token: string;
}

/**
 * Makes the workspace `root:compute` with its exports and the account of syncer-vw, and lets that account see shards. What is there is
 * left as it is, so that several may do so at once. `frontProxy`: kcp-admin, at the base of a front proxy. The workspace gets ready only
 * where virtual workspaces are served.
 */
export async function installSyncing(frontProxy: Client, patience = 60_000): Promise<SyncingAccount> {
  const root = frontProxy.at('/clusters/root');
  const compute = frontProxy.at(`/clusters/${COMPUTE}`);
  await makeWorkspace(root, patience);

  for (const object of accountObjects()) await make(compute, object);
  await make(compute, SECRET_OF_ACCOUNT);
  const account = await accountIn(compute);
  const wanted = manifests({ service: [ACCOUNT_SUBJECT] });
  for (const object of [...wanted.workload, ...wanted.compute]) await make(compute, object);
  for (const object of shardsGrant(account.cluster)) await make(root, object);
  // SyncTargets can be made beside the exports, too.
  await bindTo(compute, WORKLOAD_EXPORT, patience);
  return account;
}

/** Binds one of the exports of `root:compute` with all claims that it has; waits until it is Bound. */
export async function bindTo(
  workspace: Client,
  exported: typeof WORKLOAD_EXPORT | typeof COMPUTE_EXPORT,
  patience = 60_000,
): Promise<void> {
  const claims = exported === WORKLOAD_EXPORT ? WORKLOAD_CLAIMS : COMPUTE_CLAIMS;
  await make(workspace, bindingTo(COMPUTE, exported, claims));
  await eventually(
    `APIBinding ${exported} to be Bound`,
    async () => {
      const { status } = (await workspace.get(`${COLLECTIONS.APIBinding}/${exported}`)).expect(200).json<Phased>();
      if (status?.phase !== 'Bound') throw new Error(JSON.stringify(status));
    },
    patience,
  );
}

type Phased = KubeObject & { readonly status?: { readonly phase?: string } };

/** A kubeconfig, as JSON, which is YAML. `authority`: PEM that verifies the server, a URL. */
export function kubeconfigOf(server: string, authority: string, { token }: Pick<SyncingAccount, 'token'>): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'only',
    clusters: [{ name: 'only', cluster: { server, 'certificate-authority-data': Buffer.from(authority).toString('base64') } }],
    users: [{ name: 'only', user: { token } }],
    contexts: [{ name: 'only', context: { cluster: 'only', user: 'only' } }],
  });
}

async function makeWorkspace(root: Client, patience: number): Promise<void> {
  const workspaces = root.at('/apis/tenancy.kcp.io/v1alpha1/workspaces');
  const name = COMPUTE.slice('root:'.length);
  const spec = { type: { path: 'root', name: 'universal' }, location: { selector: { matchLabels: { name: 'root' } } } };
  const workspace = { apiVersion: 'tenancy.kcp.io/v1alpha1', kind: 'Workspace', metadata: { name }, spec };
  await eventually(
    `creation of workspace ${COMPUTE}`,
    async () => (await workspaces.post('', workspace)).expect(201, 409),
    patience,
  );
  await eventually(
    `readiness of workspace ${COMPUTE}`,
    async () => {
      const { status } = (await workspaces.get(`/${name}`)).expect(200).json<Phased>();
      if (status?.phase !== 'Ready') throw new Error(JSON.stringify(status));
    },
    patience,
  );
}

/** What others have made in the meantime stays; what is not known yet is waited for. */
async function make(workspace: Client, object: KubeObject): Promise<void> {
  const collection = COLLECTIONS[object.kind ?? ''];
  if (collection === undefined) throw new Error(`objects of kind ${object.kind} are not installed`);
  await eventually(`creation of ${object.kind} ${object.metadata?.name}`, async () =>
    (await workspace.post(collection, object)).expect(201, 409),
  );
}

/** Kubernetes puts a token into it, which does not end. */
const SECRET_OF_ACCOUNT: KubeObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    ...{ name: SECRET, namespace: ACCOUNT.namespace },
    annotations: { 'kubernetes.io/service-account.name': ACCOUNT.name },
  },
  type: 'kubernetes.io/service-account-token',
};

async function accountIn(compute: Client): Promise<SyncingAccount> {
  return eventually('a token of syncer-vw', async () => {
    const found = (await compute.get(`${COLLECTIONS.Secret}/${SECRET}`)).expect(200);
    const { metadata, data } = found.json<KubeObject & { data?: { token?: string } }>();
    if (!data?.token) throw new Error('its Secret has none yet');
    const cluster = metadata?.annotations?.['kcp.io/cluster'] ?? '';
    return { cluster, globalName: globalNameOf(cluster, ACCOUNT), token: Buffer.from(data.token, 'base64').toString() };
  });
}
