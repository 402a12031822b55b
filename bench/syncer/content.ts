/** What is synced, and to whom: Deployments of two targets that share them, and of one that has others for itself. */
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { SELECTOR_ANNOTATION, SPREAD_ANNOTATION } from '@kcp-vw/syncer-vw/running/placement-annotations.ts';
import {
  RULES_ANNOTATION,
  SYNC,
  type SyncTargetKey,
  specDiffAnnotation,
  stateLabel,
  syncerFinalizer,
  viewDiffAnnotation,
} from '@kcp-vw/syncer-vw/transform/names.ts';
import { settings } from '../objects.ts';

/** The label by which namespaces select their targets. */
export const MARK = 'bench';
/** Its values, which are the names of namespaces, too. */
export const SHARED = 'shared';
export const SOLE = 'sole';
/** A namespace that nothing is synced of: its objects are written at the shard. */
export const UNSYNCED = 'unsynced';

/** Each changes an object of its own, so that none waits for another's. */
export const LANE_COUNT = 16;
/** What the targets share is divided by the coordinator. */
const REPLICAS = 7;
const SHARES: readonly number[] = [4, 3];

/** A namespace that stays with these targets: the scheduler would choose the same. */
export const namespace = (name: string, keys: readonly SyncTargetKey[]): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    labels: labelsOf(keys),
    annotations: { [SELECTOR_ANNOTATION]: `${MARK}=${name}`, [SPREAD_ANNOTATION]: String(keys.length) },
  },
});

const labelsOf = (keys: readonly SyncTargetKey[]): Record<string, string> =>
  Object.fromEntries(keys.map(key => [stateLabel(key), SYNC]));

/** Some of what a controller of Deployments reports; `revision` makes it another one, of which no sum over targets changes. */
export const reported = (replicas: number, revision: number) => ({
  ...{ observedGeneration: 1, replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas },
  collisionCount: revision,
  conditions: [
    condition('Available', 'MinimumReplicasAvailable', 'Deployment has minimum availability.'),
    condition('Progressing', 'NewReplicaSetAvailable', 'ReplicaSet "web-5d9c7b9f6" has successfully progressed.'),
  ],
});

const TIME = '2025-06-01T12:00:00Z';
const condition = (type: string, reason: string, message: string) => ({
  ...{ type, status: 'True', reason, message },
  ...{ lastUpdateTime: TIME, lastTransitionTime: TIME },
});

/** A Deployment of which a view shows about 2.4 KB, the status of a target among them. */
export const deployment = (name: string, seed: number): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: REPLICAS,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [container(seed)] } },
  },
});

/** Characters of what the program is told. */
const SETTINGS = 900;

const container = (seed: number) => ({
  name: 'main',
  image: 'registry.k8s.io/pause:3.10',
  ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
  env: [{ name: 'SETTINGS', value: settings(seed).slice(0, SETTINGS) }],
  resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
});

/** The object as it is when these targets share it, whose syncers hold it and have reported. Sorted keys: the first has the most. */
export function sharedBy(object: KubeObject, keys: readonly SyncTargetKey[]): KubeObject {
  const annotations = keys.flatMap((key, index) => {
    const replicas = SHARES[index] ?? 0;
    return [
      [specDiffAnnotation(key), JSON.stringify([{ op: 'replace', path: '/replicas', value: replicas }])],
      [viewDiffAnnotation(key), JSON.stringify({ status: reported(replicas, 0) })],
    ];
  });
  return held(object, keys, Object.fromEntries(annotations));
}

/** The object as it is when it is this target's alone, whose syncer holds it and has not reported. */
export const solelyOf = (object: KubeObject, key: SyncTargetKey): KubeObject =>
  held(object, [key], { [specDiffAnnotation(key)]: JSON.stringify([{ op: 'replace', path: '/replicas', value: REPLICAS }]) });

/** The same, with a rule by which its status never becomes that of the object itself. */
export function unpromotedOf(object: KubeObject, key: SyncTargetKey): KubeObject {
  const { metadata, ...rest } = solelyOf(object, key);
  const rules = JSON.stringify([{ fieldPath: 'status', promoteToUpstream: false }]);
  return { ...rest, metadata: { ...metadata, annotations: { ...metadata?.annotations, [RULES_ANNOTATION]: rules } } };
}

const held = (object: KubeObject, keys: readonly SyncTargetKey[], annotations: Record<string, string>): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, labels: labelsOf(keys), annotations, finalizers: keys.map(syncerFinalizer) },
});

/** A merge patch that every watcher is told of, and that changes nothing for any target. `{name}` stands for what is another each time. */
export const TOUCH = JSON.stringify({ metadata: { annotations: { 'bench.example.dev/run': '{name}' } } });
