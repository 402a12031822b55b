/**
 * Certificates for tests and for development, made with the machine's `openssl`. Never for production: keys are handed around as
 * strings and live in memory only as long as the process does.
 */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface Subject {
  readonly commonName: string;
  /** Kubernetes reads them as groups, in this order. */
  readonly organizations?: readonly string[];
}

export interface Validity {
  /** Days from now until the certificate ends; 365 if absent. */
  readonly days?: number;
  /** A certificate that was valid once: it ended yesterday. */
  readonly expired?: boolean;
}

export interface LeafRequest extends Subject, Validity {
  /** Subject alternative names: `DNS:localhost`, `IP:127.0.0.1`. */
  readonly sans?: readonly string[];
  readonly usage: 'server' | 'client';
}

export interface AuthorityRequest extends Subject, Validity {
  /** How many certificate authorities may follow below; absent: any number. */
  readonly pathLength?: number;
  /** Further extension lines in openssl's syntax, for certificates that must be refused. */
  readonly extensions?: readonly string[];
}

export interface Authority extends KeyPair {
  issue(request: LeafRequest): KeyPair;
  /** An intermediate authority below this one. */
  issueAuthority(request: AuthorityRequest): Authority;
}

/** A self-signed authority. */
export const createAuthority = (request: AuthorityRequest): Authority =>
  authorityOf(certify(request, authorityExtensions(request)));

/**
 * An authority that signs with any certificate and key, a leaf's too: tests show with it that a certificate which is not an authority
 * cannot make others.
 */
export function authorityOf(issuer: KeyPair): Authority {
  return {
    certPem: issuer.certPem,
    keyPem: issuer.keyPem,
    issue: request => certify(request, leafExtensions(request), issuer),
    issueAuthority: request => authorityOf(certify(request, authorityExtensions(request), issuer)),
  };
}

const authorityExtensions = ({ pathLength, extensions = [] }: AuthorityRequest): string[] => [
  `basicConstraints=critical,CA:TRUE${pathLength === undefined ? '' : `,pathlen:${pathLength}`}`,
  'keyUsage=critical,keyCertSign,cRLSign,digitalSignature',
  ...extensions,
];

const leafExtensions = ({ usage, sans = [] }: LeafRequest): string[] => [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
  `extendedKeyUsage=${usage}Auth`,
  ...(sans.length > 0 ? [`subjectAltName=${sans.join(',')}`] : []),
];

/** The steps of `openssl req` and `openssl x509`; without an issuer the certificate signs itself. */
function certify(request: Subject & Validity, extensions: readonly string[], issuer?: KeyPair): KeyPair {
  // P-256: an RSA key takes a hundred times as long to make, and test suites make many.
  const keyPem = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;

  return inTemporaryFolder(folder => {
    const file = (name: string, content: string): string => {
      const path = join(folder, name);
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    };
    // An own configuration: the machine's may add extensions of its own.
    const config = file('openssl.cnf', '[req]\ndistinguished_name=dn\nprompt=no\n[dn]\n');
    const key = file('key.pem', keyPem);
    const subject = subjectArgument(request);
    const csr = file('csr.pem', openssl(['req', '-new', '-config', config, '-utf8', '-key', key, '-subj', subject]));
    const signer = issuer
      ? ['-CA', file('ca.pem', issuer.certPem), '-CAkey', file('ca-key.pem', issuer.keyPem)]
      : ['-signkey', key];
    const certPem = openssl([
      ...['x509', '-req', '-sha256', '-in', csr, ...signer],
      ...['-set_serial', `0x01${randomBytes(15).toString('hex')}`],
      // A negative number of days ends a certificate before it begins, which is invalid now in either reading.
      ...['-days', String(request.expired ? -1 : (request.days ?? 365))],
      ...['-extfile', file('extensions.cnf', `${extensions.join('\n')}\n`)],
    ]);
    return { certPem, keyPem };
  });
}

/** The form of `-subj`: `/O=one/O=two/CN=name`. A slash or plus within a value would begin another attribute. */
function subjectArgument({ commonName, organizations = [] }: Subject): string {
  const attributes: [string, string][] = [...organizations.map((name): [string, string] => ['O', name]), ['CN', commonName]];
  return attributes.map(([type, value]) => `/${type}=${value.replace(/[\\/+]/g, '\\$&')}`).join('');
}

function openssl(args: readonly string[]): string {
  try {
    return execFileSync('openssl', args, { encoding: 'utf8', env: process.env, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: unknown };
    if (code === 'ENOENT') {
      throw new Error('certificates are made with the command `openssl`, which is not on the PATH: install it', { cause: error });
    }
    throw new Error(`openssl ${args[0]} failed: ${stderr ? String(stderr).trim() : String(error)}`, { cause: error });
  }
}

function inTemporaryFolder<Result>(use: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), `pki-${process.pid}-`));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
