import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { type Authority, createAuthority } from '@kcp-vw/pki/pki.ts';
import type { KeyPair } from '../support/certificates.ts';
import { Client, type Credentials } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from './ports.ts';

/** A registry is looked at more often than it would be in earnest, so that a test need not wait. */
const LEASE_SECONDS = 6;
/** For a process to end, milliseconds. */
const PATIENCE = 8_000;
/** For the front proxy to have seen a change in the registry, milliseconds. */
const HEARD = 1_500;

/** How an instance is started: its name stays, its port is another one each time. */
export interface Instance {
  readonly name: string;
  readonly port: number;
  readonly process: ChildProcess;
}

export interface RegisteredFleetOptions {
  /** `apiexport-vw`. */
  readonly service: string;
  /** How virtual workspaces of the shard are started that need no registration: executable and parameters. */
  readonly command: readonly string[];
  /** kcp's front proxy, with the workspace `root` behind it. */
  readonly frontProxyURL: string;
  /** PEM, of all servers. */
  readonly servingAuthority: string;
  /** kcp-admin. */
  readonly admin: KeyPair;
  /** Further parameters of all processes. */
  readonly parameters?: readonly string[];
  /** Default: that of this process. */
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * A front proxy and instances of a service, each a process by itself, joined by what is registered in `root`: nobody is told an address
 * but by an object's status. They serve one shard.
 */
export class RegisteredFleet {
  readonly #folder = mkdtempSync(join(tmpdir(), 'kcp-vw-e2e-registration-'));
  readonly #options: RegisteredFleetOptions;
  readonly #processes = new Set<ChildProcess>();
  #ports: readonly number[] = [];
  #nextPort = 0;
  /** Certifies the services and the front proxy, and nobody else. */
  #authority: Authority = createAuthority({ commonName: 'fleet' });

  constructor(options: RegisteredFleetOptions) {
    this.#options = options;
  }

  /** The public port. */
  get port(): number {
    return this.#ports[0] ?? 0;
  }

