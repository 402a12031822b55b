import { parseArgs } from 'node:util';
import { CASES, type Case, type Timing } from './cases.ts';
import { CONTENDERS, type ContenderName, TARGETS, type TargetName } from './target.ts';

export interface BenchOptions {
  readonly cases: readonly Case[];
  readonly timing: Timing;
  readonly rounds: number;
  /** Milliseconds that a run may spend on waiting for a quiet machine. */
  readonly patience: number;
  readonly contenders: readonly ContenderName[];
  /** Undefined: the first that there is. */
  readonly target?: TargetName;
  /** Profile this case instead of comparing. */
  readonly profile?: Case;
  /** Put the tables into README.md. */
  readonly write: boolean;
}

const FULL = { timing: { compilation: 15_000, warmUp: 500, duration: 2_000 }, rounds: 3, patience: 180_000 };
const QUICK = { timing: { compilation: 3_000, warmUp: 300, duration: 1_000 }, rounds: 1, patience: 20_000 };

/** Long enough for a profile that start-up does not dominate. */
const PROFILE_DURATION = 10_000;

/** Those of ours that a profile can be taken of; the first is the default. */
const PROFILED: readonly ContenderName[] = ['single', 'fleet', 'pass-through'];

const thorough = CASES.filter(candidate => candidate.thorough).map(({ name }) => name);

export const USAGE = `Compares virtual workspaces that stand before one shard: ours, kcp's own, plain proxies, and the shard itself.

  npm run bench -- [options]

  --target=kcp|dev      a real kcp, found by KCP_BIN (a folder with its programs) or on PATH, or the dev shard;
                        default: a kcp where there is one
  --quick               one short round instead of three, without ${thorough.join(', ')}
  --cases=a,b           only these: ${CASES.map(({ name }) => name).join(', ')}
  --contenders=a,b      only these: ${CONTENDERS.join(', ')}
  --profile=case        run one case on one contender (--contenders=${PROFILED.join('|')}, default ${PROFILED[0]})
                        under Node's CPU profiler, and print where the time goes
  --write               put the tables into bench/README.md
`;

/** Throws a sentence when the command line cannot be understood. Undefined: help was asked for. */
export function parseOptions(argv: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      target: { type: 'string' },
      quick: { type: 'boolean', default: false },
      cases: { type: 'string' },
      contenders: { type: 'string' },
      profile: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { profile, quick, target, write } = values;
  const pace = quick ? QUICK : FULL;
  const common = { ...pace, write, ...(target !== undefined && { target: oneOf(TARGETS, target, 'target') }) };
  const named = values.contenders?.split(',').map(name => oneOf(CONTENDERS, name, 'contender'));
  if (profile !== undefined) return { ...common, ...profiling(caseNamed(profile), named, pace) };
  return {
    ...common,
    cases: values.cases?.split(',').map(caseNamed) ?? CASES.filter(candidate => !(quick && candidate.thorough)),
    contenders: named ?? CONTENDERS,
  };
}

function profiling(profile: Case, named: readonly ContenderName[] | undefined, { timing }: typeof FULL) {
  const contenders = named ?? PROFILED.slice(0, 1);
  if (contenders.length !== 1 || !contenders.every(name => PROFILED.includes(name))) {
    throw new Error(`a profile is of one contender: ${PROFILED.join(', ')}`);
  }
  // Measured once: a second measurement would stand in the same profile.
  return { profile, cases: [profile], contenders, patience: 0, timing: { ...timing, duration: PROFILE_DURATION } };
}

const caseNamed = (name: string): Case => {
  const known = CASES.map(candidate => candidate.name);
  return CASES[known.indexOf(oneOf(known, name, 'case'))] as Case;
};

function oneOf<T extends string>(known: readonly T[], name: string, what: string): T {
  const found = known.find(candidate => candidate === name);
  if (found === undefined) throw new Error(`there is no ${what} ${JSON.stringify(name)}; there are ${known.join(', ')}`);
  return found;
}
