import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
// Deep imports: the package's index, and its KubeConfig alike, load every API type, 85 MB and a third of a second per process.
import { type Cluster, newClusters, newContexts, newUsers, type User } from '@kubernetes/client-node/dist/config_types.js';
import { load } from 'js-yaml';
import { type ExecCredential, execCredential } from './exec-credential.ts';

export interface LoadKubeconfigOptions {
  /** Empty or absent: the file's current context. */
  readonly context?: string;
}

/** How a server is reached and with which credentials, as the files said when it was loaded. */
export interface ClusterAccess {
  readonly file: string;
  /** As asked for: empty for the file's current one. */
  readonly context: string;
  /** May have a path, which belongs to the server: `https://host:6443/clusters/root`. */
  readonly server: URL;
  readonly servername?: string;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly token?: string;
  /** Every file this was read from, the kubeconfig first. */
  readonly files: readonly string[];
  /** When credentials of an exec plugin end, milliseconds since 1970. */
  readonly expires?: number;
}

/** Reads one context of a kubeconfig. Rejects with one sentence that names the file and what is wrong with it. */
export async function loadKubeconfig(file: string, { context = '' }: LoadKubeconfigOptions = {}): Promise<ClusterAccess> {
  try {
    const source = new Source(file);
    const parsed = parse(await source.read(file), context);
    return await accessOf(parsed, source, context);
  } catch (error) {
    throw new Error(`kubeconfig ${file}: ${messageOf(error)}`, { cause: error });
  }
}

function parseYaml(text: string): unknown {
  try {
    return load(text);
  } catch (error) {
    // Without the excerpt in its message, which would show credentials; and so without the error itself as a cause.
    const { reason, mark } = error as { reason?: string; mark?: { line?: number } };
    throw new Error(`is not YAML (${reason} in line ${(mark?.line ?? 0) + 1})`);
  }
}

interface Parsed {
  readonly cluster: Cluster;
  readonly user: User | undefined;
  readonly tokenFile: string | undefined;
}

/** Collects what is read on the way. Relative paths are relative to the kubeconfig, as everywhere in Kubernetes. */
class Source {
  readonly #file: string;
  readonly files: string[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  async read(path: string): Promise<Buffer> {
    const absolute = path === this.#file ? resolve(path) : resolve(dirname(this.#file), path);
    if (!this.files.includes(absolute)) this.files.push(absolute);
    try {
      return await readFile(absolute);
    } catch (error) {
      const { code = error } = (error ?? {}) as { code?: unknown };
      throw new Error(path === this.#file ? `cannot be read (${code})` : `${absolute} cannot be read (${code})`, {
        cause: error,
      });
    }
  }
}

function parse(content: Buffer, wanted: string): Parsed {
  const config = parseYaml(content.toString());
  if (!isRecord(config)) throw new Error('is not a YAML object');
  const { clusters, contexts, users } = config;
  const name = wanted || config['current-context'];
  if (typeof name !== 'string' || name === '') throw new Error('has no current-context, and no context was asked for');
  const context = newContexts(contexts).find(candidate => candidate.name === name);
  if (!context) throw new Error(`has no context "${name}"`);
  const cluster = newClusters(clusters).find(candidate => candidate.name === context.cluster);
  if (!cluster) throw new Error(`context "${name}" names cluster "${context.cluster}", which does not exist`);
  // client-node knows the key `token-file`; Kubernetes' is `tokenFile`.
  const fields = fieldsOfUser(users, context.user);
  if (context.user && !fields) throw new Error(`context "${name}" names user "${context.user}", which does not exist`);
  const user = newUsers(Array.isArray(users) ? users : []).find(candidate => candidate.name === context.user);
  const tokenFile = typeof fields?.tokenFile === 'string' ? fields.tokenFile : undefined;
  return { cluster, user, tokenFile };
}

async function accessOf({ cluster, user, tokenFile }: Parsed, source: Source, context: string): Promise<ClusterAccess> {
  const server = serverOf(cluster);
  refuseUnsupported(cluster, user);
  const bytes = async (path: string | undefined, base64: string | undefined): Promise<Buffer | undefined> =>
    // As client-go: data wins over a file.
    base64 ? Buffer.from(base64, 'base64') : path ? source.read(path) : undefined;

  const ca = await bytes(cluster.caFile, cluster.caData);
  const exec = user?.exec ? await execCredential(user.name, user.exec, source.files[0] ?? '') : undefined;
  const cert = exec?.cert ?? (await bytes(user?.certFile, user?.certData));
  const key = exec?.key ?? (await bytes(user?.keyFile, user?.keyData));
  checkPem(ca, cert, key);
  // As client-go: a token file wins over a token, since it is the one that is renewed.
  const token = exec?.token ?? (tokenFile ? (await source.read(tokenFile)).toString().trim() : user?.token);

  return Object.freeze({
    file: source.files[0] ?? '',
    context,
    server,
    files: source.files,
    ...(cluster.tlsServerName && { servername: cluster.tlsServerName }),
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(token && { token }),
    ...expiryOf(exec),
  });
}

const expiryOf = (exec: ExecCredential | undefined): { expires?: number } =>
  exec?.expires === undefined ? {} : { expires: exec.expires };

function serverOf({ name, server }: Cluster): URL {
  const url = URL.parse(server);
  if (!url) throw new Error(`cluster "${name}": server "${server}" is not a URL`);
  if (url.username || url.password || url.search || url.hash) {
    throw new Error(`cluster "${name}": the server URL may have a host and a path, nothing else`);
  }
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw new Error(`cluster "${name}": server ${server} must be https, for credentials would travel in the clear`);
  }
  return url;
}

/** Each of these would be ignored silently otherwise, and somebody relies on it. */
function refuseUnsupported(cluster: Cluster, user: User | undefined): void {
  if (cluster.skipTLSVerify) {
    throw new Error(
      `cluster "${cluster.name}" sets insecure-skip-tls-verify, which is refused: give certificate-authority instead`,
    );
  }
  if (cluster.proxyUrl) throw new Error(`cluster "${cluster.name}" sets proxy-url, which is not supported`);
  if (!user) return;
  if (user.authProvider) throw new Error(`user "${user.name}" sets auth-provider, which is not supported: use exec or tokenFile`);
  if (user.username || user.password) throw new Error(`user "${user.name}" sets a password, which is not supported`);
  if (user.impersonateUser) throw new Error(`user "${user.name}" impersonates "${user.impersonateUser}", which is not supported`);
}

/** Node ignores a CA bundle it cannot parse, and every connection fails later without saying why. */
function checkPem(ca: Buffer | undefined, cert: Buffer | undefined, key: Buffer | undefined): void {
  const check = (what: string, attempt: () => unknown): void => {
    try {
      attempt();
    } catch (cause) {
      throw new Error(`${what} cannot be used (${messageOf(cause)})`, { cause });
    }
  };
  if (ca) check('certificate-authority', () => new X509Certificate(ca));
  if (Boolean(cert) !== Boolean(key))
    throw new Error(`has a client ${cert ? 'certificate without a key' : 'key without a certificate'}`);
  if (cert && key) check('client-certificate with client-key', () => createSecureContext({ cert, key }));
}

function fieldsOfUser(users: unknown, name: string | undefined): Record<string, unknown> | undefined {
  if (!Array.isArray(users) || !name) return undefined;
  const entry = users.find(candidate => isRecord(candidate) && candidate.name === name);
  if (!isRecord(entry)) return undefined;
  return isRecord(entry.user) ? entry.user : {};
}

const messageOf = (error: unknown): string =>
  isRecord(error) && typeof error.message === 'string' ? error.message : String(error);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
