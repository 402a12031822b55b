import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { execute, planFor, type SimulatedUpstream, simulatedUpstream, taken, viewFor, withStatus } from './upstream.fixture.ts';

export const SOON = '2023-05-01T10:00:00Z';
export const RULES = 'experimental.summarizing.workload.kcp.io';
export const state = (...keys: string[]) => Object.fromEntries(keys.map(key => [`state.workload.kcp.io/${key}`, 'Sync']));
export const finalizers = (...keys: string[]) => keys.map(key => `workload.kcp.io/syncer-${key}`);
export const diff = (key: string, value: unknown) => ({ [`diff.syncer.internal.kcp.io/${key}`]: JSON.stringify(value) });
export const leaving = (key: string) => ({ [`deletion.internal.workload.kcp.io/${key}`]: SOON });

/** An upstream object `web`. */
export const upstream = (metadata: KubeObject['metadata'], rest: KubeObject = {}): SimulatedUpstream =>
  simulatedUpstream({
    ...rest,
    metadata: { name: 'web', ...metadata, annotations: { 'kcp.io/cluster': 'c1', ...metadata?.annotations } },
  });

/** Reports a status as a syncer does that has just read. */
export const putStatus = (of: SimulatedUpstream, key: string, status: unknown): KubeObject =>
  execute(of, planFor(of, key, taken(withStatus(viewFor(of, key), status), key), 'status'));
