/** A shard with a fleet of ours that serves the views of syncers, too, and which of its processes is which. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findBinaries } from '@kcp-vw/e2e/harness/binaries.ts';
import { DevServers } from '@kcp-vw/e2e/harness/dev-servers.ts';
import { startKcp } from '@kcp-vw/e2e/harness/kcp-stage.ts';
import { makePlans } from '@kcp-vw/e2e/harness/plan.ts';
import type { Servers } from '@kcp-vw/e2e/harness/run.ts';
import { parseStat } from '../proc/files.ts';
import { treeOf } from '../proc/tree.ts';
import { descendantsNamed, type Processes } from '../proc/usage.ts';
import type { TargetName } from '../target.ts';

const PROJECT = join(import.meta.dirname, '..', '..');

export interface SyncerStage extends Servers {
  /** One line: what it is. */
  readonly title: string;
  /** Of the shard, and of each of ours. */
  readonly processes: Processes;
}

/** Groups of processes: the shard, all of ours, and of these the services that are asked. */
export const SHARD = 'shard';
export const FLEET = 'fleet';
export const SERVICES = ['front-proxy', 'apiexport-vw', 'syncer-vw'] as const;

/** Leaves nothing running when it rejects. */
export async function startStage(kind: TargetName, workDir: string, stop: AbortSignal): Promise<SyncerStage> {
  const [plan] = makePlans({ E2E_TOPOLOGY: 'fleet', E2E_VIEWS: 'syncer' }, PROJECT);
  if (plan === undefined) throw new Error('the harness of the end-to-end tests offers no fleet');
  const options = { project: PROJECT, workDir, plan, stop };
  const servers = kind === 'dev' ? await DevServers.start(options) : await startKcp(foundBinaries(), options);
  const shard = kind === 'dev' ? descendantsWith(join('dev', 'shard', 'src', 'main.ts')) : descendantsNamed('kcp');
  return {
    description: servers.description,
    logTails: () => servers.logTails(),
    end: () => servers.end(),
    title: kind === 'dev' ? 'the dev shard, an in-memory kcp in Node' : 'a real kcp with one shard',
    processes: {
      [SHARD]: shard,
      [FLEET]: descendantsWith(join('cli', 'src', 'main.ts')),
      ...Object.fromEntries(SERVICES.map(name => [name, descendantsWith(join('services', name, 'src', 'main.ts'))])),
    },
  };
}

function foundBinaries(): Extract<ReturnType<typeof findBinaries>, { found: true }> {
  const binaries = findBinaries(process.env);
  if (!binaries.found) throw new Error(`no kcp can be started: there is ${binaries.why}`);
  return binaries;
}

interface Found {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** All processes that this one has started, with their command lines. */
function descendants(): Found[] {
  const all = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        const { parent } = parseStat(readFileSync(`/proc/${name}/stat`, 'utf8'));
        return [{ pid: Number(name), parent, command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ') }];
      } catch (error) {
        // It has ended in between.
        if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return [];
        throw error;
      }
    });
  return treeOf([process.pid], all).filter(({ pid }) => pid !== process.pid);
}

const descendantsWith = (text: string): number[] =>
  descendants()
    .filter(({ command }) => command.includes(text))
    .map(({ pid }) => pid);
