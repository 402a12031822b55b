import type { Options } from '@kcp-vw/shared/config/options.ts';
import type { ProcessHooks } from '@kcp-vw/shared/observe/lifeline.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import { runInThisProcess } from '@kcp-vw/shared/observe/this-process.ts';

/** What the module of the single topology exports. */
export interface SingleModule {
  /** Starts every view in this process. Resolves when it listens; rejects, with a sentence, when it cannot. */
  runSingle(options: Options, hooks: ProcessHooks): Promise<void>;
}

/** Runs everything in this process until a signal. Returns the exit code. */
export async function runSingleProcess(options: Options, module: string, log: Logger): Promise<number> {
  return runInThisProcess(options, log, async hooks => {
    const { runSingle }: SingleModule = await import(module);
    await runSingle(options, hooks);
  });
}
