import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { writeKubeconfigs } from './install-kubeconfigs.ts';

const ACCOUNT = { namespace: 'n', name: 'a' };
const SECRET = { kind: 'Secret', metadata: { name: 'a-token' }, data: { token: Buffer.from('of-a').toString('base64') } };

let folder: string;
let prepared: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfigs-'));
  prepared = join(folder, 'a.kubeconfig.new');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Has the Secret with its token already. */
const upstream: Pick<Upstream, 'dispatch'> = {
  dispatch(_, handler) {
    setImmediate(() => {
      handler.onHead(200, []);
      handler.onData(Buffer.from(JSON.stringify(SECRET)));
      handler.onEnd();
    });
    return { resume: () => undefined, abort: () => undefined };
  },
};

async function write(): Promise<void> {
  const workspace = { upstream: upstream as Upstream, basePath: '/clusters/root', patience: { every: 1, atMost: 10 } };
  await writeKubeconfigs(
    workspace,
    { server: new URL('https://kcp.example'), file: 'admin.kubeconfig', context: 'root', files: [] },
    [ACCOUNT],
    folder,
    () => undefined,
  );
}
const written = (): string => join(folder, 'a.kubeconfig');

// Who may write into the folder would read the token where the link leads to.
test('a link that was prepared in place of the new file does not receive the token', async () => {
  const elsewhere = join(folder, 'elsewhere');
  writeFileSync(elsewhere, 'mine');
  symlinkSync(elsewhere, prepared);
  await write();
  expect(readFileSync(elsewhere, 'utf8')).toBe('mine');
  expect(lstatSync(written()).isFile()).toBe(true);
  expect(readFileSync(written(), 'utf8')).toContain('of-a');
});

test('a file that was prepared for others to read does not become the one with the token', async () => {
  writeFileSync(prepared, '', { mode: 0o644 });
  const before = statSync(prepared).mode & 0o777;
  await write();
  expect([before, statSync(written()).mode & 0o777]).toEqual([0o644, 0o600]);
});
