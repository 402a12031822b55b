import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { closeAll, eventually, get, httpsServer, serverTls, testAuthority, track } from '../upstream/upstream.fixture.ts';
import { type ClusterAccess, connectKubeconfig, loadKubeconfig, upstreamFor } from './kubeconfig.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kcp-vw-'));
});
afterEach(async () => {
  await closeAll();
  rmSync(folder, { recursive: true });
});

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

interface Parts {
  readonly server?: string;
  readonly cluster?: Record<string, unknown>;
  readonly user?: Record<string, unknown>;
}

const kubeconfig = ({ server = 'https://shard:6443/clusters/root', cluster, user }: Parts): string =>
  // YAML is a superset of JSON.
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'base',
    clusters: [
      { name: 'c', cluster: { server, ...cluster } },
      { name: 'other', cluster: { server: 'https://other' } },
    ],
    contexts: [
      { name: 'base', context: { cluster: 'c', user: 'u' } },
      { name: 'second', context: { cluster: 'other', user: 'u' } },
      { name: 'dangling', context: { cluster: 'none', user: 'u' } },
      { name: 'nobody', context: { cluster: 'c', user: 'none' } },
    ],
    users: [{ name: 'u', user: user ?? {} }],
  });

const load = (parts: Parts, context?: string): Promise<ClusterAccess> =>
  loadKubeconfig(file('kubeconfig', kubeconfig(parts)), context === undefined ? {} : { context });

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a kubeconfig', () => {
  it('gives the server with its path, and credentials by data', async () => {
    const { certPem, keyPem } = testAuthority().issue({ commonName: 'me', usage: 'client' });
    const access = await load({
      cluster: { 'certificate-authority-data': base64(testAuthority().certPem), 'tls-server-name': 'kcp' },
      user: { 'client-certificate-data': base64(certPem), 'client-key-data': base64(keyPem), token: 'secret' },
    });
    expect(access.server.href).toBe('https://shard:6443/clusters/root');
    expect(access).toMatchObject({ servername: 'kcp', token: 'secret' });
    expect(access.ca?.toString()).toBe(testAuthority().certPem);
    expect([access.cert?.toString(), access.key?.toString()]).toEqual([certPem, keyPem]);
    expect(access.files).toHaveLength(1);
  });

  it('gives credentials by file, relative to its own folder, and remembers the files', async () => {
    const { certPem, keyPem } = testAuthority().issue({ commonName: 'me', usage: 'client' });
    mkdirSync(join(folder, 'pki'));
    const files = [file('pki/ca.pem', testAuthority().certPem), file('pki/tls.crt', certPem), file('pki/tls.key', keyPem)];
    const token = file('token', 'from-file\n');
    const access = await load({
      cluster: { 'certificate-authority': 'pki/ca.pem' },
      user: { 'client-certificate': 'pki/tls.crt', 'client-key': files[2], tokenFile: token, token: 'older' },
    });
    expect(access.cert?.toString()).toBe(certPem);
    expect(access.token).toBe('from-file');
    expect(access.files).toEqual([join(folder, 'kubeconfig'), ...files, token]);
  });

  it('may be asked for another context', async () => {
    expect((await load({}, 'second')).server.href).toBe('https://other/');
    expect((await load({}, '')).server.hostname).toBe('shard');
  });

  it.each<[string, string, Parts & { readonly context?: string }]>([
    ['a missing context', 'has no context "none"', { context: 'none' }],
    ['a missing cluster', 'names cluster "none", which does not exist', { context: 'dangling' }],
    ['a missing user', 'names user "none", which does not exist', { context: 'nobody' }],
    ['a server that is no URL', 'server "shard" is not a URL', { server: 'shard' }],
    ['a server in the clear', 'must be https', { server: 'http://shard' }],
    ['a server URL with a password', 'may have a host and a path, nothing else', { server: 'https://a:b@shard' }],
    ['unverified TLS', 'insecure-skip-tls-verify, which is refused', { cluster: { 'insecure-skip-tls-verify': true } }],
    ['a proxy', 'proxy-url, which is not supported', { cluster: { 'proxy-url': 'http://p' } }],
    ['a password', 'password, which is not supported', { user: { username: 'a', password: 'b' } }],
    ['impersonation', 'impersonates "x", which is not supported', { user: { as: 'x' } }],
    ['a legacy plugin', 'auth-provider, which is not supported', { user: { 'auth-provider': { name: 'oidc' } } }],
    [
      'a CA that is no certificate',
      'certificate-authority cannot be used',
      { cluster: { 'certificate-authority-data': 'eHg=' } },
    ],
    ['a certificate without its key', 'certificate without a key', { user: { 'client-certificate-data': 'eHg=' } }],
    ['a file that is not there', 'missing.pem cannot be read (ENOENT)', { cluster: { 'certificate-authority': 'missing.pem' } }],
  ])('with %s is refused in one sentence that names the file', async (_what, problem, parts) => {
    const error = await load(parts, parts.context).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).toContain(`kubeconfig ${join(folder, 'kubeconfig')}: `);
    expect(error?.message).toContain(problem);
    expect(error?.message).not.toContain('\n');
  });

  it('that is missing or no YAML is refused likewise', async () => {
    await expect(loadKubeconfig(join(folder, 'none'))).rejects.toThrow(
      `kubeconfig ${join(folder, 'none')}: cannot be read (ENOENT)`,
    );
    // A parser's message shows the lines around its error, and in a kubeconfig those are keys and tokens.
    const bad = await loadKubeconfig(file('bad', 'token: secret\n  x: [')).catch((error: Error) => error.message);
    expect(bad).toMatch(/: is not YAML \(.+ in line \d+\)$/);
    expect(bad).not.toContain('secret');
    await expect(loadKubeconfig(file('list', '- a'))).rejects.toThrow('is not a YAML object');
    await expect(loadKubeconfig(file('empty', '{}'))).rejects.toThrow('has no current-context');
  });

  it('with keys that do not belong together is refused', async () => {
    const one = testAuthority().issue({ commonName: 'me', usage: 'client' });
    const other = testAuthority().issue({ commonName: 'me', usage: 'client' });
    const user = { 'client-certificate-data': base64(one.certPem), 'client-key-data': base64(other.keyPem) };
    await expect(load({ user })).rejects.toThrow('client-certificate with client-key cannot be used');
  });

  it('may be http on the loopback address, for development', async () => {
    expect((await load({ server: 'http://127.0.0.1:6443' })).server.port).toBe('6443');
  });
});

