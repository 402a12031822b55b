import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually, pause } from '../upstream/upstream.fixture.ts';
import { type ClusterAccess, loadKubeconfig } from './cluster-access.ts';
import { followAccess } from './follow-access.ts';

let folder: string;
let stop: () => void;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'follow-'));
});
afterEach(() => {
  stop();
  rmSync(folder, { recursive: true });
});

const write = (name: string, content: string): void => writeFileSync(join(folder, name), content);
const kubeconfig = (user: object): string =>
  JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://shard:6443' } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });

/** Follows the kubeconfig, and refuses the token `bad`. */
async function follow(): Promise<{ tokens: (string | undefined)[]; errors: string[] }> {
  const tokens: (string | undefined)[] = [];
  const errors: string[] = [];
  const use = ({ token }: ClusterAccess): void => {
    if (token === 'bad') throw new Error('no good');
    tokens.push(token);
  };
  const access = await loadKubeconfig(join(folder, 'kubeconfig'));
  stop = followAccess(access, use, { onError: error => errors.push(error.message), intervalMs: 5 });
  return { tokens, errors };
}

describe('credentials for another server than that of their kubeconfig', () => {
  test('follow the file that they are in, and the one that they are in then', async () => {
    write('kubeconfig', kubeconfig({ token: 'one' }));
    const { tokens } = await follow();
    write('token', 'two');
    write('kubeconfig', kubeconfig({ tokenFile: 'token' }));
    await eventually(() => tokens.length === 1);
    write('token', 'three');
    await eventually(() => tokens.length === 2);
    expect(tokens).toEqual(['two', 'three']);
  });

  test('are told of when they are no good, and taken once they are', async () => {
    write('kubeconfig', kubeconfig({ token: 'one' }));
    const { tokens, errors } = await follow();
    write('kubeconfig', kubeconfig({ token: 'bad' }));
    await eventually(() => errors.length === 1);
    write('kubeconfig', kubeconfig({ token: 'two' }));
    await eventually(() => tokens.length === 1);
    expect([tokens, errors]).toEqual([['two'], ['no good']]);
  });

  test('are not looked at any more when nobody uses them', async () => {
    write('kubeconfig', kubeconfig({ token: 'one' }));
    const { tokens } = await follow();
    stop();
    write('kubeconfig', kubeconfig({ token: 'two' }));
    await pause(30);
    expect(tokens).toEqual([]);
  });
});
