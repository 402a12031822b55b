/** The APIs that the exports offer. */
import type { KubeObject } from '../../support/kube.ts';

export const WILD = 'wild.bench.dev';
export const LAW = 'law.bench.dev';
export const TAME = 'tame.bench.dev';

const COWBOY = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['intent'],
      properties: {
        intent: { type: 'string', minLength: 1, description: 'What the cowboy is about to do.' },
        mood: { type: 'string', default: 'calm' },
        replicas: { type: 'integer', format: 'int32', default: 1 },
        horses: {
          type: 'array',
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, legs: { type: 'integer', default: 4 } },
          },
        },
      },
    },
    status: {
      type: 'object',
      properties: { result: { type: 'string' }, replicas: { type: 'integer' }, selector: { type: 'string' } },
    },
  },
};

const COLUMNS = [
  { name: 'Intent', type: 'string', jsonPath: '.spec.intent', description: 'What it is about to do' },
  { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas', priority: 1 },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

const SCALE = {
  specReplicasPath: '.spec.replicas',
  statusReplicasPath: '.status.replicas',
  labelSelectorPath: '.status.selector',
};

const version = (name: string, storage: boolean, more: Readonly<Record<string, unknown>>) => ({
  name,
  served: true,
  storage,
  ...more,
});

const schema = (
  group: string,
  names: Readonly<Record<string, unknown>> & { readonly plural: string },
  scope: string,
  versions: readonly unknown[],
) =>
  ({
    apiVersion: 'apis.kcp.io/v1alpha1',
    kind: 'APIResourceSchema',
    metadata: { name: `today.${names.plural}.${group}` },
    spec: { group, names, scope, versions, ...(versions.length > 1 && { conversion: { strategy: 'None' } }) },
  }) satisfies KubeObject & Record<string, unknown>;

const cowboyNames = {
  plural: 'cowboys',
  singular: 'cowboy',
  kind: 'Cowboy',
  listKind: 'CowboyList',
  shortNames: ['cb'],
  categories: ['people'],
};

const simple = (group: string, plural: string, singular: string, kind: string, scope: string) =>
  schema(group, { plural, singular, kind, listKind: `${kind}List` }, scope, [
    version('v1alpha1', true, {
      schema: { type: 'object', properties: { spec: { type: 'object', properties: { note: { type: 'string' } } } } },
    }),
  ]);

/** Two served versions, status, scale, columns, defaults and required fields. */
export const cowboys = schema(WILD, cowboyNames, 'Namespaced', [
  version('v1', true, { schema: COWBOY, subresources: { status: {}, scale: SCALE }, additionalPrinterColumns: COLUMNS }),
  version('v1alpha1', false, { schema: COWBOY, subresources: { status: {} } }),
]);

export const ranches = simple(WILD, 'ranches', 'ranch', 'Ranch', 'Cluster');
export const sheep = simple(TAME, 'sheep', 'sheep', 'Sheep', 'Namespaced');
export const sheriffs = simple(LAW, 'sheriffs', 'sheriff', 'Sheriff', 'Namespaced');
export const deputies = simple(LAW, 'deputies', 'deputy', 'Deputy', 'Namespaced');
