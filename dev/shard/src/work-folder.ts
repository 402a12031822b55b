import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import { authorityOf, createAuthority, type KeyPair, type LeafRequest } from '@kcp-vw/pki/pki.ts';

/** Where the certificates are that shards and those around them are started with. Paths without `.crt` and `.key`. */
export interface WorkFolder {
  readonly path: string;
  /** The path of a file by its name. */
  readonly file: (name: string) => string;
  /** PEM, by the name of the file: `client-ca`, `kcp-admin`, `shard-1/vw-client`. */
  readonly pairs: Readonly<Record<string, KeyPair>>;
}

export interface WorkFolderOptions {
  readonly path: string;
  /** DNS names and addresses that the serving certificates are for, besides the machine itself. */
  readonly hosts: readonly string[];
  /** The folders of the shards within this one, with a slash at the end; the root shard's is the folder itself: ''. */
  readonly shards: readonly string[];
}

const AUTHORITIES = ['serving-ca', 'client-ca', 'requestheader-ca'] as const;
type Authority = (typeof AUTHORITIES)[number];

interface Wanted extends LeafRequest {
  readonly authority: Authority;
}

/**
 * Opens the PKI of shards, a front proxy and virtual workspaces in a folder, which only its owner may read. What is there and still good
 * is kept, so that whoever has been given a certificate can go on with it; the rest is made.
 */
export function openWorkFolder({ path, hosts, shards }: WorkFolderOptions): WorkFolder {
  for (const shard of shards) mkdirSync(join(path, shard), { recursive: true, mode: 0o700 });
  const file = (name: string): string => join(path, name);
  const pairs: Record<string, KeyPair> = {};
  for (const name of AUTHORITIES)
    pairs[name] = keptAuthority(file(name)) ?? write(file(name), createAuthority({ commonName: name }));
  for (const [name, request] of Object.entries(leavesOf(hosts, shards))) {
    const issuer = authorityOf(pairs[request.authority] as KeyPair);
    pairs[name] = keptLeaf(file(name), issuer, request) ?? write(file(name), issue(issuer, request));
  }
  return { path, file, pairs };
}

/** Name of the file → what its certificate says. */
function leavesOf(hosts: readonly string[], shards: readonly string[]): Readonly<Record<string, Wanted>> {
  const sans = [...new Set(['localhost', '127.0.0.1', ...hosts])].map(host => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`);
  const serving = { authority: 'serving-ca', commonName: '127.0.0.1', sans, usage: 'server' } as const;
  const client = (commonName: string, group: string): Wanted => ({
    ...{ authority: 'client-ca', commonName, organizations: [group], usage: 'client' },
  });
  return {
    shard: serving,
    'virtual-workspaces': serving,
    'kcp-admin': client('kcp-admin', 'system:kcp:admin'),
    'front-proxy': { authority: 'requestheader-ca', commonName: 'kcp-front-proxy', usage: 'client' },
    ...Object.fromEntries(
      shards.flatMap((folder, i) => [
        [`${folder}shard-client`, client(`kcp-shard-${i}`, 'system:masters')],
        [`${folder}vw-client`, client(`kcp-vw-${i}`, 'system:masters')],
      ]),
    ),
  };
}

function issue(issuer: ReturnType<typeof authorityOf>, request: Wanted): KeyPair {
  const pair = issuer.issue(request);
  // The chain: kubeconfigs that name a serving certificate as their authority work, too.
  return request.usage === 'server' ? { ...pair, certPem: pair.certPem + issuer.certPem } : pair;
}

function write(stem: string, pair: KeyPair): KeyPair {
  mkdirSync(dirname(stem), { recursive: true, mode: 0o700 });
  writeFileSync(`${stem}.crt`, pair.certPem);
  writeFileSync(`${stem}.key`, pair.keyPem, { mode: 0o600 });
  return pair;
}

function keptAuthority(stem: string): KeyPair | undefined {
  const pair = read(stem);
  return pair && isValidNow(new X509Certificate(pair.certPem)) ? pair : undefined;
}

/** Kept while its authority has signed it, it is valid, and it names all hosts: those may be others than at the last start. */
function keptLeaf(stem: string, issuer: KeyPair, { sans = [] }: LeafRequest): KeyPair | undefined {
  const pair = read(stem);
  if (pair === undefined) return undefined;
  const certificate = new X509Certificate(pair.certPem);
  const isSigned = certificate.verify(new X509Certificate(issuer.certPem).publicKey);
  return isSigned && isValidNow(certificate) && sans.every(san => names(certificate, san)) ? pair : undefined;
}

const isValidNow = ({ validFromDate, validToDate }: X509Certificate): boolean =>
  validFromDate.getTime() <= Date.now() && Date.now() < validToDate.getTime();

function names(certificate: X509Certificate, san: string): boolean {
  const [type, host = ''] = [san.slice(0, san.indexOf(':')), san.slice(san.indexOf(':') + 1)];
  return (type === 'IP' ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined;
}

/** What an earlier start has written; undefined where it has not. */
function read(stem: string): KeyPair | undefined {
  const certPem = readIfThere(`${stem}.crt`);
  const keyPem = readIfThere(`${stem}.key`);
  return certPem === undefined || keyPem === undefined ? undefined : { certPem, keyPem };
}

/** The content of a file; undefined when there is none. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Leaves a file alone that says the same already: the folder may have been handed on to be read only. */
export function writeIfOther(file: string, content: string): void {
  if (readIfThere(file) !== content) writeFileSync(file, content, { mode: 0o600 });
}
