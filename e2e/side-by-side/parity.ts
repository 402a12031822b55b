import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Expected } from './expected/expected.ts';

const FILE = join(import.meta.dirname, '../../docs/parity.md');

/** The declared differences that `docs/parity.md` does not have. */
export function undocumented(expected: readonly Expected[]): string[] {
  const documented = new Set(
    readFileSync(FILE, 'utf8')
      .split('\n')
      .filter(line => line.startsWith('|'))
      .map(line => line.split('|')[1]?.trim()),
  );
  return [...new Set(expected.map(({ what }) => what))].filter(what => !documented.has(what));
}
