import { asksForHelp, type Command, parseArguments } from '../config/flags.ts';
import { validateFiles } from '../config/flags-files.ts';
import { flagsHelp } from '../config/flags-help.ts';
import type { Options } from '../config/options.ts';
import { createLogger, type Logger, written } from './log.ts';
import { startupSentence } from './startup-error.ts';

export interface CommandLine {
  readonly command: Command;
  /** What `--help` says before the flags. */
  readonly usage: string;
  /** Of the log. */
  readonly name: string;
  readonly argv: readonly string[];
  /** Who speaks on standard error; absent: `kcp-vw`. */
  readonly program?: string;
  /** Runs until it is told to stop. Returns the exit code; a reason not to start is an Error. */
  readonly run: (options: Options, log: Logger) => Promise<number>;
}

/** Takes a command from its flags to its exit code: flags and files are judged first, and a reason is one sentence on standard error. */
export async function runCommand({ command, usage, name, argv, program, run }: CommandLine): Promise<number> {
  if (asksForHelp(argv)) {
    process.stdout.write(`${usage}${flagsHelp(command)}`);
    return 0;
  }
  let log: Logger | undefined;
  try {
    const { options, notices } = parseArguments(argv, command);
    validateFiles(options);
    log = createLogger({ name, verbosity: options.verbosity });
    if (notices.length > 0) log.info({ notices }, 'flags with an old name or without effect');
    return await run(options, log);
  } catch (error) {
    // The sentence is the last thing said.
    await (log && written(log));
    return fail(error, program);
  }
}

/** Says why not, and returns the exit code for it. */
export function fail(error: unknown, program = 'kcp-vw'): number {
  process.stderr.write(`${program}: ${startupSentence(error)}\n`);
  return 1;
}
