import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Program } from './supervisor.ts';

/** Programs that a test writes itself, in place of the services. */
export interface FakePrograms {
  readonly folder: string;
  /**
   * A program with the given body. It has `self` (what `childOf` gives), `arg(name)`, `note(text)`, which adds a line to `notes()`, and
   * `pid`.
   */
  program(name: string, body: string, views?: readonly string[]): Program;
  notes(): string[];
  remove(): void;
}

const LIFELINE = new URL('../../shared/src/observe/lifeline.ts', import.meta.url).href;

export function createFakePrograms(): FakePrograms {
  const folder = mkdtempSync(join(tmpdir(), 'programs-'));
  const notes = join(folder, 'notes');
  writeFileSync(notes, '');
  return {
    folder,
    program(name, body, views = []) {
      const entry = join(folder, `${name}.mjs`);
      const prelude = `
        import { appendFileSync } from 'node:fs';
        import { createServer } from 'node:net';
        import { childOf } from ${JSON.stringify(LIFELINE)};
        const { pid } = process;
        const self = childOf(${JSON.stringify(name)});
        const arg = name => process.argv.find(one => one.startsWith('--' + name + '='))?.split('=')[1];
        const note = text => appendFileSync(${JSON.stringify(notes)}, text + '\\n');
        const views = ${JSON.stringify(views)};`;
      writeFileSync(entry, `${prelude}\n${body}`);
      return { name, entry, views };
    },
    notes: () => readFileSync(notes, 'utf8').split('\n').slice(0, -1),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** A program that listens on its socket and drains when it is told to. */
export const WELL_BEHAVED = `
  createServer(() => {}).listen(arg('socket') ?? 0, () => {
    note('started ' + pid);
    self.listening(arg('socket') ?? 'port', views);
    self.ready();
  });
  self.onTerminate(async () => note('drained ' + process.argv[1].split('/').at(-1)));`;

/** Waits until `condition` gives something. */
export async function until<T>(condition: () => T | undefined | false, what: string): Promise<T> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const value = condition();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`it did not come to: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

/** Whether there is such a process (a zombie, whose parent has not asked for it yet, does not count). */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}
