/**
 * The first promise: a request never sees or changes more than its caller may, nor less. Worlds of exports, claims, bindings, selectors and
 * callers are drawn at random and built; every verb is asked of every resource by every caller, and compared with an oracle that knows the
 * world's decisions and nothing of how the view works.
 */
import { randomInt } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BuiltWorld } from '../isolation/server.ts';
import { Trial } from '../isolation/trial.ts';
import { world } from '../isolation/world.ts';
import { target } from '../support/identities.ts';
import { deviationTest } from '../support/suite.ts';

/** A kcp takes its time to make workspaces; there fewer worlds are asked. */
const DEFAULT_CASES = target.recordsFieldManagers === false ? 2_000 : 300;
const CASES = Number(process.env.E2E_ISOLATION_CASES ?? DEFAULT_CASES);
/** Of a failure the message has the seed: with it the same worlds are drawn. */
const SEED = Number(process.env.E2E_ISOLATION_SEED ?? randomInt(2 ** 31));

deviationTest(
  'every caller sees and changes through the view exactly what the decisions of providers and consumers give him',
  async () => {
    let cases = 0;
    for (let number = 0; cases < CASES; number++) {
      const [drawn] = fc.sample(world, { seed: SEED + number, numRuns: 1 });
      if (drawn === undefined) throw new Error('no world was drawn');
      const trial = new Trial(await BuiltWorld.create(drawn));
      try {
        await trial.run();
      } catch (error) {
        const how = `E2E_ISOLATION_SEED=${SEED + number}`;
        throw new Error(`${how}, after ${cases + trial.cases} cases: ${(error as Error).message}`, { cause: error });
      }
      cases += trial.cases;
    }
    expect(cases).toBeGreaterThanOrEqual(CASES);
    process.stderr.write(`isolation: ${cases} cases, seed ${SEED}\n`);
  },
  15 * 60_000,
);

test('the oracle is asked about worlds that differ', () => {
  const drawn = fc.sample(world, { seed: SEED, numRuns: 20 }).map(one => JSON.stringify(one));
  expect(new Set(drawn).size).toBeGreaterThan(10);
});
