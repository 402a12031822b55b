import type { SyncTarget } from './sync-target.ts';

export interface TargetParts {
  readonly name?: string;
  readonly labels?: Record<string, string>;
  readonly spec?: SyncTarget['spec'];
  readonly status?: SyncTarget['status'];
}

/** A SyncTarget as an API server gives it, in the logical cluster `root:org:ws`. */
export const syncTarget = ({ name = 'us-west1', labels, spec = {}, status = {} }: TargetParts = {}): SyncTarget => ({
  metadata: {
    name,
    uid: `uid-of-${name}`,
    resourceVersion: '7',
    annotations: { 'kcp.io/cluster': 'root:org:ws' },
    ...(labels && { labels }),
  },
  spec,
  status,
});

const AT = '2026-01-01T00:00:00Z';
export const READY: SyncTarget['status'] = { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: AT }] };
