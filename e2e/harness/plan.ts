import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Implementation } from '../target.ts';
import { isExecutable } from './binaries.ts';

/** One run of the tests: which executable serves the virtual workspaces, and how. */
export interface Plan {
  readonly name: string;
  readonly implementation: Implementation;
  readonly executable: string;
  /** Parameters besides those that kcp's test server gives. */
  readonly parameters: readonly string[];
  /** Ports of the ops servers of our own processes, by process name. */
  readonly ops: Readonly<Record<string, number>>;
}

/** The first of the ops servers' ports; the services follow in their order. */
const OPS_PORT = 9470;

const PROCESSES = new Map([
  ['single', ['front-proxy']],
  ['fleet', ['front-proxy', 'initializer-vw']],
]);

const TOPOLOGIES = new Map([
  ['single', ['single']],
  ['fleet', ['fleet']],
  ['both', ['fleet', 'single']],
]);

/**
 * What `E2E_TOPOLOGY` (single, fleet or both; by default fleet) asks for, or one run of the executable that
 * `E2E_VIRTUAL_WORKSPACES` names: kcp's Go program, unless `E2E_IMPLEMENTATION` says `kcp-vw`.
 */
export function makePlans(environment: NodeJS.ProcessEnv, project: string): Plan[] {
  const other = environment.E2E_VIRTUAL_WORKSPACES;
  const executable = other ?? join(project, 'bin', 'virtual-workspaces');
  if (!isExecutable(executable)) throw new Error(`${executable} is no executable file; E2E_VIRTUAL_WORKSPACES may name another`);
  const implementation = environment.E2E_IMPLEMENTATION ?? (other === undefined ? 'kcp-vw' : 'kcp-go');
  if (implementation !== 'kcp-vw' && implementation !== 'kcp-go') {
    throw new Error(`E2E_IMPLEMENTATION is ${implementation}; it may be kcp-vw or kcp-go`);
  }
  if (implementation === 'kcp-go') return [{ name: 'baseline', implementation, executable, parameters: [], ops: {} }];
  const wanted = environment.E2E_TOPOLOGY ?? 'fleet';
  const topologies = TOPOLOGIES.get(wanted);
  if (topologies === undefined) throw new Error(`E2E_TOPOLOGY is ${wanted}; it may be ${[...TOPOLOGIES.keys()].join(', ')}`);
  return topologies.map(name => {
    const ops = Object.fromEntries((PROCESSES.get(name) ?? []).map((process, i) => [process, OPS_PORT + i]));
    return { name, implementation, executable, parameters: [`--topology=${name}`, `--ops-port=${OPS_PORT}`], ops };
  });
}

/** Where the starter notes the whole command line, one word per line. */
const commandFile = (workDir: string): string => join(workDir, 'command');

/** One file that starts the plan's executable with its further parameters: all that kcp's test server can be given. */
export function writeStarter({ executable, parameters }: Plan, workDir: string): string {
  const file = join(workDir, 'virtual-workspaces');
  const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
  const command = `${quoted(executable)} "$@" ${parameters.map(quoted).join(' ')}`;
  writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' ${command} > ${quoted(commandFile(workDir))}\nexec ${command}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** The command line that the starter has run. */
export function startedCommand(workDir: string): string[] {
  return readFileSync(commandFile(workDir), 'utf8').trimEnd().split('\n');
}
