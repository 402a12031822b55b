import type { WorkloadKind } from '../workload.ts';
import { CASES, GET } from './cases.ts';
import type { LifecyclePaths } from './paths.ts';

/** A workspace that waits for its type, full of configmaps, and logical clusters beside it. */
export const LIFECYCLE: WorkloadKind<LifecyclePaths> = {
  name: 'lifecycle',
  cases: CASES,
  probe: GET,
  contenders: ['shard', 'shard-as-owner', 'fleet', 'single', 'kcp-go', 'pass-through', 'nginx'],
  named: [],
  full: { timing: { compilation: 15_000, warmUp: 500, duration: 2_000 }, rounds: 3, patience: 180_000 },
  quick: { timing: { compilation: 3_000, warmUp: 300, duration: 1_000 }, rounds: 1, patience: 20_000 },
  goals: [],
  create: async (say, stop) => (await import('./create.ts')).createLifecycle(say, stop),
};
