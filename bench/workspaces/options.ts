import { parseArgs } from 'node:util';
import { FULL, type Pace, QUICK } from './pace.ts';
import type { WorldSize } from './world.ts';

export interface WorkspacesOptions {
  /** In the order in which they are measured. */
  readonly worlds: readonly WorldSize[];
  readonly watchers: number;
  readonly pace: Pace;
  /** Put the tables into README.md. */
  readonly write: boolean;
  /** Profile this part of the first world instead of measuring all. */
  readonly profile?: Part;
}

/** What is measured of a world, one after the other. */
const PARTS = ['fill', 'lists', 'changes', 'watchers'] as const;
export type Part = (typeof PARTS)[number];

/** Workspaces for which `--bindings` is meant; larger worlds have more of them, smaller ones fewer. */
const BINDINGS_AT = 10_000;
/** For each of the parents to have what is measured in it. */
const SMALLEST = 1_000;
const PARENTS = 8;

export const USAGE = `Measures the view "workspaces" on worlds of several sizes. What shards would list is made up, all else is real.

  npm run workspaces -w bench -- [options]

  --sizes=a,b,c         workspaces of each world, at least ${SMALLEST}; default: 1000,10000,50000, with --quick 1000,4000
  --users=n             who have created them; default: 1000
  --bindings=n          further bindings where there are ${BINDINGS_AT} workspaces, otherwise in proportion; default: 2000
  --watchers=n          open watches, each of another user; default: 1000
  --quick               fewer repetitions
  --profile=part        print where the time of the first of the sizes goes in ${PARTS.join(', ')}, instead of measuring
  --write               put the tables into bench/README.md
`;

/** Throws a sentence when the command line cannot be understood. Undefined: help was asked for. */
export function parseOptions(argv: readonly string[]): WorkspacesOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      sizes: { type: 'string' },
      users: { type: 'string', default: '1000' },
      bindings: { type: 'string', default: '2000' },
      watchers: { type: 'string', default: '1000' },
      quick: { type: 'boolean', default: false },
      profile: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { profile, quick, write } = values;
  const sizes = (values.sizes ?? (quick ? '1000,4000' : '1000,10000,50000')).split(',');
  const users = count('users', values.users, 1);
  const bindings = count('bindings', values.bindings, 0);
  const worlds = sizes.map(text => {
    const workspaces = count('sizes', text, SMALLEST);
    return { workspaces, parents: PARENTS, users, bindings: Math.round((bindings * workspaces) / BINDINGS_AT) };
  });
  const watchers = count('watchers', values.watchers, 20);
  if (watchers > users) throw new Error(`--watchers: each is another user, and there are only ${users}`);
  const part = PARTS.find(candidate => candidate === profile);
  if (profile !== undefined && part === undefined)
    throw new Error(`--profile: there is no ${profile}; there are ${PARTS.join(', ')}`);
  return { worlds, watchers, pace: quick ? QUICK : FULL, write, ...(part && { profile: part }) };
}

function count(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`--${option}: ${JSON.stringify(text)} is no number from ${least} on`);
  return value;
}
