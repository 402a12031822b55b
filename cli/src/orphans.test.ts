import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createFakePrograms, type FakePrograms, isRunning, until, WELL_BEHAVED } from './fake-programs.ts';

/** kcp's test harness ends its servers with SIGKILL, and the next one needs their ports. */
describe('after SIGKILL of the supervisor', () => {
  let programs: FakePrograms;
  let folder: string;
  beforeEach(() => {
    programs = createFakePrograms();
    folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  });
  afterEach(() => {
    programs.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test('no process is left, not even one that is blocked, and no folder', async () => {
    const all = [
      programs.program('front-proxy', WELL_BEHAVED),
      programs.program('a-vw', WELL_BEHAVED, ['one']),
      programs.program('b-vw', `note('started ' + pid); for (;;);`),
    ];
    const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    const script = join(programs.folder, 'supervisor.mjs');
    writeFileSync(
      script,
      `import { startFleet } from ${module('./supervisor.ts')};
       import { parseFlags } from ${module('../../shared/src/config/flags.ts')};
       import { createLogger } from ${module('../../shared/src/observe/log.ts')};
       const [frontProxy, ...services] = ${JSON.stringify(all)};
       startFleet({ options: parseFlags(['--kubeconfig=x']), frontProxy, services, folder: ${JSON.stringify(folder)},
         log: createLogger({ name: 'x', verbosity: 0 }) });`,
    );
    const supervisor = spawn(process.execPath, [script], { stdio: 'ignore' });
    const pids = await until(() => {
      const started = programs.notes().map(note => Number(note.replace('started ', '')));
      return started.length === 3 && started;
    }, 'all three run');
    expect(pids.every(isRunning)).toBe(true);

    supervisor.kill('SIGKILL');
    await until(() => !pids.some(isRunning), 'no process is left');
    await until(() => !existsSync(folder), 'the folder is removed');
  });
});
