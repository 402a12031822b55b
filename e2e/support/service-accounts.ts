import type { Credentials } from './client.ts';
import { eventually } from './eventually.ts';
import type { KubeObject } from './kube.ts';
import { adminIn, uniqueSuffix } from './workspaces.ts';

export interface CreatedServiceAccount {
  readonly name: string;
  /** What it is called in other logical clusters. */
  readonly globalName: string;
  /** With a token that the shard has signed for it. */
  readonly credentials: Credentials & { readonly token: string };
  delete(): Promise<void>;
}

/** A service account in the namespace `default` of a workspace, with a token for an hour. */
export async function createServiceAccount(workspace: string): Promise<CreatedServiceAccount> {
  const name = `e2e-${uniqueSuffix()}`;
  const accounts = adminIn(workspace).at('/api/v1/namespaces/default/serviceaccounts');
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
  const created = await eventually(`service account ${name}`, async () => (await accounts.post('', account)).expect(201));
  const cluster = created.json<KubeObject>().metadata?.annotations?.['kcp.io/cluster'] ?? '';
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3_600 } };
  const token = await eventually(`token of ${name}`, async () =>
    (await accounts.post(`/${name}/token`, request)).expect(201).json<{ status: { token: string } }>(),
  );
  return {
    name,
    globalName: `system:kcp:serviceaccount:${cluster}:default:${name}`,
    credentials: { name, token: token.status.token },
    async delete() {
      (await accounts.delete(`/${name}`)).expect(200);
    },
  };
}
