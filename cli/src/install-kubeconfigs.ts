import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterAccess } from '@kcp-vw/shared/config/kubeconfig.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { printYaml } from '@kcp-vw/shared/kube/yaml-print.ts';
import type { ServiceAccountReference } from '@kcp-vw/shared/registration/virtual-workspace.ts';
import { applyObject, type Outcome, read, titleOf, type Workspace, waitFor } from './install-apply.ts';

const fileOf = ({ name }: ServiceAccountReference): string => `${name}.kubeconfig`;

/** Files are called by the names of accounts. Throws when two of these would have one file. */
export function refuseNamesakes(accounts: readonly ServiceAccountReference[]): void {
  const names = accounts.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new Error(`--write-kubeconfigs: two service accounts are called ${twice}; write theirs one by one`);
}

/**
 * Writes a kubeconfig for each account, readable by this user only. Its token is that of a Secret, and good until that Secret is
 * deleted: what runs outside of Kubernetes has nobody who would renew it.
 */
export async function writeKubeconfigs(
  workspace: Workspace,
  access: ClusterAccess,
  accounts: readonly ServiceAccountReference[],
  folder: string,
  told: (outcome: Outcome | 'written', what: string) => void,
): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const account of accounts) {
    const secret = secretOf(account);
    told(await applyObject(workspace, secret), titleOf(secret));
    const token = await waitFor(workspace, `a token in ${titleOf(secret)}`, async () => tokenIn(await read(workspace, secret)));
    const path = join(folder, fileOf(account));
    // A file that is there already may be readable by others: it is replaced, not written into.
    // So may be the new one, or a link in its place to somewhere else: only a file that is made here receives the token.
    rmSync(`${path}.new`, { force: true });
    writeFileSync(`${path}.new`, kubeconfigOf(access, account, token), { mode: 0o600, flag: 'wx' });
    renameSync(`${path}.new`, path);
    told('written', path);
  }
}

/** Kubernetes puts a token of the account into a Secret of this type. */
const secretOf = ({ namespace, name }: ServiceAccountReference): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: `${name}-token`, namespace, annotations: { 'kubernetes.io/service-account.name': name } },
  type: 'kubernetes.io/service-account-token',
});

function tokenIn(secret: KubeObject | undefined): string | undefined {
  const { token } = (secret?.data ?? {}) as { token?: string };
  return token ? Buffer.from(token, 'base64').toString() : undefined;
}

function kubeconfigOf({ server, ca, servername }: ClusterAccess, { name }: ServiceAccountReference, token: string): string {
  return printYaml({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: 'kcp', user: name } }],
    clusters: [
      {
        name: 'kcp',
        cluster: {
          server: server.href,
          ...(ca && { 'certificate-authority-data': ca.toString('base64') }),
          ...(servername !== undefined && { 'tls-server-name': servername }),
        },
      },
    ],
    users: [{ name, user: { token } }],
  });
}
