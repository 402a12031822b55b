/** Files that change while the process runs: certificates, kubeconfigs, token files. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export type FileContents = ReadonlyMap<string, Buffer>;

export interface WatchFilesOptions {
  /** Milliseconds between two looks. */
  readonly intervalMs?: number;
  /** A file that cannot be read, or contents that `onChange` rejects. Called once per problem, not once per look. */
  readonly onError: (error: Error) => void;
}

export interface FileWatch {
  /** What the files held when they were last accepted by `onChange` (at first: when the watch began). */
  readonly contents: FileContents;
  /** Looks now, and waits for the outcome. */
  check(): Promise<void>;
  close(): void;
}

/**
 * Calls `onChange` with all contents whenever those of any file differ from the last look. Throws if a file cannot be read at the start.
 *
 * Files are read at every look instead of being watched: inotify loses a file that is replaced by rename, Kubernetes swaps a symbolic
 * link two levels above a mounted secret, and a modification time is too coarse for two writes within its tick. A look at a few
 * certificates costs microseconds.
 *
 * A look may see one file new and the other still old, or half a file. `onChange` then throws, its last good state stays in use, and
 * the next look sees the rest.
 */
export function watchFiles(
  paths: readonly string[],
  onChange: (contents: FileContents) => void | Promise<void>,
  { intervalMs = 5_000, onError }: WatchFilesOptions,
): FileWatch {
  let seen: FileContents = new Map(paths.map(path => [path, readFileSync(path)]));
  let accepted = seen;
  let lastProblem = '';
  let looking: Promise<void> | undefined;
  let closed = false;

  const look = async (): Promise<void> => {
    try {
      const now: FileContents = new Map(await Promise.all(paths.map(async path => [path, await readFile(path)] as const)));
      if (closed) return;
      if (!sameContents(seen, now)) {
        seen = now;
        await onChange(now);
        accepted = now;
        lastProblem = '';
      } else if (seen === accepted) {
        lastProblem = '';
      }
    } catch (error) {
      const problem = error instanceof Error ? error : new Error(String(error));
      if (!closed && problem.message !== lastProblem) onError(problem);
      lastProblem = problem.message;
    }
  };

  const check = (): Promise<void> => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };

  // Looks never overlap: the next one is planned when this one is done.
  let timer: NodeJS.Timeout;
  const plan = (): void => {
    if (closed) return;
    timer = setTimeout(() => void check().then(plan), intervalMs);
    timer.unref();
  };
  plan();

  return {
    get contents() {
      return accepted;
    },
    check,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function sameContents(before: FileContents, now: FileContents): boolean {
  for (const [path, content] of now) if (!before.get(path)?.equals(content)) return false;
  return true;
}
