/** Compares virtual workspaces that stand before the same shard, in one run. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoadProcess } from './load-process.ts';
import { isMeasurement, measure, measureCell, type Run } from './measure.ts';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import { profilesIn, profileTime, summarizeProfile } from './profile.ts';
import { Patience } from './quiet.ts';
import { writeResults } from './readme.ts';
import { renderReport } from './report/report.ts';
import { withTarget } from './stand.ts';
import type { ShardKind, Target } from './target.ts';
import { dev } from './targets/dev.ts';
import { kcp } from './targets/kcp.ts';

/** In the order in which they are preferred. */
const KINDS: readonly ShardKind[] = [kcp, dev];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Aborted by whoever interrupts the run and by what nobody caught: servers in groups of their own would outlive it. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort(new Error('interrupted')));
  process.on('uncaughtException', error => stop.abort(error));
  return stop.signal;
}

function chooseKind(wanted: BenchOptions['target']): ShardKind {
  const candidates = KINDS.filter(({ name }) => wanted === undefined || name === wanted);
  const found = candidates.find(candidate => candidate.unavailable() === undefined);
  if (found !== undefined) return found;
  throw new Error(candidates.map(candidate => `${candidate.name}: ${candidate.unavailable()}`).join('; '));
}

/** What a measurement needs, with a load generator that ends with `work`. */
async function withLoad<T>(target: Target, options: BenchOptions, stop: AbortSignal, work: (run: Run) => Promise<T>): Promise<T> {
  const load = new LoadProcess();
  try {
    return await work({
      target,
      load,
      probe: options.workload.probe,
      timing: options.timing,
      patience: new Patience(options.patience, say),
      stop,
      say,
    });
  } finally {
    load.end();
  }
}

async function compare(kind: ShardKind, options: BenchOptions, stop: AbortSignal): Promise<void> {
  const began = performance.now();
  await withTarget(kind, { stop, say, workload: options.workload, only: options.contenders }, async target => {
    const results = await withLoad(target, options, stop, run => measure(run, options.cases, options.rounds));
    const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
    const text = renderReport(results, { ...options, command, target: target.description, day: new Date() });
    say(`\n${text}\n`);
    if (options.write) writeResults(options.workload.name, text);
    const failed = results.rows
      .flatMap(({ cells }) => cells)
      .some(({ result }) => typeof result === 'object' && 'failed' in result);
    return failed ? 'failed' : 'succeeded';
  });
  say(`in ${((performance.now() - began) / 60_000).toFixed(1)} minutes`);
}

/** Runs one case on one contender of ours under the profiler, which writes when the contender's processes end. */
async function profile(kind: ShardKind, options: BenchOptions, stop: AbortSignal): Promise<void> {
  const profileFolder = mkdtempSync(join(tmpdir(), 'kcp-vw-profile-'));
  let end = 0;
  await withTarget(kind, { stop, say, workload: options.workload, only: options.contenders, profileFolder }, async target => {
    const [contender] = target.contenders;
    const [wanted] = options.cases;
    if (contender === undefined || wanted === undefined) throw new Error(`there is no ${options.contenders.join()} to profile`);
    const result = await withLoad(target, options, stop, run => measureCell(run, wanted, contender));
    end = profileTime();
    return isMeasurement(result) ? 'succeeded' : 'failed';
  });
  const profiles = profilesIn(profileFolder);
  if (profiles.length === 0) throw new Error(`no process has written a profile into ${profileFolder}`);
  const period = { from: end - options.timing.duration * 1_000, to: end };
  for (const file of profiles) say(`\n${summarizeProfile(file, period)}`);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  if (!existsSync('/proc/stat')) {
    say('SKIPPED: what processes cost is read from Linux’s /proc, and there is none here.');
    return;
  }
  const kind = chooseKind(options.target);
  const stop = stopSignal();
  if (options.profile === undefined) await compare(kind, options, stop);
  else await profile(kind, options, stop);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  say(`bench: FAILED: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
