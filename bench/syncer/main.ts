/** Measures the view of a syncer against the same objects as they are, from the same processes in the same run. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Measurement } from '../load/job.ts';
import { writeResults } from '../readme.ts';
import { describeMachine } from '../report/report.ts';
import { type CaseName, type ContenderName, type Content, caseNamed, UNREPORTED } from './cases.ts';
import { SyncerLoad } from './load-process.ts';
import { parseOptions, type SyncerOptions, USAGE } from './options.ts';
import { renderReport, type SyncerRow } from './report.ts';
import { type SyncerStage, startStage } from './stage.ts';

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Aborted by whoever interrupts the run: servers in groups of their own would outlive it. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort(new Error('interrupted')));
  process.on('uncaughtException', error => stop.abort(error));
  return stop.signal;
}

function interruption(stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = (): void => reject(stop.reason);
    if (stop.aborted) give();
    else stop.addEventListener('abort', give, { once: true });
  });
}

interface Run {
  readonly options: SyncerOptions;
  readonly content: Content;
  readonly load: SyncerLoad;
  readonly stage: SyncerStage;
  readonly stop: AbortSignal;
}

/** What every process of ours compiles is not part of what it is asked. */
const COMPILING: readonly CaseName[] = ['list-gzip', 'list', 'get', 'status-promoted', 'status-unpromoted'];

async function measure(run: Run): Promise<SyncerRow[]> {
  const { options } = run;
  const { contenders } = run.content;
  say('warming up');
  for (const name of COMPILING.filter(one => options.cases.includes(one))) {
    for (const { name: contender } of contenders) await measureOne({ ...run, options: compiling(options) }, name, contender);
  }
  const rows: SyncerRow[] = [];
  for (const name of options.cases) {
    const measured = new Map<ContenderName, Measurement[]>(contenders.map(contender => [contender.name, []]));
    for (let round = 0; round < options.rounds; round++) {
      // In each round in another order: whoever comes first finds another machine.
      const shift = round % contenders.length;
      for (const contender of [...contenders.slice(shift), ...contenders.slice(0, shift)]) {
        const result = await measureOne(run, name, contender.name);
        measured.get(contender.name)?.push(result);
        say(`${name} ${contender.name}: ${(result.operations / result.seconds).toFixed(1)}/s, ${describeCPU(result)}`);
      }
    }
    const { title, unit } = caseNamed(name);
    rows.push({ title, unit, measured });
  }
  return rows;
}

const compiling = (options: SyncerOptions): SyncerOptions => ({ ...options, warmUp: 0, duration: options.compilation });

const describeCPU = ({ cpu }: Measurement): string =>
  Object.entries(cpu)
    .map(([name, spent]) => `${name} ${spent.toFixed(2)}`)
    .join(', ');

async function measureOne(
  { content, load, options, stage, stop }: Run,
  name: CaseName,
  contender: ContenderName,
): Promise<Measurement> {
  stop.throwIfAborted();
  const asked = content.contenders.find(candidate => candidate.name === contender);
  if (asked === undefined) throw new Error(`there is no ${contender}`);
  const { duration, warmUp } = options;
  return load.run(await caseNamed(name).job(asked, content, { duration, warmUp }, stage.processes));
}

/** Fills the shard and measures; returns the report. */
async function report(stage: SyncerStage, workDir: string, options: SyncerOptions, stop: AbortSignal): Promise<string> {
  // The helpers of the end-to-end tests read the description of their target when they are loaded, so it has to be there before.
  const file = join(workDir, 'target.json');
  writeFileSync(file, JSON.stringify(stage.description));
  process.env.E2E_TARGET = file;
  const { fill } = await import('./create.ts');
  say(`creating ${options.objects} Deployments`);
  // What is not synced is written by two.
  const content = await fill({ objects: options.objects, unreported: 2 * options.rounds * UNREPORTED, stop, say });
  const load = new SyncerLoad();
  try {
    const command = ['npm run syncer -w bench --', ...process.argv.slice(2)].join(' ');
    const rows = await measure({ options, content, load, stage, stop });
    const rounds = options.rounds === 1 ? 'one round' : `medians of ${options.rounds} rounds`;
    const rule = `${options.objects.toLocaleString('en')} objects, ${rounds}`;
    return renderReport(rows, `\`${command}\`: ${stage.title}; ${describeMachine()}; ${rule}.`);
  } finally {
    content.stop();
    load.end();
  }
}

/** Ends all servers however the work ends. The folder with the logs stays behind when it failed. */
async function compare(options: SyncerOptions, stop: AbortSignal): Promise<void> {
  const workDir = mkdtempSync(join(tmpdir(), 'kcp-vw-bench-'));
  say(`starting the ${options.target} shard in ${workDir}`);
  const stage = await startStage(options.target, workDir, stop);
  let text: string | undefined;
  try {
    text = await Promise.race([report(stage, workDir, options, stop), interruption(stop)]);
  } finally {
    await stage.end();
    if (text === undefined) say(`the logs are in ${join(workDir, 'logs')}`);
    else rmSync(workDir, { recursive: true });
  }
  say(`\n${text}\n`);
  if (options.write) writeResults('syncer', text);
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
  await compare(options, stopSignal());
}

try {
  await main();
  process.exit(0);
} catch (error) {
  say(`syncer: FAILED: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
