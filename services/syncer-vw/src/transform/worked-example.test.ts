import { expect, test } from '@jest/globals';
import { syncTargetKey } from './sync-target-key.ts';
import { execute, planFor, simulatedUpstream, viewFor, withStatus } from './upstream.fixture.ts';

/** One Deployment of 7 on two targets: what is stored, what each syncer sees, and what is stored of what they report. */
test('a Deployment is split over two targets, and each reports on its part', () => {
  const W = syncTargetKey({ cluster: '2x8f4k1q9zr7m3ab', name: 'west' });
  const E = syncTargetKey({ cluster: '2x8f4k1q9zr7m3ab', name: 'east' });
  const share = (replicas: number): string => `[{"op":"replace","path":"/replicas","value":${replicas}}]`;
  const stored = {
    kind: 'Deployment',
    metadata: {
      name: 'web',
      labels: { [`state.workload.kcp.io/${W}`]: 'Sync', [`state.workload.kcp.io/${E}`]: 'Sync' },
      finalizers: [`workload.kcp.io/syncer-${W}`, `workload.kcp.io/syncer-${E}`],
      annotations: {
        'kcp.io/cluster': 'c1',
        [`experimental.spec-diff.workload.kcp.io/${W}`]: share(4),
        [`experimental.spec-diff.workload.kcp.io/${E}`]: share(3),
        [`diff.syncer.internal.kcp.io/${W}`]: '{}',
        [`diff.syncer.internal.kcp.io/${E}`]: '{}',
      },
    },
    spec: { replicas: 7 },
  };
  const upstream = simulatedUpstream(stored);

  const west = viewFor(upstream, W);
  expect(west).toEqual({
    kind: 'Deployment',
    metadata: {
      name: 'web',
      resourceVersion: upstream.object.metadata?.resourceVersion,
      labels: stored.metadata.labels,
      finalizers: [`workload.kcp.io/syncer-${W}`],
      annotations: {
        'kcp.io/cluster': 'c1',
        [`experimental.spec-diff.workload.kcp.io/${W}`]: share(4),
        [`experimental.spec-diff.workload.kcp.io/${E}`]: share(3),
      },
    },
    spec: { replicas: 4 },
  });
  expect(viewFor(upstream, E).spec).toEqual({ replicas: 3 });

  const progressing = { type: 'Progressing', status: 'True' };
  const report = (key: string, status: object): unknown =>
    execute(upstream, planFor(upstream, key, withStatus(viewFor(upstream, key), status), 'status')).status;
  const ofWest = {
    replicas: 4,
    updatedReplicas: 4,
    readyReplicas: 4,
    availableReplicas: 4,
    conditions: [{ type: 'Available', status: 'True' }, progressing],
  };
  const ofEast = {
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 1,
    availableReplicas: 1,
    unavailableReplicas: 2,
    conditions: [{ type: 'Available', status: 'False' }, progressing],
  };
  expect(report(W, ofWest)).toEqual(ofWest);
  expect(report(E, ofEast)).toEqual(ofEast);

  expect(upstream.puts).toEqual(['main', 'main']);
  expect(upstream.object).toEqual({
    ...stored,
    metadata: {
      ...stored.metadata,
      resourceVersion: upstream.object.metadata?.resourceVersion,
      annotations: {
        ...stored.metadata.annotations,
        [`diff.syncer.internal.kcp.io/${W}`]:
          '{"status":{"availableReplicas":4,"conditions":[{"status":"True","type":"Available"},{"status":"True","type":"Progressing"}],"readyReplicas":4,"replicas":4,"updatedReplicas":4}}',
        [`diff.syncer.internal.kcp.io/${E}`]:
          '{"status":{"availableReplicas":1,"conditions":[{"status":"False","type":"Available"},{"status":"True","type":"Progressing"}],"readyReplicas":1,"replicas":3,"unavailableReplicas":2,"updatedReplicas":3}}',
      },
    },
  });
});
