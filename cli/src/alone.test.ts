/** The commands that run one process by itself, as a container does: real programs, certificates and sockets. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { until } from './fake-programs.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/virtual-workspaces', import.meta.url));

let folder: string;
const running: ChildProcess[] = [];
const file = (name: string): string => join(folder, name);
const flags = (names: Readonly<Record<string, string>>): string[] =>
  Object.entries(names).map(([flag, name]) => `--${flag}=${file(name)}`);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'alone-'));
  const fleet = createAuthority({ commonName: 'fleet-ca' });
  const clients = createAuthority({ commonName: 'client-ca' });
  const serving = fleet.issue({ commonName: 'server', usage: 'server', sans: ['DNS:localhost'] });
  const client = fleet.issue({ commonName: 'front-proxy', usage: 'client' });
  const files = {
    'fleet-ca.crt': fleet.certPem,
    'client-ca.crt': clients.certPem,
    'tls.crt': serving.certPem,
    'tls.key': serving.keyPem,
    'client.crt': client.certPem,
    'client.key': client.keyPem,
    // A shard that is not up: neither process may end because of that.
    kubeconfig: JSON.stringify({
      clusters: [{ name: 'shard', cluster: { server: 'https://127.0.0.1:1' } }],
      contexts: [{ name: 'shard', context: { cluster: 'shard' } }],
      'current-context': 'shard',
    }),
    'none.json': JSON.stringify({ views: {} }),
    'broken.json': '{"views": {"one": [{"service": "a-vw", "instance": "a", "url": "http://a"}]}}',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(file(name), content);
});
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true }));

function launch(...argv: readonly string[]) {
  const child = spawn(PROGRAM, argv, { env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: undefined } });
  running.push(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve({ code, stdout, stderr }));
  });
  return { child, ended, log: () => stderr };
}
const run = (...argv: readonly string[]) => launch(...argv).ended;

const LISTEN = ['--bind-address=127.0.0.1', '--secure-port=0'];
const TLS = { 'tls-cert-file': 'tls.crt', 'tls-private-key-file': 'tls.key' };
const serveFlags = (): string[] => [
  ...flags({ ...TLS, kubeconfig: 'kubeconfig', 'requestheader-client-ca-file': 'fleet-ca.crt' }),
  '--requestheader-allowed-names=front-proxy',
  ...LISTEN,
];
const frontFlags = (addresses: string): string[] => [
  ...flags({
    ...TLS,
    addresses,
    'authentication-kubeconfig': 'kubeconfig',
    'services-ca-file': 'fleet-ca.crt',
    'proxy-client-cert-file': 'client.crt',
    'proxy-client-key-file': 'client.key',
  }),
  ...LISTEN,
];

async function portOf(log: () => string): Promise<number> {
  return until(() => Number(/"address":"127\.0\.0\.1:(\d+)"/.exec(log())?.[1] ?? Number.NaN) || undefined, 'it listens');
}

describe('a service and a front proxy, each by itself', () => {
  test('find each other over TLS, say what is missing, and drain on SIGTERM', async () => {
    const service = launch('serve', 'initializer-vw', ...serveFlags());
    const port = await portOf(service.log);
    const health = (at: number, path: string) =>
      run('health', `https://localhost:${at}${path}`, `--ca-file=${file('fleet-ca.crt')}`);
    expect(await health(port, '/livez')).toMatchObject({ code: 0, stdout: 'ok\n' });
    // Anybody may ask, and is not told the reasons.
    const unready = await health(port, '/readyz');
    expect(unready).toMatchObject({ code: 1, stdout: expect.stringContaining('failed: reason withheld') });

    const address = { service: 'initializer-vw', instance: 'one', url: `https://localhost:${port}` };
    writeFileSync(file('addresses.json'), JSON.stringify({ views: { initializingworkspaces: [address] } }));
    const front = launch('front-proxy', ...frontFlags('addresses.json'));
    expect(await health(await portOf(front.log), '/livez')).toMatchObject({ code: 0 });
    await until(
      () => front.log().includes('waiting for initializer-vw: it is not ready; initializingworkspaces'),
      'it knows why',
    );

    for (const { child, ended } of [front, service]) {
      child.kill('SIGTERM');
      expect((await ended).code).toBe(0);
    }
  });

  test('serve nothing, and say so, without an address', async () => {
    const front = launch('front-proxy', ...frontFlags('none.json'));
    await until(() => front.log().includes('waiting for services: there is no address of any service'), 'it waits');
  });
});

describe('one sentence and exit code 1 are the answer to', () => {
  const refused = async (sentence: RegExp, ...argv: readonly string[]): Promise<void> => {
    const { code, stdout, stderr } = await run(...argv);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(sentence) });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  };

  test('a service that does not exist', async () => {
    await refused(
      /^kcp-vw: serve needs the name of a service: apiexport-vw, initializer-vw, syncer-vw, workspaces-vw$/m,
      'serve',
    );
    await refused(
      /^kcp-vw: there is no service "constructor": apiexport-vw, initializer-vw, syncer-vw, workspaces-vw$/m,
      'serve',
      'constructor',
      ...serveFlags(),
    );
  });

  test('a service that would believe everybody, or users', async () => {
    const argv = serveFlags().filter(flag => !flag.startsWith('--requestheader-allowed-names'));
    await refused(/^kcp-vw: --requestheader-allowed-names is required: /, 'serve', 'initializer-vw', ...argv);
    const shared = flags({ 'client-ca-file': 'fleet-ca.crt' });
    await refused(/ has an authority of --client-ca-file, /, 'serve', 'initializer-vw', ...serveFlags(), ...shared);
  });

  test('addresses that cannot be used', async () => {
    await refused(/^kcp-vw: .*broken\.json: the url of a-vw a is not https:/, 'front-proxy', ...frontFlags('broken.json'));
    await refused(/^kcp-vw: --addresses: .*missing\.json does not exist$/m, 'front-proxy', ...frontFlags('missing.json'));
  });

  test('a health check of what is not there, or shows the wrong certificate', async () => {
    await refused(/ECONNREFUSED/, 'health', 'https://localhost:1/readyz');
    await refused(/^kcp-vw: health needs one https:\/\/ URL$/m, 'health', 'http://localhost:1/readyz');
    await refused(/^kcp-vw: --timeout takes seconds, not "x"$/m, 'health', 'https://localhost:1/', '--timeout=x');
    const service = launch('serve', 'initializer-vw', ...serveFlags());
    const port = await portOf(service.log);
    const ca = `--ca-file=${file('client-ca.crt')}`;
    await refused(/unable to verify|self-signed|unable to get/, 'health', `https://localhost:${port}/livez`, ca);
  });
});
