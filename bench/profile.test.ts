import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { profilesIn, summarizeProfile } from './profile.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kcp-vw-profile-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });

const ALWAYS = { from: 0, to: 1e12 };

function write(timeDeltas: readonly number[]): string {
  const file = join(folder, 'a.cpuprofile');
  const nodes = [
    { id: 1, callFrame: frame('(root)'), children: [2, 4] },
    { id: 2, callFrame: frame('outer', 'file:///x/node_modules/y/outer.ts', 9), children: [3] },
    { id: 3, callFrame: frame('inner') },
    { id: 4, callFrame: frame('(idle)') },
  ];
  writeFileSync(file, JSON.stringify({ startTime: 1_000_000, nodes, samples: [2, 3, 4], timeDeltas }));
  return file;
}

test('a function is listed with the time that it took itself, and with all that it calls', () => {
  const [own = '', total = ''] = summarizeProfile(write([1_000, 3_000, 50_000]), ALWAYS).split('with all that they call:');
  expect(own).toContain('4 ms in JavaScript');
  expect(own).toMatch(/75\.0 % {2}inner\n *25\.0 % {2}outer {2}node_modules\/y\/outer\.ts:10/);
  expect(own).toMatch(/by file:\n *75\.0 % {2}\(native\)\n *25\.0 % {2}node_modules\/y\/outer\.ts\n/);
  expect(total).toMatch(/100\.0 % {2}outer/);
  expect(own + total).not.toContain('idle');
});

test('only the measured time counts, not the start of the process', () => {
  const text = summarizeProfile(write([1_000, 3_000, 50_000]), { from: 1_002_000, to: 1_100_000 });
  expect(text).toContain('3 ms in JavaScript');
  expect(text).toContain('100.0 %  inner');
});

test('profiles are found, and nothing else, the largest first', () => {
  writeFileSync(join(folder, 'large.cpuprofile'), 'x'.repeat(5_000));
  writeFileSync(join(folder, 'notes.txt'), 'x');
  expect(profilesIn(folder).map(file => file.slice(folder.length + 1))[0]).toBe('large.cpuprofile');
  expect(profilesIn(folder)).not.toContain(join(folder, 'notes.txt'));
});
