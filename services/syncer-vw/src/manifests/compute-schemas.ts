import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import { podSpec, podStatus, podTemplate } from './pod-schema.ts';
import { type ResourceSchemaParts, resourceSchema } from './resource-schemas.ts';
import {
  anyFields,
  conditions,
  flag,
  int32,
  int64,
  intOrText,
  labelSelector,
  list,
  listByKeys,
  map,
  objectSchema,
  open,
  quantities,
  type Schema,
  text,
  textByName,
  texts,
  time,
} from './schema-parts.ts';

const AGE = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const count: Schema = { ...int32, minimum: 0 };

const DEPLOYMENTS: ResourceSchemaParts = {
  group: 'apps',
  version: 'v1',
  names: {
    ...{ plural: 'deployments', singular: 'deployment', kind: 'Deployment', listKind: 'DeploymentList' },
    ...{ shortNames: ['deploy'], categories: ['all'] },
  },
  scope: 'Namespaced',
  schema: objectSchema('Pods of one template, as many as are asked for.', {
    spec: map(
      {
        // As Kubernetes defaults it: what targets share has to be a number.
        replicas: { ...count, default: 1 },
        selector: labelSelector,
        template: podTemplate,
        strategy: map({ type: text, rollingUpdate: map({ maxSurge: intOrText, maxUnavailable: intOrText }) }),
        minReadySeconds: int32,
        progressDeadlineSeconds: int32,
        revisionHistoryLimit: int32,
        paused: flag,
      },
      ['selector', 'template'],
    ),
    status: map({
      observedGeneration: int64,
      replicas: int32,
      updatedReplicas: int32,
      readyReplicas: int32,
      availableReplicas: int32,
      unavailableReplicas: int32,
      terminatingReplicas: int32,
      collisionCount: int32,
      conditions,
    }),
  }),
  subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
  columns: [
    { name: 'Desired', type: 'integer', jsonPath: '.spec.replicas' },
    { name: 'Ready', type: 'integer', jsonPath: '.status.readyReplicas' },
    { name: 'Up-to-date', type: 'integer', jsonPath: '.status.updatedReplicas' },
    { name: 'Available', type: 'integer', jsonPath: '.status.availableReplicas' },
    AGE,
  ],
};

const loadBalancer: Schema = map({
  ingress: list(
    map({
      ip: text,
      hostname: text,
      ipMode: text,
      ports: list(map({ port: int32, protocol: text, error: text }, ['port', 'protocol'])),
    }),
  ),
});

const SERVICES: ResourceSchemaParts = {
  group: '',
  version: 'v1',
  names: {
    ...{ plural: 'services', singular: 'service', kind: 'Service', listKind: 'ServiceList' },
    ...{ shortNames: ['svc'], categories: ['all'] },
  },
  scope: 'Namespaced',
  schema: objectSchema('A name and an address for pods.', {
    spec: map({
      type: text,
      selector: { ...textByName, 'x-kubernetes-map-type': 'atomic' },
      ports: listByKeys(
        map(
          {
            name: text,
            protocol: { ...text, default: 'TCP' },
            appProtocol: text,
            port: int32,
            targetPort: intOrText,
            nodePort: int32,
          },
          ['port'],
        ),
        'port',
        'protocol',
      ),
      clusterIP: text,
      clusterIPs: texts,
      ipFamilies: texts,
      ipFamilyPolicy: text,
      externalIPs: texts,
      externalName: text,
      externalTrafficPolicy: text,
      internalTrafficPolicy: text,
      trafficDistribution: text,
      healthCheckNodePort: int32,
      loadBalancerIP: text,
      loadBalancerClass: text,
      loadBalancerSourceRanges: texts,
      allocateLoadBalancerNodePorts: flag,
      publishNotReadyAddresses: flag,
      sessionAffinity: text,
      sessionAffinityConfig: map({ clientIP: map({ timeoutSeconds: int32 }) }),
    }),
    status: map({
      loadBalancer,
      conditions,
    }),
  }),
  subresources: { status: {} },
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.spec.type' },
    { name: 'Cluster-IP', type: 'string', jsonPath: '.spec.clusterIP' },
    { name: 'External-IP', type: 'string', jsonPath: '.status.loadBalancer.ingress[0].ip' },
    AGE,
  ],
};

