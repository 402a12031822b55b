import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, type KeyPair } from '@kcp-vw/pki/pki.ts';

/** Where the certificates are that a shard and those around it are started with. Paths without `.crt` and `.key`. */
export interface WorkFolder {
  readonly path: string;
  /** The path of a file by its name. */
  readonly file: (name: string) => string;
  /** PEM, by the names of `PAIRS` and `AUTHORITIES`. */
  readonly pairs: Readonly<Record<string, KeyPair>>;
}

const SANS = ['DNS:localhost', 'IP:127.0.0.1'];

/** Client certificates: name of the file → user and groups. */
const CLIENTS: Readonly<Record<string, { readonly commonName: string; readonly organizations?: readonly string[] }>> = {
  'kcp-admin': { commonName: 'kcp-admin', organizations: ['system:kcp:admin'] },
  'shard-client': { commonName: 'kcp-shard-0', organizations: ['system:masters'] },
  'vw-client': { commonName: 'kcp-vw-0', organizations: ['system:masters'] },
};

/** Makes the PKI of a shard, a front proxy and virtual workspaces in a folder, which only its owner may read. */
export function createWorkFolder(path: string): WorkFolder {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const authorities = Object.fromEntries(
    ['serving-ca', 'client-ca', 'requestheader-ca'].map(name => [name, createAuthority({ commonName: name })]),
  );
  const issue = (authority: string, request: Parameters<ReturnType<typeof createAuthority>['issue']>[0]): KeyPair => {
    const issuer = authorities[authority];
    if (issuer === undefined) throw new Error(`there is no authority ${authority}`);
    const pair = issuer.issue(request);
    // The chain: kubeconfigs that name a serving certificate as their authority work, too.
    return request.usage === 'server' ? { ...pair, certPem: pair.certPem + issuer.certPem } : pair;
  };
  const pairs: Record<string, KeyPair> = { ...authorities };
  for (const name of ['shard', 'virtual-workspaces']) {
    pairs[name] = issue('serving-ca', { commonName: '127.0.0.1', sans: SANS, usage: 'server' });
  }
  for (const [name, subject] of Object.entries(CLIENTS)) pairs[name] = issue('client-ca', { ...subject, usage: 'client' });
  pairs['front-proxy'] = issue('requestheader-ca', { commonName: 'kcp-front-proxy', usage: 'client' });

  const file = (name: string): string => join(path, name);
  for (const [name, { certPem, keyPem }] of Object.entries(pairs)) {
    writeFileSync(file(`${name}.crt`), certPem);
    writeFileSync(file(`${name}.key`), keyPem, { mode: 0o600 });
  }
  return { path, file, pairs };
}

export interface Access {
  /** Context → server and user. The first context is the current one. */
  readonly contexts: Readonly<Record<string, { readonly server: string; readonly user: string }>>;
  readonly users: Readonly<Record<string, { readonly token: string } | { readonly pair: string }>>;
}

/** Writes a kubeconfig with everything in it, so that it can be carried away. JSON is YAML. */
export function writeKubeconfig(folder: WorkFolder, name: string, { contexts, users }: Access): string {
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
  const file = folder.file(name);
  writeFileSync(file, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  return file;
}
