import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { identity } from './identity.ts';
import { loadTokenFile } from './token-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'token-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function fixture(text: string) {
  const file = join(folder, `tokens-${files++}.csv`);
  writeFileSync(file, text);
  const errors: Error[] = [];
  const load = () => loadTokenFile(file, { onError: error => errors.push(error), intervalMs: 60_000 });
  return { file, errors, load, write: (next: string) => writeFileSync(file, next) };
}

describe('a token file', () => {
  it('has a user per line, with groups in quotes', async () => {
    const tokens = fixture('t1,jane,u1,"team-1,team-2"\r\n\nt2,"Joe ""J"" Doe",u2\nt3,max,,one\n').load();
    expect(await tokens.authenticate('t1')).toEqual(identity('jane', ['team-1', 'team-2'], 'u1'));
    expect(await tokens.authenticate('t2')).toEqual(identity('Joe "J" Doe', [], 'u2'));
    expect(await tokens.authenticate('t3')).toEqual(identity('max', ['one'], ''));
    tokens.close();
  });

  it('leaves tokens that it does not have to others', async () => {
    const tokens = fixture('t1,jane,u1\n').load();
    for (const token of ['', 't', 't11', 'T1', 'jane']) expect(await tokens.authenticate(token)).toBeUndefined();
    tokens.close();
  });

  it('is read again when it changes, and stays in force when it cannot be used', async () => {
    const { load, write, errors } = fixture('t1,jane,u1\n');
    const tokens = load();
    write('t2,joe,u2\n');
    await tokens.check();
    expect([await tokens.authenticate('t1'), await tokens.authenticate('t2')]).toMatchObject([undefined, { name: 'joe' }]);
    write('t3\n');
    await tokens.check();
    expect([await tokens.authenticate('t2'), errors.length]).toMatchObject([{ name: 'joe' }, 1]);
    tokens.close();
  });

  it.each([
    ['without a UID', 'canary,jane\n', 1],
    ['without a token', 't1,jane,u1\n,joe,u2\n', 2],
    ['without a user', 'canary,,u1\n', 1],
    ['with a quote that does not end', 'canary,"jane,u1\n', 1],
    ['with text behind a quote', 'canary,"jane"x,u1\n', 1],
    ['with a token of another line', 'canary,jane,u1\ncanary,joe,u2\n', 2],
  ])('is refused for a line %s, and the message shows nothing of it', (_, text, line) => {
    const { file, load } = fixture(text);
    expect(load).toThrow(`${file}, line ${line}: `);
    expect(load).not.toThrow(/canary|jane/);
  });

  it('has a bound', () => {
    const { load } = fixture(Array.from({ length: 1_001 }, (_, i) => `t${i},u${i},\n`).join(''));
    expect(load).toThrow('has more than 1000 tokens');
  });
});
