import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { UsageError } from './flags-values.ts';
import type { Options } from './options.ts';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Looks at every file that `options` name, before anything is started: a wrong path is then one sentence instead of a service that
 * keeps failing. Throws a UsageError with the flag and the file. What kubeconfigs say is judged by those who use them.
 */
export function validateFiles(options: Options): void {
  const kubeconfigs: readonly (readonly [string, string | undefined])[] = [
    ['kubeconfig', options.kubeconfig],
    ['authentication-kubeconfig', options.authenticationKubeconfig],
    ['external-logical-cluster-admin-kubeconfig', options.externalLogicalClusterAdminKubeconfig],
    ['cache-kubeconfig', options.cacheKubeconfig],
    ['registration-kubeconfig', options.registration.kubeconfig],
    ['shards-kubeconfig', options.publicFace.serviceAccounts?.shardsKubeconfig],
    ...Object.values(options.furtherShards).map(file => ['shard-kubeconfigs', file] as const),
  ];
  for (const [flag, path] of kubeconfigs) {
    if (path && read(flag, path).trim() === '') throw new UsageError(`--${flag}: ${path} is empty`);
  }
  if (options.clientCAFile) readCertificates('client-ca-file', options.clientCAFile);
  if (options.requestHeader.clientCAFile) {
    readCertificates('requestheader-client-ca-file', options.requestHeader.clientCAFile);
  }
  checkPair('tls-cert-file', options.tls.certFile, 'tls-private-key-file', options.tls.keyFile);

  const { addressesFile, serviceAccess } = options;
  if (addressesFile) read('addresses', addressesFile);
  if (serviceAccess.caFile) readCertificates('services-ca-file', serviceAccess.caFile);
  const { oidc, serviceAccounts, tokenFile } = options.publicFace;
  if (oidc?.caFile) readCertificates('oidc-ca-file', oidc.caFile);
  for (const file of serviceAccounts?.keyFiles ?? []) read('service-account-key-file', file);
  if (tokenFile) read('token-auth-file', tokenFile);
  if (serviceAccess.certFile && serviceAccess.keyFile) {
    checkPair('proxy-client-cert-file', serviceAccess.certFile, 'proxy-client-key-file', serviceAccess.keyFile);
  }
}

/**
 * A service by itself believes whoever shows a certificate of `--requestheader-client-ca-file` with an allowed name. If that authority
 * issues certificates to users as well, a user may ask for one with just that name. Throws a UsageError.
 */
export function refuseSharedAuthority({ clientCAFile, requestHeader }: Options): void {
  if (!clientCAFile || !requestHeader.clientCAFile) return;
  const keys = (flag: string, path: string): string[] =>
    // By key: the same authority may have more than one certificate.
    readCertificates(flag, path).map(({ publicKey }) => publicKey.export({ type: 'spki', format: 'der' }).toString('base64'));
  const users = keys('client-ca-file', clientCAFile);
  if (!keys('requestheader-client-ca-file', requestHeader.clientCAFile).some(key => users.includes(key))) return;
  throw new UsageError(
    `--requestheader-client-ca-file: ${requestHeader.clientCAFile} has an authority of --client-ca-file, which issues certificates ` +
      'to users: give the front proxy a certificate of an authority of its own',
  );
}

function checkPair(certFlag: string, certFile: string, keyFlag: string, keyFile: string): void {
  const [certificate] = readCertificates(certFlag, certFile);
  const key = readKey(keyFlag, keyFile);
  if (!certificate?.checkPrivateKey(key)) {
    throw new UsageError(`--${keyFlag}: ${keyFile} is not the key of the certificate in ${certFile}`);
  }
}

/** Words for what commonly goes wrong; other codes speak for themselves. */
const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a directory',
};

function read(flag: string, path: string): string {
  try {
    // Opening a FIFO would wait for its writer.
    if (!statSync(path).isFile()) throw new UsageError(`--${flag}: ${path} is not a file`);
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new UsageError(`--${flag}: ${path} ${FILE_PROBLEMS[code] ?? `cannot be read (${code})`}`, { cause });
  }
}

function readCertificates(flag: string, path: string): X509Certificate[] {
  const blocks = read(flag, path).match(PEM_CERTIFICATE);
  if (!blocks) throw new UsageError(`--${flag}: ${path} holds no PEM certificate`);
  return blocks.map(block => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new UsageError(`--${flag}: ${path} holds a certificate that cannot be decoded`, { cause });
    }
  });
}

function readKey(flag: string, path: string): KeyObject {
  const pem = read(flag, path);
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new UsageError(`--${flag}: ${path} holds no PEM private key without a passphrase`, { cause });
  }
}
