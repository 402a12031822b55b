import { EXPORT } from './export/kind.ts';
import { LIFECYCLE } from './lifecycle/kind.ts';
import type { WorkloadKind } from './workload.ts';

/** The first is the default. */
export const WORKLOADS: readonly WorkloadKind[] = [EXPORT, LIFECYCLE];
