import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Implementation } from '../target.ts';
import { isExecutable } from './binaries.ts';
import { OPERATOR_ADDS, OPERATOR_KEEPS } from './operator.ts';

/** One run of the tests: which executable serves the virtual workspaces, and how. */
export interface Plan {
  readonly name: string;
  readonly implementation: Implementation;
  readonly executable: string;
  /** Whose arguments it gets: those of kcp's test server, or of these only what kcp-operator gives. */
  readonly arguments: 'test-server' | 'operator';
  /** A set of processes for each shard, or one set, with a port for each shard, for all of them. */
  readonly sets: 'each' | 'one';
  /** Which front proxy of kcp leads to the view `workspaces` when a workspace is asked for its workspaces: one of its own, or the only one. */
  readonly transparent: 'none' | 'second' | 'all';
  /** The views that are served besides kcp's. */
  readonly views: readonly string[];
  /** Parameters besides those that kcp's test server gives. */
  readonly parameters: readonly string[];
  /** Ports of the ops servers of our own processes, by process name. */
  readonly ops: Readonly<Record<string, number>>;
}

/** The first of the ops servers' ports; the services follow, sorted. */
const OPS_PORT = 9470;

const PROCESSES = new Map([
  ['single', ['front-proxy']],
  ['fleet', ['front-proxy', 'apiexport-vw', 'initializer-vw']],
]);

/** Views that are served besides kcp's, and the process that each has in a fleet. */
const FURTHER_VIEWS = new Map([
  ['syncer', 'syncer-vw'],
  ['workspaces', 'workspaces-vw'],
]);

const TOPOLOGIES = new Map([
  ['single', ['single']],
  ['fleet', ['fleet']],
  ['both', ['fleet', 'single']],
]);

/**
 * What `E2E_TOPOLOGY` (single, fleet or both; by default fleet) asks for, or one run of the executable that
 * `E2E_VIRTUAL_WORKSPACES` names: kcp's Go program, unless `E2E_IMPLEMENTATION` says `kcp-vw`. `E2E_VIEWS` names the views besides kcp's,
 * by default none; `E2E_WORKSPACE_ACCESS=reviews` has the view `workspaces` ask kcp who may enter what; `E2E_TRANSPARENT=all` has kcp's own
 * front proxy lead there, and not only one beside it.
 */
export function makePlans(environment: NodeJS.ProcessEnv, project: string): Plan[] {
  const other = environment.E2E_VIRTUAL_WORKSPACES;
  const executable = other ?? join(project, 'bin', 'virtual-workspaces');
  if (!isExecutable(executable)) throw new Error(`${executable} is no executable file; E2E_VIRTUAL_WORKSPACES may name another`);
  const implementation = environment.E2E_IMPLEMENTATION ?? (other === undefined ? 'kcp-vw' : 'kcp-go');
  if (implementation !== 'kcp-vw' && implementation !== 'kcp-go') {
    throw new Error(`E2E_IMPLEMENTATION is ${implementation}; it may be kcp-vw or kcp-go`);
  }
  if (implementation === 'kcp-go')
    return [
      {
        ...{ name: 'baseline', implementation, executable, arguments: 'test-server', sets: 'each', transparent: 'none' },
        ...{ views: [], parameters: [], ops: {} },
      },
    ];
  const wanted = environment.E2E_TOPOLOGY ?? 'fleet';
  const topologies = TOPOLOGIES.get(wanted);
  if (topologies === undefined) throw new Error(`E2E_TOPOLOGY is ${wanted}; it may be ${[...TOPOLOGIES.keys()].join(', ')}`);
  const given = environment.E2E_ARGUMENTS ?? 'test-server';
  if (given !== 'test-server' && given !== 'operator')
    throw new Error(`E2E_ARGUMENTS is ${given}; it may be test-server or operator`);
  const sets = environment.E2E_SETS ?? 'each';
  if (sets !== 'each' && sets !== 'one') throw new Error(`E2E_SETS is ${sets}; it may be each or one`);
  const views = furtherViews(environment.E2E_VIEWS);
  const transparent = transparentRoad(environment.E2E_TRANSPARENT, views);
  return topologies.map(name => {
    const further = name === 'fleet' ? views.map(view => FURTHER_VIEWS.get(view) ?? view) : [];
    const [frontProxy = '', ...services] = PROCESSES.get(name) ?? [];
    const processes = [frontProxy, ...[...services, ...further].sort()];
    const ops = Object.fromEntries(processes.map((process, i) => [process, OPS_PORT + i]));
    const title = `${name}${given === 'operator' ? ' with the arguments of kcp-operator' : ''}${sets === 'one' ? ' for all shards' : ''}${transparent === 'all' ? ' behind all of kcp' : ''}`;
    return {
      name: title,
      implementation,
      executable,
      arguments: given,
      sets,
      transparent,
      views,
      parameters: [`--topology=${name}`, ...viewParameters(views, environment), `--ops-port=${OPS_PORT}`],
      ops,
    };
  });
}

function viewParameters(views: readonly string[], { E2E_WORKSPACE_ACCESS: access }: NodeJS.ProcessEnv): readonly string[] {
  return views.length === 0 ? [] : [`--views=${views.join(',')}`, ...(access ? [`--workspace-access=${access}`] : [])];
}

