import { expect, test } from '@jest/globals';
import { parseMachine, parseSchedstat, parseStat } from './files.ts';

/** A line of proc_pid_stat(5) whose fields from the third on hold their own numbers. */
const statOf = (command: string): string => `17 (${command}) ${Array.from({ length: 50 }, (_, i) => i + 3).join(' ')}\n`;

test('the parent, the CPU time and the memory stand in fields 4, 14 and 15, and 24 of a process', () => {
  expect(parseStat(statOf('node'))).toEqual({ parent: 4, command: 'node', cpu: (14 + 15) * 10, resident: 24 * 4096 });
});

test('a command may hold spaces and parentheses, and shifts no field', () => {
  expect(parseStat(statOf('a) (b c'))).toMatchObject({ parent: 4, command: 'a) (b c' });
});

test('a thread has run for as many nanoseconds as its schedstat says first', () => {
  expect(parseSchedstat('193161539 19587039 735\n')).toBeCloseTo(193.161539);
});

test('a machine is busy with all but idling and waiting, and guests are counted once', () => {
  const text = 'cpu  10 1 5 70 4 2 3 5 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n';
  expect(parseMachine(text)).toEqual({ busy: (10 + 1 + 5 + 2 + 3 + 5) * 10, available: 100 * 10 });
});
