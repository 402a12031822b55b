import { parseArgs } from 'node:util';
import { TARGETS, type TargetName } from '../target.ts';
import { CASE_NAMES, type CaseName } from './cases.ts';

export interface SyncerOptions {
  readonly target: TargetName;
  /** Deployments that two targets share. */
  readonly objects: number;
  readonly cases: readonly CaseName[];
  readonly rounds: number;
  /** Milliseconds. */
  readonly compilation: number;
  readonly warmUp: number;
  readonly duration: number;
  /** Put the table into README.md. */
  readonly write: boolean;
}

export const USAGE = `Measures the view of a syncer against the same objects without its transform, and against the bare shard.

  npm run syncer -w bench -- [options]

  --target=dev|kcp      the dev shard, or a real kcp, found by KCP_BIN (a folder with its programs) or on PATH; default: dev
  --objects=n           Deployments that two SyncTargets share; default: 5000
  --cases=a,b           of ${CASE_NAMES.join(', ')}; default: all
  --rounds=n            cells show medians over them; default: 3
  --quick               one short round of 500 objects
  --write               put the table into bench/README.md

With NODE_OPTIONS=--perf-basic-prof the processes can be looked into with perf.
`;

/** Throws a sentence when the command line cannot be understood. Undefined: help was asked for. */
export function parseOptions(argv: readonly string[]): SyncerOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      target: { type: 'string', default: 'dev' },
      objects: { type: 'string' },
      cases: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { quick, write } = values;
  return {
    target: oneOf(TARGETS, values.target, 'target'),
    objects: count('objects', values.objects ?? (quick ? '500' : '5000')),
    cases: values.cases?.split(',').map(name => oneOf(CASE_NAMES, name, 'cases')) ?? CASE_NAMES,
    rounds: count('rounds', values.rounds ?? (quick ? '1' : '3')),
    ...(quick ? { compilation: 1_500, warmUp: 300, duration: 1_000 } : { compilation: 5_000, warmUp: 500, duration: 4_000 }),
    write,
  };
}

function oneOf<T extends string>(known: readonly T[], name: string, option: string): T {
  const found = known.find(candidate => candidate === name);
  if (found === undefined) throw new Error(`--${option}: there is no ${name}; there are ${known.join(', ')}`);
  return found;
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${option}: ${JSON.stringify(text)} is no number from 1 on`);
  return value;
}
