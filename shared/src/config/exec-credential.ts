import { execFile } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';

/** What an exec plugin (`client.authentication.k8s.io`) answered. */
export interface ExecCredential {
  readonly token?: string;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Milliseconds since 1970; absent: good until the kubeconfig changes. */
  readonly expires?: number;
}

const PLUGIN_TIMEOUT_MS = 60_000;
const run = promisify(execFile);

/**
 * Runs the plugin that a kubeconfig's user names, each time anew: who keeps the answer knows when it expires.
 *
 * Not client-node's `ExecAuth`: that one passes no `KUBERNETES_EXEC_INFO`, which plugins of `v1` read, waits for ever, and keeps the
 * expiry to itself.
 */
export async function execCredential(user: string, exec: unknown, kubeconfig: string): Promise<ExecCredential> {
  const { command, args = [], env = [], apiVersion } = (exec ?? {}) as Partial<ExecConfig>;
  if (typeof command !== 'string' || command === '') throw new Error(`user "${user}": exec has no command`);
  // A command with a slash is relative to the kubeconfig; a name is looked for in PATH.
  const program = command.includes('/') ? resolve(dirname(kubeconfig), command) : command;
  const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  const variables = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  try {
    const { stdout } = await run(program, args, {
      env: { ...process.env, ...variables, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      timeout: PLUGIN_TIMEOUT_MS,
    });
    return credentialOf(JSON.parse(stdout));
  } catch (cause) {
    throw new Error(`the exec plugin "${command}" of user "${user}" failed (${reasonOf(cause)})`, { cause });
  }
}

interface ExecConfig {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

interface Answer {
  readonly kind?: string;
  readonly status?: {
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
    readonly expirationTimestamp?: string;
  };
}

function credentialOf({ kind, status }: Answer): ExecCredential {
  if (kind !== 'ExecCredential' || !status) throw new Error('it printed no ExecCredential with a status');
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = status;
  if (!token && !clientCertificateData) throw new Error('it gave neither a token nor a certificate');
  const expires = Date.parse(expirationTimestamp ?? '');
  return {
    ...(token && { token }),
    ...(clientCertificateData && { cert: Buffer.from(clientCertificateData) }),
    ...(clientKeyData && { key: Buffer.from(clientKeyData) }),
    ...(!Number.isNaN(expires) && { expires }),
  };
}

/** Never the plugin's output, which may hold the credential, nor the command line that Node's message repeats. */
function reasonOf(cause: unknown): string {
  const { name, killed, code, message } = (cause ?? {}) as Readonly<Record<string, unknown>>;
  if (name === 'SyntaxError') return 'it printed no JSON';
  if (killed === true) return `no answer within ${PLUGIN_TIMEOUT_MS} ms`;
  if (code !== undefined) return typeof code === 'number' ? `exit code ${code}` : String(code);
  return String(message);
}
