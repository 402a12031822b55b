import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type RunningServer, startServer } from '@kcp-vw/bench/contenders/server.ts';
import { views } from '@kcp-vw/bench/contenders/views.ts';
import { type Binaries, isExecutable } from '../harness/binaries.ts';
import { describeWorkDir } from '../harness/describe-work-dir.ts';
import { KcpServer } from '../harness/kcp-server.ts';
import { makePlans, startedCommand, writeStarter } from '../harness/plan.ts';
import { freePorts, requireFreePorts } from '../harness/ports.ts';
import { say } from '../harness/run.ts';
import type { Side } from './sides.ts';

const PROJECT = join(import.meta.dirname, '../..');

export interface ServerOptions {
  readonly binaries: Binaries & { readonly found: true };
  /** Which server answers beside the one that serves kcp itself. */
  readonly second: 'ours' | 'kcp';
  /** How ours is started: `fleet` or `single`. */
  readonly topology: string;
  readonly stop: AbortSignal;
}

export interface Started {
  /** The file that `compare.ts` is given: the description of the target, and of the two sides. */
  readonly file: string;
  readonly workDir: string;
}

/**
 * Starts one kcp with its own Go server, and a second server of virtual workspaces with the same parameters on another port. Ends all of
 * them when `work` has ended; the folder with the logs stays behind unless `work` resolves to true.
 */
export async function withServers(options: ServerOptions, work: (started: Started) => Promise<boolean>): Promise<boolean> {
  const { binaries, stop } = options;
  await requireFreePorts();
  const goProgram = findGoProgram(binaries.path);
  const [plan] = makePlans({ E2E_VIRTUAL_WORKSPACES: goProgram }, PROJECT);
  if (plan === undefined) throw new Error('the harness offers no plan for the program of kcp');
  const workDir = mkdtempSync(join(tmpdir(), 'kcp-vw-side-by-side-'));
  say(`starting kcp with its own virtual workspaces in ${workDir}`);
  const kcp = KcpServer.start({ binaries, workDir, virtualWorkspaces: writeStarter(plan, workDir), stop });
  let second: RunningServer | undefined;
  let succeeded = false;
  try {
    await kcp.untilReady();
    const description = describeWorkDir(workDir, plan);
    const [port = 0] = await freePorts(1);
    second = await startSecond(options, goProgram, port, workDir, description.servingAuthority);
    const sides: readonly [Side, Side] = [
      { name: 'kcp', url: description.virtualWorkspaceURL },
      { name: options.second === 'ours' ? 'ours' : 'kcp again', url: `https://127.0.0.1:${port}` },
    ];
    const file = join(workDir, 'target.json');
    writeFileSync(file, JSON.stringify({ ...description, sides }, undefined, 2));
    succeeded = await work({ file, workDir });
    return succeeded;
  } catch (error) {
    say(kcp.logTails());
    throw error;
  } finally {
    await second?.end();
    await kcp.end();
    if (succeeded) rmSync(workDir, { recursive: true });
    else say(`the logs are in ${join(workDir, 'logs')}`);
  }
}

function findGoProgram(path: string): string {
  const found = path
    .split(delimiter)
    .map(folder => join(folder, 'virtual-workspaces'))
    .find(isExecutable);
  if (found === undefined) throw new Error('there is no program `virtual-workspaces` of kcp in the folder that KCP_BIN names');
  return found;
}

function startSecond(
  { second, topology }: ServerOptions,
  goProgram: string,
  port: number,
  workDir: string,
  authorityFile: string,
): Promise<RunningServer> {
  const program =
    second === 'ours'
      ? { name: 'ours', executable: join(PROJECT, 'bin', 'virtual-workspaces'), parameters: [`--topology=${topology}`] }
      : { name: 'kcp-again', executable: goProgram, parameters: [] };
  const authority = readFileSync(authorityFile, 'utf8');
  say(`starting ${program.executable} beside it, at port ${port}`);
  return startServer(views({ ...program, port }, startedCommand(workDir), workDir), {
    workDir,
    authority,
    environment: process.env,
  });
}
