import { eventually } from '../../support/eventually.ts';
import { atShard, masters } from '../../support/identities.ts';
import type { KubeObject } from '../../support/kube.ts';

const shard = atShard(masters);

export const CORE = '/api/v1';
export const RBAC = '/apis/rbac.authorization.k8s.io/v1';
export const APIS = '/apis/apis.kcp.io/v1alpha2';
export const SCHEMAS = '/apis/apis.kcp.io/v1alpha1/apiresourceschemas';

/** Creates an object at the shard as masters. `collection` is the path after the cluster, e.g. `/api/v1/namespaces`; kind and version are the object's. */
export async function create<T = KubeObject>(
  cluster: string,
  collection: string,
  object: KubeObject & Record<string, unknown>,
): Promise<T> {
  const path = `/clusters/${cluster}${collection}`;
  return eventually(`creation of ${object.kind} ${object.metadata?.name} in ${cluster}`, async () =>
    (await shard.post(path, object)).expect(201).json<T>(),
  );
}

/** Reads a path at the shard until it is as wanted. */
export async function readWhere<T>(
  cluster: string,
  path: string,
  description: string,
  wanted: (found: T) => boolean,
): Promise<T> {
  return eventually(
    `${path} in ${cluster} ${description}`,
    async () => {
      const found = (await shard.get(`/clusters/${cluster}${path}`)).expect(200).json<T>();
      if (!wanted(found)) throw new Error(JSON.stringify(found));
      return found;
    },
    60_000,
  );
}

/** A cluster role of these rules for one subject. */
export async function allow(
  cluster: string,
  name: string,
  subject: { readonly kind: 'User' | 'ServiceAccount'; readonly name: string; readonly namespace?: string },
  rules: readonly Readonly<Record<string, readonly string[]>>[],
): Promise<void> {
  const apiVersion = RBAC.slice('/apis/'.length);
  await create(cluster, `${RBAC}/clusterroles`, { apiVersion, kind: 'ClusterRole', metadata: { name }, rules });
  const apiGroup = subject.kind === 'User' ? { apiGroup: 'rbac.authorization.k8s.io' } : {};
  await create(cluster, `${RBAC}/clusterrolebindings`, {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ ...apiGroup, ...subject }],
  });
}
