import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TokenUser } from './kcp/authentication.ts';
import { DevShard } from './kcp/dev-shard.ts';
import { createWorkFolder, type WorkFolder, writeKubeconfig } from './work-folder.ts';

export interface StartOptions {
  /** Gets certificates and kubeconfigs; made if it is not there. */
  readonly folder: string;
  readonly host: string;
  readonly shardPort: number;
  readonly frontProxyPort: number;
  /** The base URL of the virtual workspaces that serve this shard. */
  readonly virtualWorkspaceURL: URL;
  readonly onError: (error: unknown, what: string) => void;
}

export interface StartedShard {
  readonly shard: DevShard;
  readonly folder: WorkFolder;
  readonly shardURL: string;
  readonly frontProxyURL: string;
  /** A bearer token of masters at the shard. */
  readonly mastersToken: string;
}

/** Users without rights, as kcp's test servers have them. */
export const USERS: readonly TokenUser[] = [1, 2, 3, 4, 5].map(number => ({
  token: `user-${number}-token`,
  name: `user-${number}`,
  uid: `${number}${number}${number}${number}`.concat(`-${number}${number}${number}${number}`.repeat(3)),
  groups: [`team-${number}`],
}));

/** Makes the certificates, starts shard and front proxy, and writes the kubeconfigs that lead to them. */
export async function startShard(options: StartOptions): Promise<StartedShard> {
  const { host, shardPort, frontProxyPort, virtualWorkspaceURL, onError } = options;
  const folder = createWorkFolder(options.folder);
  const token = (): string => randomBytes(24).toString('base64url');
  const mastersToken = token();
  const adminToken = token();
  const shard = await DevShard.start({
    host,
    shardPort,
    frontProxyPort,
    virtualWorkspaceURL,
    onError,
    files: {
      servingCertificate: folder.file('shard.crt'),
      servingKey: folder.file('shard.key'),
      clientAuthority: folder.file('client-ca.crt'),
      requestHeaderAuthority: folder.file('requestheader-ca.crt'),
    },
    tls: {
      ca: readFileSync(folder.file('serving-ca.crt'), 'utf8'),
      cert: readFileSync(folder.file('shard-client.crt'), 'utf8'),
      key: readFileSync(folder.file('shard-client.key'), 'utf8'),
    },
    tokens: [
      ...USERS,
      { token: 'admin-token', name: 'admin', uid: '5555-5555-5555-5555', groups: ['system:masters'] },
      { token: mastersToken, name: 'shard-admin', uid: 'shard-admin', groups: ['system:masters'] },
      { token: adminToken, name: 'kcp-admin', uid: 'kcp-admin', groups: ['system:kcp:admin'] },
    ],
  });
  const shardURL = `https://${host}:${shardPort}`;
  const frontProxyURL = `https://${host}:${frontProxyPort}`;
  writeKubeconfigs(folder, { shardURL, frontProxyURL, mastersToken, adminToken });
  return { shard, folder, shardURL, frontProxyURL, mastersToken };
}

function writeKubeconfigs(
  folder: WorkFolder,
  {
    shardURL,
    frontProxyURL,
    mastersToken,
    adminToken,
  }: Record<'shardURL' | 'frontProxyURL' | 'mastersToken' | 'adminToken', string>,
): void {
  const users = { 'kcp-admin': { token: adminToken }, 'shard-admin': { token: mastersToken } };
  writeKubeconfig(folder, 'admin.kubeconfig', {
    contexts: {
      root: { server: `${frontProxyURL}/clusters/root`, user: 'kcp-admin' },
      base: { server: frontProxyURL, user: 'kcp-admin' },
      'system:admin': { server: `${shardURL}/clusters/system:admin`, user: 'shard-admin' },
      'shard-base': { server: shardURL, user: 'shard-admin' },
    },
    users: { ...users, 'kcp-admin': { pair: 'kcp-admin' } },
  });
  // TokenReviews of the virtual workspaces go to the shard, which alone knows the tokens.
  writeKubeconfig(folder, 'authentication.kubeconfig', {
    contexts: { root: { server: `${shardURL}/clusters/root`, user: 'kcp-admin' } },
    users,
  });
  writeKubeconfig(folder, 'virtual-workspaces.kubeconfig', {
    contexts: { shard: { server: shardURL, user: 'virtual-workspaces' } },
    users: { 'virtual-workspaces': { pair: 'vw-client' } },
  });
  writeKubeconfig(folder, 'external-admin.kubeconfig', {
    contexts: { base: { server: frontProxyURL, user: 'kcp-admin' } },
    users: { 'kcp-admin': { pair: 'kcp-admin' } },
  });
}
