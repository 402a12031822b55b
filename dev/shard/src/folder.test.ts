import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { prepareFolder } from './start.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dev-shard-folder-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const PLACES = { host: '127.0.0.1', shardPorts: [6444] as [number], frontProxyPort: 6443 };
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const all = (): Record<string, string> => Object.fromEntries(readdirSync(folder).map(name => [name, read(name)]));
const certificate = (name: string): X509Certificate => new X509Certificate(read(name));

describe('the folder of a shard', () => {
  test('stays as it is when a shard is started on it again, tokens included', () => {
    prepareFolder({ folder, ...PLACES });
    const made = all();
    const time = statSync(join(folder, 'admin.kubeconfig')).mtimeMs;
    prepareFolder({ folder, ...PLACES });
    expect(all()).toEqual(made);
    expect(statSync(join(folder, 'admin.kubeconfig')).mtimeMs).toBe(time);
  });

  test('leads to the host it is made for, whose name the serving certificates carry with all others', () => {
    prepareFolder({ folder, ...PLACES, host: 'kcp.example', sans: ['views.example', '10.0.0.7'] });
    expect(read('admin.kubeconfig')).toContain('"server": "https://kcp.example:6443/clusters/root"');
    expect(read('virtual-workspaces.kubeconfig')).toContain('"server": "https://kcp.example:6444"');
    for (const name of ['shard.crt', 'virtual-workspaces.crt']) {
      for (const host of ['localhost', 'kcp.example', 'views.example']) expect(certificate(name).checkHost(host)).toBe(host);
      for (const address of ['127.0.0.1', '10.0.0.7']) expect(certificate(name).checkIP(address)).toBe(address);
    }
  });

  test('gets serving certificates for further names from the same authority, and keeps the others', () => {
    prepareFolder({ folder, ...PLACES });
    const before = all();
    prepareFolder({ folder, ...PLACES, sans: ['views.example'] });
    const { 'serving-ca.crt': authority, 'vw-client.crt': client } = all();
    expect([authority, client]).toEqual([before['serving-ca.crt'], before['vw-client.crt']]);
    expect(certificate('shard.crt').checkHost('views.example')).toBe('views.example');
    expect(certificate('shard.crt').verify(certificate('serving-ca.crt').publicKey)).toBe(true);
  });

  test('gets everything from new authorities when it has lost one', () => {
    prepareFolder({ folder, ...PLACES });
    const { 'client-ca.crt': authority } = all();
    rmSync(join(folder, 'client-ca.key'));
    prepareFolder({ folder, ...PLACES });
    expect(read('client-ca.crt')).not.toBe(authority);
    expect(certificate('kcp-admin.crt').verify(certificate('client-ca.crt').publicKey)).toBe(true);
  });

  test('has a part for each further shard, with tokens and certificates of its own', () => {
    prepareFolder({ folder, ...PLACES, shardPorts: [6444, 6445] });
    expect(read('shard-1/virtual-workspaces.kubeconfig')).toContain('https://127.0.0.1:6445');
    expect(read('shard-1/cache.kubeconfig')).toContain('https://127.0.0.1:6444');
    expect(certificate('shard-1/shard-client.crt').subject).toBe('O=system:masters\nCN=kcp-shard-1');
    expect(read('shard-1/tokens.json')).not.toBe(read('tokens.json'));
  });

  test('can be made by the program without starting anything', () => {
    const main = fileURLToPath(new URL('./main.ts', import.meta.url));
    execFileSync(process.execPath, [
      main,
      '--make-folder-only',
      `--folder=${folder}/new`,
      '--host=kcp.example',
      '--san=a.example',
    ]);
    expect(certificate('new/virtual-workspaces.crt').checkHost('a.example')).toBe('a.example');
    expect(read('new/external-admin.kubeconfig')).toContain('https://kcp.example:6443');
  });
});
