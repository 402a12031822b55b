import { asksForHelp, type Command, parseArguments } from '@kcp-vw/shared/config/flags.ts';
import { validateFiles } from '@kcp-vw/shared/config/flags-files.ts';
import { flagsHelp } from '@kcp-vw/shared/config/flags-help.ts';
import type { Options } from '@kcp-vw/shared/config/options.ts';
import { createLogger, type Logger } from '@kcp-vw/shared/observe/log.ts';
import { startupSentence } from '@kcp-vw/shared/observe/startup-error.ts';

export interface CommandLine {
  readonly command: Command;
  /** What `--help` says before the flags. */
  readonly usage: string;
  /** Of the log. */
  readonly name: string;
  readonly argv: readonly string[];
  /** Runs until it is told to stop. Returns the exit code; a reason not to start is an Error. */
  readonly run: (options: Options, log: Logger) => Promise<number>;
}

/** Takes a command from its flags to its exit code: flags and files are judged first, and a reason is one sentence on standard error. */
export async function runCommand({ command, usage, name, argv, run }: CommandLine): Promise<number> {
  if (asksForHelp(argv)) {
    process.stdout.write(`${usage}${flagsHelp(command)}`);
    return 0;
  }
  try {
    const { options, notices } = parseArguments(argv, command);
    validateFiles(options);
    const log = createLogger({ name, verbosity: options.verbosity });
    if (notices.length > 0) log.info({ notices }, 'flags with an old name or without effect');
    return await run(options, log);
  } catch (error) {
    return fail(error);
  }
}

/** Says why not, and returns the exit code for it. */
export function fail(error: unknown): number {
  process.stderr.write(`kcp-vw: ${startupSentence(error)}\n`);
  return 1;
}
