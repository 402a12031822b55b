import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { isExecutable } from '../e2e/harness/binaries.ts';
import { say } from '../e2e/harness/run.ts';
import { type GoCounts, type GoEvent, GoReport } from './go-report.ts';

/** Where Go's own installer puts it, which not everybody has on `PATH`. */
const USUAL_FOLDER = '/usr/local/go/bin';

/** The path of the program `go`, or undefined where it is not installed. */
export function findGo(environment: NodeJS.ProcessEnv): string | undefined {
  const folders = [...(environment.PATH ?? '').split(delimiter), USUAL_FOLDER];
  return folders.map(folder => join(folder, 'go')).find(isExecutable);
}

/** The Go module beside this file. */
export class GoModule {
  readonly #go: string;
  readonly #folder: string;
  readonly #stop: AbortSignal;

  constructor(go: string, folder: string, stop: AbortSignal) {
    this.#go = go;
    this.#folder = folder;
    this.#stop = stop;
  }

  /** Fetches and compiles what the tests stand on, and vets them. Throws when something is wrong with them. */
  async vet(): Promise<void> {
    const child = this.#start(['vet', './...'], {}, 'inherit');
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`go vet exited with code ${code}`);
  }

  /** Runs the tests and shows their results as they come. Throws when the run is stopped. */
  async test(parameters: readonly string[], variables: Readonly<Record<string, string>>): Promise<GoCounts> {
    // -count: a result that Go has kept says nothing about these servers.
    const child = this.#start(['test', '-json', '-count=1', ...parameters, './...'], variables, 'pipe');
    const report = new GoReport();
    const [[code]] = await Promise.all([once(child, 'close'), show(child.stdout, report)]);
    if (this.#stop.aborted) throw new Error('the Go tests were stopped before they had ended');
    const counts = report.counts();
    if (code !== 0 && counts.failed === 0) throw new Error(`go test exited with code ${code}`);
    return counts;
  }

  #start(parameters: readonly string[], variables: Readonly<Record<string, string>>, output: 'inherit' | 'pipe'): ChildProcess {
    say(`go ${parameters.join(' ')}`);
    const child = spawn(this.#go, parameters, {
      cwd: this.#folder,
      // In a group of its own, so that the programs it starts end with it.
      detached: true,
      // Without a C compiler, as in most containers.
      env: { CGO_ENABLED: '0', ...process.env, ...variables },
      stdio: ['ignore', output, 'inherit'],
    });
    const end = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid);
    };
    this.#stop.addEventListener('abort', end);
    child.once('exit', () => this.#stop.removeEventListener('abort', end));
    return child;
  }
}

async function show(output: Readable | null, report: GoReport): Promise<void> {
  if (output === null) throw new Error('go test has no standard output');
  for await (const line of createInterface(output)) {
    // What is no JSON comes from the go command itself.
    process.stdout.write(line.startsWith('{') ? report.take(JSON.parse(line) as GoEvent) : `${line}\n`);
  }
}
