import { expect, test } from '@jest/globals';
import { slimmed } from './slim.ts';

const DEPLOYMENTS = { group: 'apps', resource: 'deployments' };

test('nothing that is in a secret is kept, and of its annotations those of kcp', () => {
  const secret = {
    kind: 'Secret',
    metadata: {
      ...{ name: 's', namespace: 'n', uid: 'u', resourceVersion: '1', generation: 2, creationTimestamp: '2026-01-01T00:00:00Z' },
      annotations: {
        'kcp.io/cluster': 'c',
        'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"password":"x"}}',
        'experimental.summarizing.workload.kcp.io': '[]',
      },
      labels: { app: 'web', 'state.workload.kcp.io/K': 'Sync' },
      finalizers: ['example.dev/a', 'workload.kcp.io/syncer-K'],
      managedFields: [{ manager: 'm' }],
    },
    data: { password: 'x' },
    stringData: { password: 'x' },
  };
  expect(slimmed({ group: '', resource: 'secrets' })(secret)).toEqual({
    metadata: {
      ...{ name: 's', namespace: 'n', uid: 'u', resourceVersion: '1', generation: 2 },
      annotations: { 'kcp.io/cluster': 'c', 'experimental.summarizing.workload.kcp.io': '[]' },
      labels: { 'state.workload.kcp.io/K': 'Sync' },
      finalizers: ['example.dev/a', 'workload.kcp.io/syncer-K'],
    },
  });
});

test('of a deployment its replicas and its status are kept', () => {
  const metadata = { name: 'web', deletionTimestamp: '2026-01-01T00:00:00Z' };
  const deployment = { metadata, spec: { replicas: 0, template: {} }, status: { replicas: 1 } };
  expect(slimmed(DEPLOYMENTS)(deployment)).toEqual({ metadata, spec: { replicas: 0 }, status: { replicas: 1 } });
  expect(slimmed(DEPLOYMENTS)({ metadata: { name: 'web' } })).toEqual({ metadata: { name: 'web' }, spec: {} });
});
