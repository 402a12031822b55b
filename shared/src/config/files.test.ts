import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type FileContents, type FileWatch, watchFiles } from './files.ts';

let folder: string;
let watch: FileWatch | undefined;
let seen: string[];
let errors: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-'));
  seen = [];
  errors = [];
});

afterEach(() => {
  watch?.close();
  watch = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);

const joined = (contents: FileContents): string => [...contents.values()].map(String).join('|');

function start(names: string[], onChange = (contents: FileContents): void => void seen.push(joined(contents))): FileWatch {
  // A minute: these tests look when they want to.
  watch = watchFiles(names.map(at), onChange, { intervalMs: 60_000, onError: error => void errors.push(error.message) });
  return watch;
}

describe('watching files', () => {
  test('reports all contents when one file changed, and nothing otherwise', async () => {
    writeFileSync(at('cert'), 'c1');
    writeFileSync(at('key'), 'k1');
    const { check } = start(['cert', 'key']);
    await check();
    expect(seen).toEqual([]);
    writeFileSync(at('key'), 'k2');
    await check();
    await check();
    expect(seen).toEqual(['c1|k2']);
  });

  test('sees a change that leaves size and modification time as they were', async () => {
    writeFileSync(at('a'), 'one');
    const { check } = start(['a']);
    writeFileSync(at('a'), 'two');
    await check();
    expect(seen).toEqual(['two']);
  });

  test('follows a file that is replaced by rename', async () => {
    writeFileSync(at('a'), '1');
    const { check } = start(['a']);
    for (const content of ['2', '3']) {
      writeFileSync(at('a.new'), content);
      renameSync(at('a.new'), at('a'));
      await check();
    }
    expect(seen).toEqual(['2', '3']);
  });

  test('follows a mounted Kubernetes secret, whose folder is a symbolic link that is swapped', async () => {
    mkdirSync(at('v1'));
    mkdirSync(at('v2'));
    writeFileSync(join(at('v1'), 'tls.crt'), '1');
    writeFileSync(join(at('v2'), 'tls.crt'), '2');
    symlinkSync('v1', at('..data'));
    symlinkSync('..data/tls.crt', at('tls.crt'));
    const { check } = start(['tls.crt']);
    symlinkSync('v2', at('..data_tmp'));
    renameSync(at('..data_tmp'), at('..data'));
    await check();
    expect(seen).toEqual(['2']);
  });

  test('looks by itself', async () => {
    writeFileSync(at('a'), '1');
    const changed = new Promise<void>(resolve => {
      watch = watchFiles([at('a')], () => resolve(), { intervalMs: 5, onError: error => void errors.push(error.message) });
    });
    writeFileSync(at('a'), '2');
    await changed;
    expect(errors).toEqual([]);
  });

  test('keeps the last good contents while a file is gone, and says so once', async () => {
    writeFileSync(at('a'), '1');
    const watching = start(['a']);
    unlinkSync(at('a'));
    await watching.check();
    await watching.check();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain('ENOENT');
    expect(joined(watching.contents)).toBe('1');
    writeFileSync(at('a'), '2');
    await watching.check();
    expect(seen).toEqual(['2']);
  });

  test('keeps the last good contents while they are rejected, and says so once', async () => {
    writeFileSync(at('a'), '1');
    const watching = start(['a'], contents => {
      if (joined(contents) === 'broken') throw new Error('not a certificate');
      seen.push(joined(contents));
    });
    writeFileSync(at('a'), 'broken');
    await watching.check();
    await watching.check();
    expect(errors).toEqual(['not a certificate']);
    expect(joined(watching.contents)).toBe('1');
    writeFileSync(at('a'), '2');
    await watching.check();
    expect(seen).toEqual(['2']);
    expect(joined(watching.contents)).toBe('2');
  });

  test('reports the same problem again when it comes back', async () => {
    writeFileSync(at('a'), '1');
    const { check } = start(['a']);
    for (let round = 0; round < 2; round++) {
      unlinkSync(at('a'));
      await check();
      writeFileSync(at('a'), '1');
      await check();
    }
    expect(errors).toHaveLength(2);
  });

  test('fails at once if a file is missing at the start', () => {
    expect(() => start(['missing'])).toThrow('ENOENT');
  });

  test('is silent after close', async () => {
    writeFileSync(at('a'), '1');
    const watching = start(['a']);
    writeFileSync(at('a'), '2');
    const looking = watching.check();
    watching.close();
    await looking;
    expect(seen).toEqual([]);
  });
});