  /** What the services show, as PEM. */
  get servingPair(): { readonly cert: string; readonly key: string } {
    return { cert: readFileSync(this.#path('service.crt'), 'utf8'), key: readFileSync(this.#path('service.key'), 'utf8') };
  }

  /** The public address. */
  at(credentials: Credentials): Client {
    return new Client(`https://127.0.0.1:${this.port}`, this.#options.servingAuthority, credentials);
  }

  async start(): Promise<void> {
    this.#ports = await freePorts(40);
    this.#nextPort = 2;
    this.#writeCertificates(this.#authority);
    write(this.#path('front-proxy-ca.crt'), this.#authority.certPem);
    const { certPem, keyPem } = this.#authority.issue({ commonName: 'front-proxy', usage: 'client' });
    write(this.#path('front-proxy.crt'), certPem);
    write(this.#path('front-proxy.key'), keyPem);
    // As an operator has it: kcp-admin, through the front proxy.
    this.writeKubeconfig('admin', `${this.#options.frontProxyURL}/clusters/root`, this.#options.admin);
    await this.install();
  }

  /** Makes the objects of the views, and the credentials of those who serve them. Can be called again. */
  async install(authorities: readonly Authority[] = [this.#authority], views: readonly string[] = []): Promise<void> {
    write(this.#path('fleet-ca.crt'), authorities.map(({ certPem }) => certPem).join(''));
    const installation = this.#run('install', [
      ...views,
      `--kubeconfig=${this.#path('admin.kubeconfig')}`,
      `--ca-file=${this.#path('fleet-ca.crt')}`,
      '--allowed-endpoints=127.0.0.1',
      `--write-kubeconfigs=${this.#path('')}`,
    ]);
    const [code] = (await once(installation, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`kcp-vw install exited with code ${code}`);
  }

  /** Both name what they believe themselves; what the front proxy believes of services stands in the object. */
  async startFrontProxy(...parameters: readonly string[]): Promise<ChildProcess> {
    const started = this.#run('front-proxy', [
      ...this.#given(['client-ca-file', 'authentication-kubeconfig', 'tls-cert-file', 'tls-private-key-file']),
      ...this.#given(['requestheader-client-ca-file']),
      '--bind-address=127.0.0.1',
      `--secure-port=${this.port}`,
      `--registration-kubeconfig=${this.#path('front-proxy.kubeconfig')}`,
      `--proxy-client-cert-file=${this.#path('front-proxy.crt')}`,
      `--proxy-client-key-file=${this.#path('front-proxy.key')}`,
      `--audit-log-path=${this.#path('audit.log')}`,
      '--drain-timeout=2s',
      ...parameters,
      ...(this.#options.parameters ?? []),
    ]);
    await eventually('readiness of the front proxy', async () => (await this.at({ name: 'nobody' }).get('/readyz')).expect(200));
    return started;
  }

  /** Resolves when it runs; whether it is used shows in what the front proxy answers. */
  startInstance(name: string): Instance {
    const port = this.#newPort();
    const given = this.#given(['kubeconfig', 'cache-kubeconfig', 'external-logical-cluster-admin-kubeconfig']);
    const parameters = [this.#options.service, ...given, ...this.#registering(name, port, this.#options.service)];
    return { name, port, process: this.#run('serve', parameters) };
  }

  /** A view of a team's own: installs it, and starts its program, which reads workspaces with nothing but the credentials of its account. */
  async startView(view: string, program: string): Promise<Instance> {
    await this.install([this.#authority], [`--view=${view}`]);
    const port = this.#newPort();
    const parameters = [`--kubeconfig=${this.#path(`${view}.kubeconfig`)}`, ...this.#registering(view, port, view)];
    return { name: view, port, process: this.#start(process.execPath, [program, ...parameters]) };
  }

  #newPort(): number {
    return this.#ports[this.#nextPort++ % this.#ports.length] ?? 0;
  }

  #registering(instance: string, port: number, account: string): string[] {
    return [
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--tls-cert-file=${this.#path('service.crt')}`,
      `--tls-private-key-file=${this.#path('service.key')}`,
      `--requestheader-client-ca-file=${this.#path('front-proxy-ca.crt')}`,
      '--requestheader-allowed-names=front-proxy',
      `--registration-kubeconfig=${this.#path(`${account}.kubeconfig`)}`,
      `--advertised-url=https://127.0.0.1:${port}`,
      `--instance=${instance}`,
      `--lease-duration=${LEASE_SECONDS}s`,
      '--drain-timeout=2s',
      ...(this.#options.parameters ?? []),
    ];
  }

  /** The service's certificate of another authority: both are believed first, then only the new one. */
  async rotateAuthority(instances: readonly Instance[]): Promise<void> {
    const next = createAuthority({ commonName: 'next fleet' });
    await this.install([this.#authority, next]);
    await sleep(HEARD);
    this.#writeCertificates(next);
    for (const { name, port } of instances) await eventually(`new certificate of ${name}`, () => greet(port, next.certPem));
    // What it says of its authority in the object's status changes, too.
    await sleep(HEARD);
    await this.install([next]);
    this.#authority = next;
  }

  /** Ends everything, politely at first: what a process writes when it ends would be lost. */
  async end(): Promise<void> {
    const running = (): ChildProcess[] =>
      [...this.#processes].filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    for (const child of running()) child.kill('SIGTERM');
    await Promise.race([Promise.all(running().map(child => once(child, 'exit'))), sleep(PATIENCE)]);
    const left = running();
    for (const child of left) child.kill('SIGKILL');
    await Promise.all(left.map(child => once(child, 'exit')));
    rmSync(this.#folder, { recursive: true });
  }

  #writeCertificates(authority: Authority): void {
    const { certPem, keyPem } = authority.issue({
      commonName: 'service',
      usage: 'server',
      sans: ['IP:127.0.0.1', 'DNS:localhost'],
    });
    // One after the other: whoever looks in between finds a pair that does not fit, and keeps the last one.
    write(this.#path('service.crt'), certPem + authority.certPem);
    write(this.#path('service.key'), keyPem);
  }

  /** Writes a kubeconfig into the fleet's folder; returns its path. JSON is YAML. */
  writeKubeconfig(name: string, server: string, { certificate, key }: KeyPair): string {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const cluster = { server, 'certificate-authority-data': base64(this.#options.servingAuthority) };
    const user = { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) };
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'only',
      clusters: [{ name: 'only', cluster }],
      users: [{ name: 'only', user }],
      contexts: [{ name: 'only', context: { cluster: 'only', user: 'only' } }],
    };
    const path = this.#path(`${name}.kubeconfig`);
    write(path, JSON.stringify(kubeconfig));
    return path;
  }

  /** Parameters of the virtual workspaces of the shard. */
  #given(names: readonly string[]): string[] {
    const { command } = this.#options;
    return names.flatMap(name => command.filter(word => word.startsWith(`--${name}=`)));
  }

  #path = (name: string): string => join(this.#folder, name);

  #run(subcommand: string, parameters: readonly string[]): ChildProcess {
    const [executable = ''] = this.#options.command;
    return this.#start(executable, [subcommand, ...parameters]);
  }

  #start(executable: string, parameters: readonly string[]): ChildProcess {
    const env = this.#options.environment ?? process.env;
    const child = spawn(executable, parameters, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    this.#processes.add(child);
    child.once('exit', () => this.#processes.delete(child));
    return child;
  }
}

/** Rejects unless the server at the port has a certificate of the authority. */
async function greet(port: number, authority: string): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, ca: authority });
  try {
    await once(socket, 'secureConnect');
  } finally {
    socket.destroy();
  }
}

function write(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
