import { test } from '@jest/globals';
import { target } from './identities.ts';

const isOurs = target.implementation !== 'kcp-go';

/** For behaviour in which this project deliberately differs from kcp's Go server. Everything else must hold on both. */
export const deviationTest: typeof test.skip = isOurs ? test : test.skip;
