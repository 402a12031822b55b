import { describe, expect, test } from '@jest/globals';
import type { KubeObject, ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import { type DownstreamObjectOptions, downstreamObject } from './downstream-object.ts';
import { CONFIG_MAPS, type Resource, SECRETS } from './resources.ts';

const DEPLOYMENTS: Resource = { group: 'apps', version: 'v1', resource: 'deployments' };
const OPTIONS: Omit<DownstreamObjectOptions, 'resource'> = {
  key: 'K',
  namespace: 'kcp-ns',
  kcp: new URL('https://kcp.example:6443/clusters/root'),
  upsyncPods: false,
};

const made = (resource: Resource, view: KubeObject, more: Partial<DownstreamObjectOptions> = {}) =>
  downstreamObject(view, { ...OPTIONS, resource, ...more });

const view = (rest: object = {}, metadata: ObjectMeta = {}): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'X' },
  metadata: {
    ...{ name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '7', generation: 3 },
    ...{
      finalizers: ['workload.kcp.io/syncer-K'],
      deletionTimestamp: '2026-01-01T00:00:00Z',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    managedFields: [],
    ownerReferences: [{ uid: 'o' }],
    ...metadata,
  },
  ...rest,
});

test('nothing of what kcp and its server keep of an object comes downstream', () => {
  const metadata = {
    labels: { app: 'web', 'state.workload.kcp.io/K': 'Sync' },
    annotations: { note: 'x', 'kcp.io/cluster': 'c1', 'deletion.internal.workload.kcp.io/K': '2026-01-01T00:00:00Z' },
  };
  expect(made(CONFIG_MAPS, view({ data: { a: 'b' }, status: { x: 1 } }, metadata))).toEqual({
    apiVersion: 'v1',
    kind: 'X',
    metadata: {
      name: 'web',
      namespace: 'kcp-ns',
      labels: { app: 'web', 'internal.workload.kcp.io/cluster': 'K' },
      annotations: { note: 'x' },
    },
    data: { a: 'b' },
  });
});

describe('a secret', () => {
  test('comes as it is', () => {
    const secret = made(SECRETS, view({ type: 'kubernetes.io/tls', data: { key: 'YQ==' } }));
    expect(secret).toMatchObject({ type: 'kubernetes.io/tls', data: { key: 'YQ==' } });
  });

  test('of a service account is opaque, and of no account', () => {
    const annotations = { 'kubernetes.io/service-account.name': 'default', 'kubernetes.io/service-account.uid': 'u', note: 'x' };
    const secret = made(SECRETS, view({ type: 'kubernetes.io/service-account-token', data: { token: 'YQ==' } }, { annotations }));
    expect(secret).toMatchObject({ type: 'Opaque', data: { token: 'YQ==' } });
    expect(secret.metadata?.annotations).toEqual({ note: 'x' });
  });
});

const KUBERNETES = [
  { name: 'KUBERNETES_SERVICE_HOST', value: 'kcp.example' },
  { name: 'KUBERNETES_SERVICE_PORT', value: '6443' },
  { name: 'KUBERNETES_SERVICE_PORT_HTTPS', value: '6443' },
];
const podsOf = (template: object, more: Partial<DownstreamObjectOptions> = {}, metadata: ObjectMeta = {}): unknown =>
  (made(DEPLOYMENTS, view({ spec: { replicas: 2, template } }, metadata), more).spec as { template: unknown }).template;

describe('the pods of a deployment', () => {
  test('ask for the API of kcp, with no account of the cluster that they are in', () => {
    const spec = { serviceAccountName: 'robot', serviceAccount: 'robot', containers: [{ name: 'a' }] };
    expect(podsOf({ spec })).toEqual({
      spec: { automountServiceAccountToken: false, containers: [{ name: 'a', env: KUBERNETES }] },
    });
  });

  test('ask there in all of their containers', () => {
    const spec = { containers: [{}], initContainers: [{}], ephemeralContainers: [{}] };
    const env = { env: KUBERNETES };
    expect(podsOf({ spec })).toMatchObject({ spec: { containers: [env], initContainers: [env], ephemeralContainers: [env] } });
  });

  test('keep their environment, but not another API', () => {
    const env = [
      { name: 'A', value: 'a' },
      { name: 'KUBERNETES_SERVICE_HOST', value: 'elsewhere' },
      { name: 'B', valueFrom: {} },
    ];
    expect(podsOf({ spec: { containers: [{ env }] } })).toMatchObject({
      spec: { containers: [{ env: [env[0], KUBERNETES[0], env[2], KUBERNETES[1], KUBERNETES[2]] }] },
    });
  });

  test('are told the namespace that their user knows', () => {
    const namespace = { name: 'NS', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } };
    const name = { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } };
    expect(podsOf({ spec: { containers: [{ env: [namespace, name] }] } })).toMatchObject({
      spec: { containers: [{ env: [{ name: 'NS', value: 'shop' }, name, ...KUBERNETES] }] },
    });
  });

  test('find their workspace where it says that it is', () => {
    const annotations = { 'internal.workload.kcp.io/workspace-url': 'https://public.example/clusters/c1' };
    expect(podsOf({ spec: { containers: [{}] } }, {}, { annotations })).toMatchObject({
      spec: { containers: [{ env: [{ value: 'public.example' }, { value: '443' }, { value: '443' }] }] },
    });
  });

  test('are labelled to come back upstream, if that is done with pods', () => {
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [] } };
    expect(podsOf(template)).toMatchObject({ metadata: { labels: { app: 'web' } } });
    expect(podsOf(template, { upsyncPods: true })).toMatchObject({
      metadata: { labels: { app: 'web', 'state.workload.kcp.io/K': 'Upsync', 'internal.workload.kcp.io/cluster': 'K' } },
    });
  });

  test('are not needed: a deployment without a template comes as it is', () => {
    expect(made(DEPLOYMENTS, view({ spec: { replicas: 1 } })).spec).toEqual({ replicas: 1 });
  });
});
