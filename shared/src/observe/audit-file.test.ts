import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLineFile, type LineFileOptions, type LineSink } from './audit-file.ts';

describe('the audit file', () => {
  let folder: string;
  let path: string;
  let errors: Error[];
  let dropped: number;
  const open: LineSink[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'audit-'));
    path = join(folder, 'audit.log');
    errors = [];
    dropped = 0;
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map(file => file.close()));
    rmSync(folder, { recursive: true });
  });

  function create(options: Partial<LineFileOptions> = {}): LineSink {
    const file = createLineFile({
      ...{ path, maxSize: 0, maxBackups: 0, maxAgeDays: 0, maxWaiting: 1_000_000, retryAfter: 20 },
      onError: error => void errors.push(error),
      onDropped: lines => {
        dropped += lines;
      },
      ...options,
    });
    open.push(file);
    return file;
  }
  const rotated = (): string[] =>
    readdirSync(folder)
      .filter(name => name !== 'audit.log')
      .sort();

  test('gets every line, in order, and belongs to its owner', async () => {
    const file = create();
    const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`);
    for (const line of lines) file.write(line);
    await file.flush();
    expect(readFileSync(path, 'utf8')).toBe(lines.join(''));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('gets lines that nobody asks to be written: after a while, and at once when there are many', async () => {
    const file = create({ gatherFor: 50 });
    const content = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
    const until = async (length: number): Promise<void> => {
      while (content().length < length) await new Promise(resolve => setTimeout(resolve, 5));
    };
    file.write('one\n');
    file.write('two\n');
    expect(content()).toBe('');
    await until(8);
    expect(content()).toBe('one\ntwo\n');

    path = `${path}.2`;
    const patient = create({ gatherFor: 1_000_000 });
    for (let i = 0; i < 70; i++) patient.write(`${'x'.repeat(999)}\n`);
    await until(64 * 1024);
    await patient.flush();
    expect(content()).toHaveLength(70_000);
  });

  test('is continued, and its folder made', async () => {
    path = join(folder, 'new', 'audit.log');
    const first = create();
    first.write('one\n');
    await first.close();
    const second = create();
    second.write('two\n');
    await second.flush();
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
  });

  test('gets a line that is written while the one before is being finished', async () => {
    const file = create();
    for (let i = 0; i < 50; i++) {
      file.write(`${i}\n`);
      await Promise.all([file.flush().then(() => file.write('later\n')), file.flush()]);
    }
    await file.close();
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(101);
  });

  test('is rotated before it grows over its size, and no line is torn or lost', async () => {
    const file = create({ maxSize: 100 });
    const lines = Array.from({ length: 40 }, (_, i) => `${String(i).padStart(9, '0')}\n`);
    for (const line of lines) file.write(line);
    await file.flush();
    const names = [...rotated(), 'audit.log'];
    expect(names.length).toBeGreaterThanOrEqual(4);
    for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(100);
    expect(names.map(name => readFileSync(join(folder, name), 'utf8')).join('')).toBe(lines.join(''));
  });

  test('keeps as many rotated files as wanted, and only those of the wanted age', async () => {
    const old = 'audit-2001-01-01T00-00-00.000.log';
    const foreign = 'audit-notes.log';
    for (const name of [old, foreign]) writeFileSync(join(folder, name), '');
    const file = create({ maxSize: 10, maxBackups: 3, maxAgeDays: 30 });
    for (let i = 0; i < 10; i++) file.write('123456789\n');
    await file.flush();
    expect(rotated()).toHaveLength(3 + 1);
    expect(rotated()).toContain(foreign);
    expect(rotated()).not.toContain(old);
  });

  test('that cannot be written is reported once, and gets the lines when it can be again', async () => {
    mkdirSync(path);
    const file = create();
    for (let i = 0; i < 5; i++) {
      file.write(`${i}\n`);
      await file.flush();
    }
    expect(errors).toHaveLength(1);
    expect(dropped).toBe(0);
    rmdirSync(path);
    await file.flush();
    expect(readFileSync(path, 'utf8')).toBe('0\n1\n2\n3\n4\n');
  });

  test('is tried again without a further line', async () => {
    mkdirSync(path);
    const file = create();
    file.write('patient\n');
    await file.flush();
    rmdirSync(path);
    const deadline = Date.now() + 10_000;
    const content = (): string => (readdirSync(folder).includes('audit.log') ? readFileSync(path, 'utf8') : '');
    while (content() === '' && Date.now() < deadline) await new Promise(resolve => setTimeout(resolve, 10));
    expect(content()).toBe('patient\n');
  });

  test('does not take memory without limit while it cannot be written: lines are dropped and counted', async () => {
    mkdirSync(path);
    const file = create({ maxWaiting: 100 });
    for (let i = 0; i < 30; i++) file.write('123456789\n');
    await file.flush();
    expect(dropped).toBe(20);
    rmdirSync(path);
    await file.flush();
    expect(readFileSync(path, 'utf8')).toHaveLength(100);
  });

  test('gets what waits when the process exits', () => {
    const module = JSON.stringify(new URL('./audit-file.ts', import.meta.url).href);
    const nothing = '() => {}';
    const script = `
      import { createLineFile } from ${module};
      const file = createLineFile({ path: ${JSON.stringify(path)}, maxSize: 0, maxBackups: 0, maxAgeDays: 0, maxWaiting: 1e6,
        onError: ${nothing}, onDropped: ${nothing} });
      for (let i = 0; i < 3; i++) file.write(i + '\\n');
      process.exit();`;
    execFileSync(process.execPath, ['--input-type=module', '-e', script]);
    expect([...new Set(readFileSync(path, 'utf8').split('\n'))].sort()).toEqual(['', '0', '1', '2']);
  });
});
