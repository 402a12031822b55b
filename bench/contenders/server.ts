/** Starts a server that stands before the shard, and waits until it serves. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessGroup } from '@kcp-vw/e2e/harness/process-group.ts';
import { Client } from '@kcp-vw/e2e/support/client.ts';
import { eventually } from '@kcp-vw/e2e/support/eventually.ts';
import { childWithParameter } from '../proc/usage.ts';

export interface Program {
  readonly name: string;
  readonly executable: string;
  readonly parameters: readonly string[];
  /** One of the parameters, which no other process has. */
  readonly mark: string;
  /** Answers `probe` with 200 when it serves; undefined: it listens elsewhere, and is ready when those before it are. */
  readonly port?: number;
  readonly probe: string;
}

export interface RunningServer {
  readonly pid: number;
  /** Throws when something of it survives. */
  end(): Promise<void>;
}

export interface Surroundings {
  readonly workDir: string;
  /** PEM of who signed the serving certificate. */
  readonly authority: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Resolves when the program is ready. */
export async function startServer(program: Program, { authority, environment, workDir }: Surroundings): Promise<RunningServer> {
  const { executable, mark, name, parameters, port, probe } = program;
  const log = join(workDir, 'logs', `bench-${name}.log`);
  const output = openSync(log, 'w');
  const group = new ProcessGroup(executable, parameters, { environment, directory: workDir, output });
  closeSync(output);
  try {
    await eventually(`readiness of ${name}`, async () => {
      if (group.ended !== undefined) return;
      if (port === undefined) return;
      (await new Client(`https://127.0.0.1:${port}`, authority, { name: 'probe' }).get(probe)).expect(200);
    });
    if (group.ended !== undefined) throw new Error(`${name} ${group.ended}; see ${log}`);
    const pid = childWithParameter(mark);
    if (pid === undefined) throw new Error(`no process of ${name} was found`);
    return { pid, end: () => group.end() };
  } catch (error) {
    await group.end();
    throw error;
  }
}
