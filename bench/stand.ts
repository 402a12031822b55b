/** A shard with content and everything before it, from its start to its end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningServer } from './contenders/server.ts';
import { startContenders } from './contenders/start.ts';
import type { ContenderName, ShardKind, StartedShard, Target } from './target.ts';
import type { Workload, WorkloadKind } from './workload.ts';

export interface StandOptions {
  readonly workload: WorkloadKind;
  readonly only: readonly ContenderName[];
  readonly profileFolder?: string;
  readonly stop: AbortSignal;
  readonly say: (text: string) => void;
}

/** Runs `work` on a target, and ends all servers however the work ends. The folder with the logs stays behind when it failed. */
export async function withTarget(
  kind: ShardKind,
  options: StandOptions,
  work: (target: Target) => Promise<'succeeded' | 'failed'>,
) {
  const { say, stop } = options;
  const workDir = mkdtempSync(join(tmpdir(), 'kcp-vw-bench-'));
  const running: RunningServer[] = [];
  let shard: StartedShard | undefined;
  let outcome = 'failed';
  try {
    say(`starting the ${kind.name} shard in ${workDir}`);
    shard = await kind.start({ workDir, stop });
    const target = await standBefore(shard, { ...options, workDir, running });
    outcome = await Promise.race([work(target), interruption(stop)]);
  } finally {
    await endAll([...running, ...(shard === undefined ? [] : [shard])]);
    if (outcome === 'succeeded') rmSync(workDir, { recursive: true });
    else say(`the logs are in ${join(workDir, 'logs')}`);
  }
}

/** Ends each of them even where another one cannot be ended. Throws for the first of those. */
async function endAll(servers: readonly Pick<RunningServer, 'end'>[]): Promise<void> {
  const failures: unknown[] = [];
  for (const server of servers) await server.end().catch(error => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

function interruption(stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = (): void => reject(stop.reason);
    if (stop.aborted) give();
    else stop.addEventListener('abort', give, { once: true });
  });
}

async function standBefore(
  shard: StartedShard,
  options: StandOptions & { workDir: string; running: RunningServer[] },
): Promise<Target> {
  const workload = await createWorkload(shard, options);
  const contenders = await startContenders({ ...options, shard, workload, profileFolder: options.profileFolder });
  return { description: shard.description, contenders, processes: shard.processes, writer: workload.shard };
}

/** The helpers of the end-to-end tests read the description of their target when they are loaded, so it has to be there before. */
async function createWorkload(
  { target }: StartedShard,
  { say, stop, workDir, workload }: StandOptions & { workDir: string },
): Promise<Workload> {
  const file = join(workDir, 'target.json');
  writeFileSync(file, JSON.stringify(target));
  process.env.E2E_TARGET = file;
  return workload.create(say, stop);
}
