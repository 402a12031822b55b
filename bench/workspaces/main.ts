/** Measures the view "workspaces" on worlds of several sizes, each in a process of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { profilesIn, profileTime, summarizeProfile } from '../profile.ts';
import { writeResults } from '../readme.ts';
import { describeMachine } from '../report/report.ts';
import { measureChanges } from './cases/changes.ts';
import { measureLists } from './cases/lists.ts';
import { measureWatchers } from './cases/watchers.ts';
import { Lister } from './client.ts';
import { type Part, parseOptions, USAGE, type WorkspacesOptions } from './options.ts';
import type { Pace } from './pace.ts';
import { numbered, renderReport } from './report.ts';
import type { WorldResult } from './results.ts';
import type { Run } from './run.ts';
import { startServer } from './server-process.ts';
import { World, type WorldSize } from './world.ts';

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** `flags` are Node's, for the measured process. The folder, for a socket and what else comes, is gone afterwards. */
async function withWorld<T>(
  size: WorldSize,
  pace: Pace,
  flags: (folder: string) => string[],
  work: (run: Run) => Promise<T>,
  after: (folder: string) => void = () => undefined,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'kcp-vw-workspaces-'));
  const socketPath = join(folder, 'view.sock');
  try {
    say(`${numbered(size.workspaces)} workspaces`);
    const server = await startServer({ size, socketPath }, flags(folder));
    const lister = new Lister(socketPath);
    let revisions = 0;
    try {
      return await work({ world: new World(size), server, socketPath, lister, pace, revision: () => ++revisions });
    } finally {
      await lister.close();
      await server.end();
      after(folder);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const measureWorld = (size: WorldSize, { pace, watchers }: WorkspacesOptions): Promise<WorldResult> =>
  withWorld(
    size,
    pace,
    () => [],
    async run => {
      const { filled } = run.server;
      say('lists');
      const lists = await measureLists(run);
      say('changes');
      const changes = await measureChanges(run);
      say(`${watchers} watchers`);
      return { size, filled, lists, changes, watchers: await measureWatchers(run, watchers) };
    },
  );

async function profile(size: WorldSize, part: Part, { pace, watchers }: WorkspacesOptions): Promise<void> {
  const began = profileTime();
  let period = { from: began, to: began };
  const flags = (folder: string): string[] => ['--cpu-prof', `--cpu-prof-dir=${folder}`];
  const tell = (folder: string): void => {
    for (const file of profilesIn(folder)) say(`\n${summarizeProfile(file, period)}`);
  };
  const work = async (run: Run): Promise<void> => {
    const from = part === 'fill' ? began : profileTime();
    if (part === 'lists') await measureLists(run);
    if (part === 'changes') await measureChanges(run);
    if (part === 'watchers') await measureWatchers(run, watchers);
    period = { from, to: profileTime() };
  };
  await withWorld(size, pace, flags, work, tell);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const [first] = options.worlds;
  if (options.profile && first) return await profile(first, options.profile, options);
  const results: WorldResult[] = [];
  for (const size of options.worlds) results.push(await measureWorld(size, options));
  const command = ['npm run workspaces -w bench --', ...process.argv.slice(2)].join(' ');
  const text = renderReport(results, `\`${command}\`: ${describeMachine()}.`);
  say(`\n${text}\n`);
  if (options.write) writeResults('workspaces', text);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  say(`workspaces: FAILED: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