function furtherViews(wanted = ''): readonly string[] {
  const views = wanted.split(',').filter(Boolean);
  const unknown = views.find(view => !FURTHER_VIEWS.has(view));
  if (unknown !== undefined) throw new Error(`E2E_VIEWS names ${unknown}; it may name ${[...FURTHER_VIEWS.keys()].join(', ')}`);
  return views;
}

function transparentRoad(wanted = 'second', views: readonly string[]): Plan['transparent'] {
  if (wanted !== 'second' && wanted !== 'all') throw new Error(`E2E_TRANSPARENT is ${wanted}; it may be second or all`);
  return views.includes('workspaces') ? wanted : 'none';
}

/** Where syncer-vw finds its account; undefined: nothing serves its views. */
export const syncerKubeconfig = ({ views }: Plan, workDir: string): string | undefined =>
  views.includes('syncer') ? join(workDir, 'syncer-vw.kubeconfig') : undefined;

/** What a plan's executable is told besides, when its servers keep their files in this folder. */
export function syncerParameters(plan: Plan, workDir: string): readonly string[] {
  const file = syncerKubeconfig(plan, workDir);
  return file === undefined ? [] : [`--syncer-kubeconfig=${file}`];
}

/** The processes of a further shard have their ops servers so many ports after those of the root shard. */
const OPS_STEP = 10;

/** The plan's parameters with another port of the first ops server. */
export const withOpsPort = ({ parameters }: Plan, port: number): readonly string[] =>
  parameters.map(parameter => (parameter.startsWith('--ops-port=') ? `--ops-port=${port}` : parameter));

/** The URLs of the ops servers, by process name, when the first has this port. */
export const opsURLs = ({ ops }: Plan, port: number): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.keys(ops).map((process, i) => [process, `http://127.0.0.1:${port + i}`]));

/** The port of the first ops server of the shard of a number, from 0, beside kcp's test server. */
export const opsPortOf = (shard: number): number => OPS_PORT + OPS_STEP * shard;

/** Where the starter notes the whole command line, one word per line. */
const commandFile = (workDir: string, shard: number): string => join(workDir, shard === 0 ? 'command' : `command-${shard}`);

/**
 * One file that starts the plan's executable with its further parameters: all that kcp's test server can be given. Which shard it is
 * started for shows in the port.
 */
export function writeStarter(plan: Plan, workDir: string, shards = 1): string {
  const file = join(workDir, 'virtual-workspaces');
  const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
  const kubeconfigOf = (shard: number): string =>
    join(workDir, `.kcp-virtual-workspaces-${shard}`, 'virtualworkspace.kubeconfig');
  const ofAll =
    plan.sets === 'one'
      ? setForAll(Array.from({ length: shards }, (_, i) => ({ port: 7444 + i, kubeconfig: kubeconfigOf(i) })))
      : [];
  const start = (shard: number): string => {
    // Of all shards the first takes care, once it has what the others are given.
    if (plan.sets === 'one' && shard > 0) return 'exec sleep infinity;;';
    const wait = ofAll.length > 0 ? `until [ -e ${quoted(kubeconfigOf(shards - 1))} ]; do sleep 0.1; done; ` : '';
    const own = [...withOpsPort(plan, opsPortOf(shard)), ...syncerParameters(plan, workDir), ...ofAll];
    const command = `${quoted(plan.executable)} "$@" ${own.map(quoted).join(' ')}`;
    return `${wait}printf '%s\\n' ${command} > ${quoted(commandFile(workDir, shard))}; exec ${command};;`;
  };
  const operator = plan.arguments === 'operator' ? [operatorSelection(quoted)] : [];
  const further = Array.from({ length: shards - 1 }, (_, i) => `*" --secure-port=${7444 + i + 1} "*) ${start(i + 1)}`);
  writeFileSync(file, ['#!/bin/sh', ...operator, 'case " $* " in', ...further, `*) ${start(0)}`, 'esac', ''].join('\n'));
  chmodSync(file, 0o755);
  return file;
}

/** The name of the shard of a number, from 0. */
export const shardName = (shard: number): string => (shard === 0 ? 'root' : `shard-${shard}`);

/** What one set is told of the shards that it serves, each at a port of its own. */
export function setForAll(shards: readonly { readonly port: number; readonly kubeconfig: string }[]): string[] {
  const further = shards.slice(1).map(({ kubeconfig }, i) => `${shardName(i + 1)}=${kubeconfig}`);
  const addresses = shards.map(({ port }, i) => `${shardName(i)}=port:${port}`);
  return ['--shard=root', `--shard-kubeconfigs=${further}`, `--shard-addresses=${addresses}`];
}

/** Shell that leaves of the arguments what kcp-operator would give. None of them has a quote in it. */
const operatorSelection = (quoted: (word: string) => string): string =>
  [
    'kept=',
    `for word; do case "$word" in ${OPERATOR_KEEPS.map(name => `${name}=*`).join('|')}) kept="$kept '$word'";; esac; done`,
    `eval "set -- $kept ${OPERATOR_ADDS.map(quoted).join(' ')}"`,
  ].join('\n');

/** The command line that the starter has run for the shard of a number. */
export function startedCommand(workDir: string, shard = 0): string[] {
  return readFileSync(commandFile(workDir, shard), 'utf8').trimEnd().split('\n');
}
