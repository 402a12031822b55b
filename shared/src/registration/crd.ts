import type { KubeObject } from '../kube/objects.ts';
import { CONDITION_SCHEMA, ENDPOINT_SCHEMA } from './crd-status.ts';
import { GROUP, KIND, namespaceOf, RESOURCE, VERSION } from './virtual-workspace.ts';

/** A namespace has the view's name in its own, and both are DNS labels. */
export const LONGEST_VIEW_NAME = 63 - namespaceOf('').length;
/** A DNS label: the name is a segment of a path and part of a namespace's name. */
export const VIEW_NAME = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';

const SPEC_SCHEMA = {
  description: 'What whoever installs the view says of it.',
  type: 'object',
  required: ['path'],
  properties: {
    path: {
      description: 'Where the view is found at the front proxy: /services/ and the name of this object. It cannot be changed.',
      type: 'string',
      maxLength: '/services/'.length + LONGEST_VIEW_NAME,
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'the path of a view cannot be changed' }],
    },
    caBundle: {
      description:
        'The authorities, in PEM, that certify the servers of this view, and no others. Absent: those that the front proxy is started ' +
        'with.',
      type: 'string',
      format: 'byte',
      maxLength: 262_144,
    },
    allowedEndpoints: {
      description:
        'Where the servers of this view may be: a host, *.domain, an IP address or a range such as 10.0.0.0/8, each with :port or ' +
        'without. Where the front proxy is started with such a list, too, both have to allow a server; where neither is given, none ' +
        'is used.',
      type: 'array',
      // Not a set: whoever applies the list says all of it.
      'x-kubernetes-list-type': 'atomic',
      maxItems: 100,
      items: { type: 'string', minLength: 1, maxLength: 300, pattern: '^[^\\s?#@\\\\]+$' },
    },
    serviceAccounts: {
      description:
        'The service accounts of this workspace that may serve the view. Their roles are made when the view is installed: a change ' +
        'here alone gives no rights.',
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      maxItems: 20,
      items: {
        description: 'A service account of this workspace.',
        type: 'object',
        required: ['namespace', 'name'],
        properties: {
          namespace: { type: 'string', minLength: 1, maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
          name: { type: 'string', minLength: 1, maxLength: 253, pattern: '^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$' },
        },
      },
    },
  },
};

const STATUS_SCHEMA = {
  description: 'Where the view is served now, as its servers and the front proxy say.',
  type: 'object',
  properties: {
    endpoints: {
      description: 'The servers of the view. Each writes its own entry and no other.',
      type: 'array',
      maxItems: 1000,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['instance'],
      items: ENDPOINT_SCHEMA,
    },
    conditions: {
      description:
        'What the front proxy makes of it. Available: a server is ready and may be used. EndpointsAccepted: no server was refused.',
      type: 'array',
      maxItems: 20,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: CONDITION_SCHEMA,
    },
  },
};

const conditionOf = (type: string, field: string): string => `.status.conditions[?(@.type=="${type}")].${field}`;

/** How an API server comes to know the objects of `virtual-workspace.ts`. */
export const CUSTOM_RESOURCE_DEFINITION: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${RESOURCE}.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Cluster',
    names: { kind: KIND, listKind: `${KIND}List`, plural: RESOURCE, singular: KIND.toLowerCase(), shortNames: ['vw'] },
    versions: [
      {
        name: VERSION,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Path', type: 'string', jsonPath: '.spec.path' },
          { name: 'Available', type: 'string', jsonPath: conditionOf('Available', 'status') },
          { name: 'Accepted', type: 'string', jsonPath: conditionOf('EndpointsAccepted', 'status'), priority: 1 },
          // A column shows one value of a list, so that it is the front proxy's sentence that says how many endpoints there are.
          { name: 'Message', type: 'string', jsonPath: conditionOf('Available', 'message'), priority: 1 },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: {
          openAPIV3Schema: {
            description:
              'A virtual workspace: an API endpoint below /services/, served by processes that register themselves here.',
            type: 'object',
            required: ['spec'],
            properties: {
              apiVersion: { type: 'string' },
              kind: { type: 'string' },
              metadata: {
                type: 'object',
                properties: { name: { type: 'string', maxLength: LONGEST_VIEW_NAME, pattern: VIEW_NAME } },
              },
              spec: SPEC_SCHEMA,
              status: STATUS_SCHEMA,
            },
            'x-kubernetes-validations': [
              {
                rule: "self.spec.path == '/services/' + self.metadata.name",
                message: 'spec.path has to be /services/ and the name of the object',
              },
            ],
          },
        },
      },
    ],
  },
};