describe('an exec plugin', () => {
  const plugin = (script: string, env: { name: string; value: string }[] = []): Parts => {
    const path = file('plugin.sh', `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o700);
    return {
      user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './plugin.sh', args: ['secret-arg'], env } },
    };
  };

  it('gives a token and says how long it is good', async () => {
    const expirationTimestamp = '2100-01-01T00:00:00Z';
    const answer = JSON.stringify({ kind: 'ExecCredential', status: { token: 'T', expirationTimestamp } });
    const access = await load(plugin(`echo "$KUBERNETES_EXEC_INFO" | grep -q ExecCredential && echo '${answer}'`));
    expect(access).toMatchObject({ token: 'T', expires: Date.parse(expirationTimestamp) });
  });

  it('gets the environment that the kubeconfig asks for', async () => {
    const access = await load(
      plugin(`echo '{"kind":"ExecCredential","status":{"token":"'$WHO'"}}'`, [{ name: 'WHO', value: 'me' }]),
    );
    expect(access.token).toBe('me');
    expect(access.expires).toBeUndefined();
  });

  it.each([
    ['echo secret-out; exit 3', 'exit code 3'],
    ['echo secret-out', 'it printed no JSON'],
    [`echo '{"kind":"ExecCredential","status":{}}'`, 'neither a token nor a certificate'],
    [`echo '{"kind":"Other"}'`, 'no ExecCredential'],
  ])('that fails is named, without what it printed: %s', async (script, reason) => {
    const error = await load(plugin(script)).then(
      () => undefined,
      (failed: Error) => failed,
    );
    expect(error?.message).toContain(`the exec plugin "./plugin.sh" of user "u" failed (`);
    expect(error?.message).toContain(reason);
    expect(error?.message).not.toContain('secret');
  });
});

describe('the upstream of a kubeconfig', () => {
  const whoami = (): Promise<URL> =>
    httpsServer(
      (request, response) => {
        const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject ?? {};
        response.end(`${CN} ${request.headers.authorization} ${request.url}`);
      },
      serverTls(),
      testAuthority().certPem,
    );

  const write = (server: URL, commonName: string, token: string): string => {
    const { certPem, keyPem } = testAuthority().issue({ commonName, usage: 'client' });
    file('tls.crt', certPem);
    file('tls.key', keyPem);
    file('token', token);
    file('ca.pem', testAuthority().certPem);
    return file(
      'kubeconfig',
      kubeconfig({
        server: server.href,
        cluster: { 'certificate-authority': 'ca.pem' },
        user: { 'client-certificate': 'tls.crt', 'client-key': 'tls.key', tokenFile: 'token' },
      }),
    );
  };

  it('reaches the server with these credentials, and leaves the server’s path to its user', async () => {
    const server = await whoami();
    const path = write(new URL('/clusters/root', server), 'first', 'T1');
    const upstream = track(await connectKubeconfig(path, { role: 'shard', limits: { watchStreams: 10 } }));
    expect([upstream.name, upstream.basePath]).toEqual(['shard', '/clusters/root']);
    const answer = get(upstream, '/version');
    await answer.done;
    expect(answer.text).toBe('first Bearer T1 /version');
  });

  it('follows the files', async () => {
    const server = await whoami();
    const path = write(server, 'first', 'T1');
    const errors: Error[] = [];
    const options = { intervalMs: 10, onError: (error: Error) => void errors.push(error) };
    const upstream = track(upstreamFor(await loadKubeconfig(path), { watchStreams: 10 }, 'shard', options));
    const says = async (): Promise<string> => {
      const answer = get(upstream, '/');
      await answer.done;
      return answer.text;
    };
    expect(await says()).toBe('first Bearer T1 /');
    write(server, 'second', 'T2');
    while ((await says()) !== 'second Bearer T2 /');
    errors.length = 0;

    file('tls.key', 'broken');
    await eventually(() => errors.length > 0);
    expect(errors[0]?.message).toContain('client-certificate with client-key cannot be used');
    expect(await says()).toBe('second Bearer T2 /');

    write(new URL('https://elsewhere'), 'third', 'T3');
    await eventually(() => errors.some(error => error.message.includes('takes effect with a restart')));
    expect(await says()).toBe('second Bearer T2 /');
  });
});