const ingressBackend = map({
  service: map({ name: text, port: map({ name: text, number: int32 }) }, ['name']),
  resource: { ...map({ apiGroup: text, kind: text, name: text }, ['kind', 'name']), 'x-kubernetes-map-type': 'atomic' },
});

const INGRESSES: ResourceSchemaParts = {
  group: 'networking.k8s.io',
  version: 'v1',
  names: { plural: 'ingresses', singular: 'ingress', kind: 'Ingress', listKind: 'IngressList', shortNames: ['ing'] },
  scope: 'Namespaced',
  schema: objectSchema('How requests from outside come to services.', {
    spec: map({
      ingressClassName: text,
      defaultBackend: ingressBackend,
      rules: list(
        map({
          host: text,
          http: map({ paths: list(map({ path: text, pathType: text, backend: ingressBackend }, ['backend', 'pathType'])) }, [
            'paths',
          ]),
        }),
      ),
      tls: list(map({ hosts: texts, secretName: text })),
    }),
    status: map({ loadBalancer }),
  }),
  subresources: { status: {} },
  columns: [
    { name: 'Class', type: 'string', jsonPath: '.spec.ingressClassName' },
    { name: 'Hosts', type: 'string', jsonPath: '.spec.rules[*].host' },
    { name: 'Address', type: 'string', jsonPath: '.status.loadBalancer.ingress[0].ip' },
    AGE,
  ],
};

const PODS: ResourceSchemaParts = {
  group: '',
  version: 'v1',
  names: {
    ...{ plural: 'pods', singular: 'pod', kind: 'Pod', listKind: 'PodList' },
    ...{ shortNames: ['po'], categories: ['all'] },
  },
  scope: 'Namespaced',
  schema: objectSchema('Containers that run on one machine of a physical cluster: its syncer brings them here.', {
    spec: podSpec,
    status: podStatus,
  }),
  subresources: { status: {} },
  columns: [
    { name: 'Status', type: 'string', jsonPath: '.status.phase' },
    { name: 'IP', type: 'string', jsonPath: '.status.podIP', priority: 1 },
    { name: 'Node', type: 'string', jsonPath: '.spec.nodeName', priority: 1 },
    AGE,
  ],
};

const VOLUMES: ResourceSchemaParts = {
  group: '',
  version: 'v1',
  names: {
    ...{ plural: 'persistentvolumes', singular: 'persistentvolume', kind: 'PersistentVolume', listKind: 'PersistentVolumeList' },
    shortNames: ['pv'],
  },
  scope: 'Cluster',
  schema: objectSchema('A piece of storage of a physical cluster: its syncer brings it here.', {
    // Where the storage is, is one of two dozen fields, each of another kind of storage.
    spec: open({
      capacity: quantities,
      accessModes: texts,
      claimRef: { ...open({ namespace: text, name: text, uid: text }), 'x-kubernetes-map-type': 'granular' },
      persistentVolumeReclaimPolicy: text,
      storageClassName: text,
      volumeAttributesClassName: text,
      volumeMode: text,
      mountOptions: texts,
      nodeAffinity: anyFields,
    }),
    status: map({ phase: text, message: text, reason: text, lastPhaseTransitionTime: time }),
  }),
  subresources: { status: {} },
  columns: [
    { name: 'Capacity', type: 'string', jsonPath: '.spec.capacity.storage' },
    { name: 'Reclaim policy', type: 'string', jsonPath: '.spec.persistentVolumeReclaimPolicy' },
    { name: 'Status', type: 'string', jsonPath: '.status.phase' },
    { name: 'Storageclass', type: 'string', jsonPath: '.spec.storageClassName' },
    AGE,
  ],
};

/** What is synced to physical clusters, and what comes back from them: pods and persistent volumes. */
export const computeSchemas = (): readonly ApiResourceSchema[] =>
  [DEPLOYMENTS, INGRESSES, VOLUMES, PODS, SERVICES].map(resourceSchema);
