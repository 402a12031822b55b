import type { ShardTokens } from './tokens.ts';
import { type WorkFolder, writeIfOther } from './work-folder.ts';

interface Access {
  /** Context → server and user. The first context is the current one. */
  readonly contexts: Readonly<Record<string, { readonly server: string; readonly user: string }>>;
  readonly users: Readonly<Record<string, { readonly token: string } | { readonly pair: string }>>;
}

export interface Places {
  /** The shard's folder within the work folder, with a slash at the end; '' for the root shard's. */
  readonly shardFolder: string;
  readonly shardURL: string;
  readonly frontProxyURL: string;
  /** Where the cache server is: at the root shard. */
  readonly cacheURL: string;
  readonly tokens: ShardTokens;
}

/** Writes the kubeconfigs that lead to one shard, and from it to the front proxy and the cache. */
export function writeKubeconfigs(folder: WorkFolder, { shardFolder, shardURL, frontProxyURL, cacheURL, tokens }: Places): void {
  const write = (name: string, access: Access): void => writeKubeconfig(folder, `${shardFolder}${name}.kubeconfig`, access);
  const admin = { 'kcp-admin': { pair: 'kcp-admin' } };
  const shardAdmin = { 'shard-admin': { token: tokens.masters } };
  const virtualWorkspaces = { 'virtual-workspaces': { pair: `${shardFolder}vw-client` } };
  write('admin', {
    contexts: {
      root: { server: `${frontProxyURL}/clusters/root`, user: 'kcp-admin' },
      base: { server: frontProxyURL, user: 'kcp-admin' },
      'system:admin': { server: `${shardURL}/clusters/system:admin`, user: 'shard-admin' },
      'shard-base': { server: shardURL, user: 'shard-admin' },
    },
    users: { ...admin, ...shardAdmin },
  });
  // TokenReviews of the virtual workspaces go to the shard, which alone knows the tokens.
  write('authentication', {
    contexts: { root: { server: `${shardURL}/clusters/root`, user: 'kcp-admin' } },
    users: { 'kcp-admin': { token: tokens.admin }, ...shardAdmin },
  });
  write('virtual-workspaces', {
    contexts: { shard: { server: shardURL, user: 'virtual-workspaces' } },
    users: virtualWorkspaces,
  });
  write('cache', { contexts: { cache: { server: cacheURL, user: 'virtual-workspaces' } }, users: virtualWorkspaces });
  write('external-admin', { contexts: { base: { server: frontProxyURL, user: 'kcp-admin' } }, users: admin });
}

/** A kubeconfig with everything in it, so that it can be carried away. JSON is YAML. */
function writeKubeconfig(folder: WorkFolder, name: string, { contexts, users }: Access): void {
  const base64 = (text = ''): string => Buffer.from(text).toString('base64');
  const authority = base64(folder.pairs['serving-ca']?.certPem);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': Object.keys(contexts)[0] ?? '',
    clusters: Object.entries(contexts).map(([context, { server }]) => ({
      name: context,
      cluster: { server, 'certificate-authority-data': authority },
    })),
    contexts: Object.entries(contexts).map(([context, { user }]) => ({ name: context, context: { cluster: context, user } })),
    users: Object.entries(users).map(([user, credentials]) => ({
      name: user,
      user:
        'token' in credentials
          ? { token: credentials.token }
          : {
              'client-certificate-data': base64(folder.pairs[credentials.pair]?.certPem),
              'client-key-data': base64(folder.pairs[credentials.pair]?.keyPem),
            },
    })),
  };
  writeIfOther(folder.file(name), `${JSON.stringify(config, undefined, 2)}\n`);
}
