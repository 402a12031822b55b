import { execFile, execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** The command of Compose in front of its parameters: a plugin of Docker, or a program of its own. */
export type Compose =
  | { readonly found: true; readonly command: readonly string[] }
  | { readonly found: false; readonly why: string };

const CANDIDATES = [['docker', 'compose'], ['docker-compose']] as const;

/** Looks for Docker with a daemon that answers, and for Compose. */
export function findCompose(): Compose {
  const problem = failureOf(['docker', 'version', '--format', '{{.Server.Version}}']);
  if (problem !== undefined) return { found: false, why: `no Docker with a running daemon (${problem})` };
  const command = CANDIDATES.find(candidate => failureOf([...candidate, 'version']) === undefined);
  return command ? { found: true, command } : { found: false, why: 'no Docker Compose' };
}

/** Why a command cannot be used; undefined when it can. */
function failureOf([program = '', ...parameters]: readonly string[]): string | undefined {
  try {
    execFileSync(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', timeout: 10_000 });
    return undefined;
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    return code === 'ENOENT' ? `${program} is not installed` : (stderr?.trim().split('\n').at(-1) ?? String(error));
  }
}

export interface RunOptions {
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** A file that gets what the command says. */
  readonly log?: string | undefined;
  readonly stop?: AbortSignal | undefined;
}

const TAIL_LINES = 25;
const MOST_OUTPUT = 64 * 1024 * 1024;

/** Runs a command to its end and returns its standard output. Throws, with its last lines, when it fails or is stopped. */
export async function run([program = '', ...parameters]: readonly string[], options: RunOptions): Promise<string> {
  const { directory, environment, log, stop } = options;
  const note = (text: string): void => {
    if (log !== undefined) appendFileSync(log, text);
  };
  note(`\n$ ${[program, ...parameters].join(' ')}\n`);
  try {
    const child = promisify(execFile)(program, parameters, {
      cwd: directory,
      env: environment,
      maxBuffer: MOST_OUTPUT,
      ...(stop && { signal: stop }),
    });
    const { stdout, stderr } = await child;
    note(stderr + stdout);
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    note(stderr + stdout);
    const last = `${stdout}${stderr}`.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
    throw new Error(`${program} ${parameters.join(' ')} failed:\n${last || String(error)}`, { cause: error });
  }
}
