import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

/** The process under test is a child, with the body of each test as its program. */
describe('a process of the fleet', () => {
  let folder: string;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lifeline-'));
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  function write(body: string): string {
    const file = join(folder, 'child.mjs');
    const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
    const imports = `import { childOf } from ${module('./lifeline.ts')}; import { UsageError } from ${module('../config/flags-values.ts')};`;
    writeFileSync(file, `${imports} const self = childOf('a-vw'); ${body}`);
    return file;
  }
  function start(body: string) {
    const child = fork(write(body), { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    children.push(child);
    const messages: unknown[] = [];
    child.on('message', message => void messages.push(message));
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    const ended = Promise.all([once(child, 'exit'), once(child, 'disconnect'), child.stderr && once(child.stderr, 'close')]).then(
      ([exit]) => {
        const [code, signal] = exit as unknown[];
        return { code, signal, messages, errors };
      },
    );
    return { child, ended };
  }

  test('tells its supervisor what happens to it', async () => {
    const { ended } = start(`self.waiting('shard'); self.waiting('shard'); self.listening('/a.sock', ['one']); self.ready();
      setTimeout(() => process.exit(0), 50);`);
    expect((await ended).messages).toEqual([
      { type: 'waiting', for: 'shard' },
      { type: 'listening', socket: '/a.sock', views: ['one'] },
      { type: 'ready' },
    ]);
  });

  test('does not outlive its supervisor', async () => {
    const { child, ended } = start(`self.ready(); setInterval(() => {}, 1e6);`);
    await once(child, 'message');
    child.disconnect();
    expect(await ended).toMatchObject({ code: 1, signal: null });
  });

  test('drains when it is told to, once, and then ends', async () => {
    const { child, ended } =
      start(`self.onTerminate(async () => { self.waiting('drain'); await new Promise(r => setTimeout(r, 50)); });
      self.ready(); setInterval(() => {}, 1e6);`);
    await once(child, 'message');
    child.kill('SIGTERM');
    child.kill('SIGTERM');
    const { code, messages } = await ended;
    expect(code).toBe(0);
    expect(messages.slice(1)).toEqual([{ type: 'waiting', for: 'drain' }]);
  });

  test('leaves the signals of the terminal to its supervisor', async () => {
    const { child, ended } = start(`self.onTerminate(async () => {}); self.ready(); setInterval(() => {}, 1e6);`);
    await once(child, 'message');
    child.kill('SIGINT');
    child.kill('SIGHUP');
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, signal: null });
  });

  test('says when it could not drain', async () => {
    const { child, ended } = start(`self.onTerminate(async () => { throw new Error('stuck'); }); self.ready();
      setInterval(() => {}, 1e6);`);
    await once(child, 'message');
    child.kill('SIGTERM');
    const { code, errors } = await ended;
    expect(code).toBe(1);
    expect(errors).toContain('a-vw: could not drain: Error: stuck');
  });

  test('hands the reason why it cannot start to its supervisor, who shows it', async () => {
    const { ended } = start(`self.guard(async () => { throw new UsageError('--x is wrong'); });`);
    expect(await ended).toEqual({ code: 78, signal: null, messages: [{ type: 'fatal', message: '--x is wrong' }], errors: '' });
  });

  test('shows the stack when the program is at fault', async () => {
    const { code, errors, messages } = await start(`self.guard(async () => { null.x; });`).ended;
    expect(code).toBe(1);
    expect(errors).toMatch(/a-vw: TypeError: .*\n +at /);
    expect(messages).toHaveLength(1);
  });

  test('says by itself what is wrong when nobody supervises it', async () => {
    const file = write(`self.ready(); self.guard(async () => { throw new UsageError('--x is wrong'); });`);
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>(resolve => {
      execFile(process.execPath, [file], (error, _stdout, text) => resolve({ code: error?.code, stderr: text }));
    });
    expect({ code, stderr }).toEqual({ code: 78, stderr: 'a-vw: --x is wrong\n' });
  });
});
