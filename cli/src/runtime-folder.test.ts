import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createRuntimeFolder, type RuntimeFolder } from './runtime-folder.ts';

describe('the runtime folder', () => {
  let parent: string;
  const made: RuntimeFolder[] = [];
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'rt-'));
  });
  afterEach(() => {
    for (const folder of made.splice(0)) folder.remove();
    rmSync(parent, { recursive: true });
  });

  async function create(sockets = ['initializer-vw.ops.sock'], onAbandoned?: (path: string, error?: Error) => void) {
    const folder = await createRuntimeFolder({ parent, sockets, ...(onAbandoned && { onAbandoned }) });
    made.push(folder);
    return folder;
  }
  /** As a supervisor leaves it that was killed. */
  function abandoned(name: string): string {
    const path = join(parent, name);
    mkdirSync(path, { mode: 0o700 });
    const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    expect(() => execFileSync(process.execPath, ['-e', script, join(path, 'alive.sock')], { stdio: 'ignore' })).toThrow();
    expect(existsSync(join(path, 'alive.sock'))).toBe(true);
    return path;
  }
  const ancient = (path: string): void => utimesSync(path, 0, 0);

  test('is for its owner only, and goes with everything in it', async () => {
    const folder = await create();
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
    folder.remove();
    expect(readdirSync(parent)).toEqual([]);
  });

  test('of a killed predecessor is removed, and told', async () => {
    const path = abandoned('kcp-vw-run-abcdef');
    const told: string[] = [];
    await create([], old => told.push(old));
    expect(existsSync(path)).toBe(false);
    expect(told).toEqual([path]);
  });

  test('of a supervisor that lives stays', async () => {
    const living = await create();
    await create();
    expect(existsSync(living.path)).toBe(true);
  });

  test('that has no socket stays while it may just be being made, and goes later', async () => {
    const path = join(parent, 'kcp-vw-run-abcdef');
    mkdirSync(path, { mode: 0o700 });
    await create();
    expect(existsSync(path)).toBe(true);
    ancient(path);
    await create();
    expect(existsSync(path)).toBe(false);
  });

  test('that others could have written to, or only points elsewhere, is not touched', async () => {
    const open = abandoned('kcp-vw-run-opened');
    chmodSync(open, 0o755);
    const elsewhere = abandoned('something');
    symlinkSync(elsewhere, join(parent, 'kcp-vw-run-linked'));
    await create();
    expect(existsSync(open)).toBe(true);
    expect(existsSync(join(elsewhere, 'alive.sock'))).toBe(true);
  });

  test('is made elsewhere where the paths of sockets would be too long', async () => {
    const name = 'x'.repeat(85 - '/tmp/'.length);
    const folder = await create([name]);
    expect(folder.path).toMatch(/^\/tmp\/kcp-vw-run-/);
    await expect(create(['x'.repeat(100)])).rejects.toThrow('short enough');
  });
});
