import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessGroup } from './process-group.ts';

/** How many tests ended in which way. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of Jest's JSON report that is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** Files that could not even be loaded; their tests are counted nowhere else. */
  readonly numRuntimeErrorTestSuites: number;
}

export interface TestRun {
  readonly project: string;
  /** The description of the target, and the folder for the report. */
  readonly targetFile: string;
  readonly workDir: string;
  /** Further parameters of Jest, e.g. the name of a file. */
  readonly parameters: readonly string[];
  /** Those that take long, too. */
  readonly long: boolean;
  readonly stop: AbortSignal;
}

/** Tests that count what is open or end processes: they run after the others, one at a time. */
const ALONE = 'e2e/alone/*.test.ts';
/** Of these what takes long, since it waits for faults to be over or compares whole worlds. */
const LONG = 'e2e/long/*.test.ts';
const TOGETHER = 'e2e/*.test.ts';

/** Runs the end-to-end tests against a described target. Throws when Jest reports nothing or is stopped. */
export async function runTests(run: TestRun): Promise<Counts> {
  const phase = (name: string, files: string, ...how: readonly string[]): Promise<Counts> =>
    runJest(run, name, [...how, `--testMatch=${join(run.project, files)}`]);
  const counts = [await phase('together', TOGETHER), await phase('alone', ALONE, '--runInBand')];
  if (run.long) counts.push(await phase('long', LONG, '--runInBand'));
  const sum = (of: keyof Counts): number => counts.reduce((total, one) => total + one[of], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

async function runJest(run: TestRun, phase: string, selection: readonly string[]): Promise<Counts> {
  const { project, targetFile, workDir, parameters, stop } = run;
  const reportFile = join(workDir, `report-${phase}.json`);
  const jest = new ProcessGroup(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(project, 'node_modules', 'jest', 'bin', 'jest.js'),
      '--config',
      join(project, 'jest.e2e.config.json'),
      '--json',
      `--outputFile=${reportFile}`,
      '--verbose',
      // Parameters may select files of one phase only.
      '--passWithNoTests',
      // First: --testMatch would take them for further patterns of its own.
      ...parameters,
      ...selection,
    ],
    // Jest's own report goes to standard error; standard output would only repeat it as JSON.
    { environment: { ...process.env, E2E_TARGET: targetFile }, directory: project, output: 2 },
  );
  await jest.untilEnded(stop);
  await jest.end();
  if (stop.aborted) throw new Error('the tests were stopped before they had ended');
  if (!existsSync(reportFile)) throw new Error(`Jest ${jest.ended ?? 'still runs'} without a report`);
  const report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}
