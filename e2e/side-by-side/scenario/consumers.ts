import type { KubeObject } from '../../support/kube.ts';
import { answerTo, type Claim, TEAM } from './exports.ts';
import { LAW, TAME, WILD } from './schemas.ts';
import { APIS, CORE, create, RBAC, readWhere } from './shard.ts';

interface Binding extends KubeObject {
  readonly status?: { readonly phase?: string; readonly appliedPermissionClaims?: readonly unknown[] };
}

async function bind(cluster: string, workspace: string, exportName: string, claims: readonly Claim[]): Promise<void> {
  const spec = { reference: { export: { path: workspace, name: exportName } }, permissionClaims: answerTo(claims) };
  const metadata = { name: exportName };
  await create(cluster, `${APIS}/apibindings`, { apiVersion: 'apis.kcp.io/v1alpha2', kind: 'APIBinding', metadata, spec });
  const wanted = claims.filter(({ answer }) => answer.state === 'Accepted').length;
  await readWhere<Binding>(
    cluster,
    `${APIS}/apibindings/${exportName}`,
    'is bound with its claims',
    ({ status }) => status?.phase === 'Bound' && (status.appliedPermissionClaims ?? []).length >= wanted,
  );
}

type Content = readonly [collection: string, object: KubeObject & Record<string, unknown>];

const inNamespace = (collection: string, namespace: string) => {
  const at = collection.lastIndexOf('/');
  return `${collection.slice(0, at)}/namespaces/${namespace}${collection.slice(at)}`;
};

const COWBOYS = `/apis/${WILD}/v1/cowboys`;

const object = (
  apiVersion: string,
  kind: string,
  name: string,
  more: Readonly<Record<string, unknown>>,
  labels: Readonly<Record<string, string>> = {},
) => ({
  apiVersion,
  kind,
  metadata: { name, labels },
  ...more,
});

const namespace = (name: string): Content => [`${CORE}/namespaces`, object('v1', 'Namespace', name, {})];
const cowboy = (place: string, name: string, intent: string, labels = {}): Content => [
  inNamespace(COWBOYS, place),
  object(`${WILD}/v1`, 'Cowboy', name, { spec: { intent } }, labels),
];
const ranch = (name: string): Content => [
  `/apis/${WILD}/v1alpha1/ranches`,
  object(`${WILD}/v1alpha1`, 'Ranch', name, { spec: { note: name } }),
];
const configMap = (name: string, labels = {}): Content => [
  inNamespace(`${CORE}/configmaps`, 'default'),
  object('v1', 'ConfigMap', name, { data: { key: name } }, labels),
];
const secret = (name: string): Content => [
  inNamespace(`${CORE}/secrets`, 'default'),
  object('v1', 'Secret', name, { stringData: { key: name } }),
];
const serviceAccount = (name: string, labels = {}): Content => [
  inNamespace(`${CORE}/serviceaccounts`, 'default'),
  object('v1', 'ServiceAccount', name, {}, labels),
];
const lawful = (plural: string, kind: string, name: string): Content => [
  inNamespace(`/apis/${LAW}/v1alpha1/${plural}`, 'default'),
  object(`${LAW}/v1alpha1`, kind, name, { spec: { note: 'lawful' } }),
];

const FIRST: readonly Content[] = [
  namespace('hands'),
  namespace('writes'),
  cowboy('default', 'alice', 'ride', { team: 'red', tier: 'one' }),
  cowboy('default', 'bob', 'shoot', { team: 'blue' }),
  cowboy('hands', 'alice', 'sleep', { team: 'red' }),
  ranch('north'),
  ranch('south'),
  configMap('one', { team: 'red' }),
  configMap('two'),
  secret('secret-one'),
  serviceAccount('with-team', TEAM),
  serviceAccount('without-team'),
  [
    inNamespace(`${CORE}/events`, 'default'),
    object('v1', 'Event', 'event-one', {
      involvedObject: { apiVersion: 'v1', kind: 'ConfigMap', name: 'one', namespace: 'default' },
      reason: 'Seen',
      message: 'seen once',
      type: 'Normal',
    }),
  ],
  [
    inNamespace('/apis/coordination.k8s.io/v1/leases', 'default'),
    object('coordination.k8s.io/v1', 'Lease', 'lease-one', { spec: { holderIdentity: 'one' } }),
  ],
  [
    inNamespace(`${CORE}/resourcequotas`, 'default'),
    object('v1', 'ResourceQuota', 'quota-one', { spec: { hard: { 'count/configmaps': '100' } } }),
  ],
  [inNamespace(`${RBAC}/roles`, 'default'), object('rbac.authorization.k8s.io/v1', 'Role', 'role-one', { rules: [] })],
  lawful('sheriffs', 'Sheriff', 'wyatt'),
  lawful('deputies', 'Deputy', 'virgil'),
  [inNamespace(`/apis/${TAME}/v1alpha1/sheep`, 'default'), object(`${TAME}/v1alpha1`, 'Sheep', 'dolly', {})],
];

const SECOND: readonly Content[] = [
  cowboy('default', 'alice', 'drink'),
  cowboy('default', 'carol', 'ride', { team: 'red' }),
  ranch('north'),
  configMap('one'),
  secret('secret-one'),
];

const THIRD: readonly Content[] = [cowboy('default', 'dave', 'wait'), configMap('one')];

export interface ConsumerOptions {
  /** Logical clusters of the three consumers. */
  readonly clusters: readonly [string, string, string];
  /** Paths of the workspaces that hold the exports. */
  readonly home: string;
  readonly foreign: string;
  readonly claims: readonly Claim[];
}

/** The first consumer binds everything and accepts most, the second accepts reading configmaps only, the third no claim at all. */
export async function createConsumers({
  claims,
  clusters: [first, second, third],
  foreign,
  home,
}: ConsumerOptions): Promise<void> {
  await bind(first, foreign, 'law', []);
  await bind(first, foreign, 'aid', []);
  await bind(first, home, 'wild', claims);
  const everything = { verbs: ['*'], answer: { state: 'Accepted', verbs: ['*'] } } as const;
  await bind(first, home, 'tame', [
    { ...everything, group: 'apis.kcp.io', resource: 'apibindings' },
    { ...everything, group: '', resource: 'configmaps' },
  ]);
  await bind(second, home, 'wild', [
    { group: '', resource: 'configmaps', verbs: ['*'], answer: { state: 'Accepted', verbs: ['*'] } },
  ]);
  await bind(third, home, 'wild', []);
  for (const [cluster, contents] of [
    [first, FIRST],
    [second, SECOND],
    [third, THIRD],
  ] as const) {
    for (const [collection, content] of contents) await create(cluster, collection, content);
  }
}
