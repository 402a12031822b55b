import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { requestText } from '../upstream/text.ts';
import { closeAll, httpsServer, serverTls, testAuthority, track } from '../upstream/upstream.fixture.ts';
import { connectShards } from './shards.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shards-'));
});
afterEach(async () => {
  await closeAll();
  rmSync(folder, { recursive: true });
});

const refusal = (code: number) => expect.objectContaining({ code });

function kubeconfigFor(server: URL, path = ''): string {
  const file = join(folder, 'shards.kubeconfig');
  const ca = Buffer.from(testAuthority().certPem).toString('base64');
  writeFileSync(
    file,
    JSON.stringify({
      'current-context': 'x',
      clusters: [{ name: 'x', cluster: { server: server.origin + path, 'certificate-authority-data': ca } }],
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      users: [{ name: 'x', user: { token: 'of-all-shards' } }],
    }),
  );
  return file;
}

/** A root shard that lists what the test says, and whose requests are seen. */
async function rootShard() {
  const state = { code: 200, servers: {} as Record<string, string>, seen: [] as string[] };
  const url = await httpsServer((request, response) => {
    state.seen.push(`${request.url} ${request.headers.authorization}`);
    const items = Object.entries(state.servers).map(([name, baseURL]) => ({ metadata: { name }, spec: { baseURL } }));
    response.writeHead(state.code, { 'content-type': 'application/json' }).end(JSON.stringify({ items }));
  }, serverTls());
  return { url, state };
}

async function fixture(path = '') {
  const root = await rootShard();
  const time = { now: 0 };
  const errors: Error[] = [];
  const shards = track(
    await connectShards({
      kubeconfig: kubeconfigFor(root.url, path),
      limits: { watchStreams: 10 },
      onError: error => errors.push(error),
      clock: () => time.now,
    }),
  );
  return { ...root, time, errors, shards };
}

describe('the shards', () => {
  it('are those that root lists, each reached at its own address with the credentials of the kubeconfig', async () => {
    const { url, state, shards } = await fixture('/clusters/root:org');
    const other = await rootShard();
    state.servers = { root: url.origin, other: `${other.url.origin}/` };
    const { known, isComplete } = await shards.all();
    expect([[...known.keys()], isComplete]).toEqual([['root', 'other'], true]);
    const shard = known.get('other');
    if (shard) await requestText(shard, { method: 'GET', path: '/x' });
    expect(state.seen).toEqual(['/clusters/root/apis/core.kcp.io/v1alpha1/shards Bearer of-all-shards']);
    expect(other.state.seen).toEqual(['/x Bearer of-all-shards']);
  });

  it('are listed again after a while, and one at the same address keeps its connections', async () => {
    const { url, time, state, shards } = await fixture();
    state.servers = { root: url.origin };
    const before = (await shards.all()).known.get('root');
    state.servers = { root: url.origin, second: 'https://127.0.0.1:1' };
    time.now = 29_999;
    await shards.all();
    expect(state.seen).toHaveLength(1);
    time.now = 30_000;
    await shards.all();
    while (!(await shards.all()).known.has('second')) await new Promise(setImmediate);
    expect((await shards.all()).known.get('root')).toBe(before);
    expect(state.seen).toHaveLength(2);
  });

  it('are 503 before the first list, and stay as they were when a later one cannot be had', async () => {
    const { url, time, state, errors, shards } = await fixture();
    state.servers = { root: url.origin };
    state.code = 500;
    await expect(shards.all()).rejects.toEqual(refusal(503));
    expect(errors.map(({ message }) => message)).toEqual(['the shards cannot be listed: the root shard answered 500']);
    state.code = 200;
    time.now = 2_000;
    expect((await shards.all()).known.size).toBe(1);
    state.code = 500;
    time.now = 60_000;
    await shards.all();
    while (errors.length < 2) await new Promise(setImmediate);
    expect((await shards.all()).known.size).toBe(1);
  });

  // Whoever may write a Shard must not send our credentials somewhere in the clear, or along with a user's name.
  it.each(['http://127.0.0.1:1', 'https://u:p@127.0.0.1:1', 'https://127.0.0.1:1/path', 'ftp://x', 'x', ''])(
    'with the address %j are not reached, and told',
    async address => {
      const { url, state, errors, shards } = await fixture();
      state.servers = { root: url.origin, odd: address };
      const { known, isComplete } = await shards.all();
      expect([[...known.keys()], isComplete]).toEqual([['root'], false]);
      expect(errors[0]?.message).toBe('these shards have no https address in spec.baseURL: odd');
    },
  );

  it('are refused at the start without a kubeconfig that can be used', async () => {
    const options = { kubeconfig: join(folder, 'none'), limits: { watchStreams: 1 }, onError: () => undefined };
    await expect(connectShards(options)).rejects.toThrow(`kubeconfig ${join(folder, 'none')}`);
  });
});
