import { parseArgs } from 'node:util';
import type { Case } from './case.ts';
import { type ContenderName, TARGETS, type TargetName } from './target.ts';
import type { Pace, WorkloadKind } from './workload.ts';
import { WORKLOADS } from './workloads.ts';

export interface BenchOptions extends Pace {
  readonly workload: WorkloadKind;
  /** Of the workload. */
  readonly cases: readonly Case[];
  readonly contenders: readonly ContenderName[];
  /** Undefined: the first that there is. */
  readonly target?: TargetName;
  /** Profile this case instead of comparing. */
  readonly profile?: Case;
  /** Put the tables into README.md. */
  readonly write: boolean;
}

/** Long enough for a profile that start-up does not dominate. */
const PROFILE_DURATION = 10_000;

/** Those of ours that a profile can be taken of; the first is the default. */
const PROFILED: readonly ContenderName[] = ['single', 'fleet', 'pass-through'];

const namesOf = (cases: readonly Case[]): string[] => cases.map(({ name }) => name);

function describeWorkload({ cases, contenders, name, named }: WorkloadKind): string {
  const thorough = namesOf(cases.filter(candidate => candidate.thorough));
  return `  ${name}
    cases               ${namesOf(cases).join(', ')}
    not with --quick    ${thorough.join(', ')}
    contenders          ${contenders.join(', ')}${named.length > 0 ? `\n    only when named     ${named.join(', ')}` : ''}
`;
}

export const USAGE = `Compares virtual workspaces that stand before one shard: ours, kcp's own, plain proxies, and the shard itself.

  npm run bench -- [options]

  --workload=name       ${WORKLOADS.map(({ name }) => name).join(' or ')}: what is asked; default: ${WORKLOADS[0]?.name}
  --target=kcp|dev      a real kcp, found by KCP_BIN (a folder with its programs) or on PATH, or the dev shard;
                        default: a kcp where there is one
  --quick               one short round instead of three, without some of the cases
  --cases=a,b           only these
  --contenders=a,b      only these
  --profile=case        run one case on one contender (--contenders=${PROFILED.join('|')}, default ${PROFILED[0]})
                        under Node's CPU profiler, and print where the time goes
  --write               put the tables into bench/README.md

Workloads:

${WORKLOADS.map(describeWorkload).join('\n')}`;

/** Throws a sentence when the command line cannot be understood. Undefined: help was asked for. */
export function parseOptions(argv: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      workload: { type: 'string' },
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
  const workload = workloadNamed(values.workload);
  const { cases, contenders } = workload;
  const pace = quick ? workload.quick : workload.full;
  const common = { ...pace, workload, write, ...(target !== undefined && { target: oneOf(TARGETS, target, 'target') }) };
  const named = values.contenders?.split(',').map(name => oneOf(contenders, name, 'contender'));
  if (profile !== undefined) return { ...common, ...profiling(caseNamed(workload, profile), named, pace) };
  return {
    ...common,
    cases:
      values.cases?.split(',').map(name => caseNamed(workload, name)) ??
      cases.filter(candidate => !(quick && candidate.thorough)),
    contenders: named ?? contenders.filter(name => !workload.named.includes(name)),
  };
}

function profiling(profile: Case, named: readonly ContenderName[] | undefined, { timing }: Pace) {
  const contenders = named ?? PROFILED.slice(0, 1);
  if (contenders.length !== 1 || !contenders.every(name => PROFILED.includes(name))) {
    throw new Error(`a profile is of one contender: ${PROFILED.join(', ')}`);
  }
  // Measured once: a second measurement would stand in the same profile.
  return { profile, cases: [profile], contenders, patience: 0, timing: { ...timing, duration: PROFILE_DURATION } };
}

const caseNamed = ({ cases }: WorkloadKind, name: string): Case => named(cases, name, 'case');

/** The first where none is named. */
const workloadNamed = (name = WORKLOADS[0]?.name ?? ''): WorkloadKind => named(WORKLOADS, name, 'workload');

function named<T extends { readonly name: string }>(known: readonly T[], name: string, what: string): T {
  const found = known.find(candidate => candidate.name === name);
  if (found === undefined)
    throw unknownName(
      known.map(candidate => candidate.name),
      name,
      what,
    );
  return found;
}

function oneOf<T extends string>(known: readonly T[], name: string, what: string): T {
  const found = known.find(candidate => candidate === name);
  if (found === undefined) throw unknownName(known, name, what);
  return found;
}

const unknownName = (known: readonly string[], name: string, what: string): Error =>
  new Error(`there is no ${what} ${JSON.stringify(name)}; there are ${known.join(', ')}`);
