import { test } from '@jest/globals';
import { target } from './identities.ts';

const isOurs = target.implementation !== 'kcp-go';

/** For the bookkeeping of server-side apply, which is judged on a real kcp only. */
export const fieldManagerTest: typeof test.skip = target.recordsFieldManagers === false ? test.skip : test;

/** For behaviour in which this project deliberately differs from kcp's Go server. Everything else must hold on both. */
export const deviationTest: typeof test.skip = isOurs ? test : test.skip;
