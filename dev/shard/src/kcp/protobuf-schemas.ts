/**
 * Kubernetes' own types as protobuf messages, as far as the shard has them: numbers and types of the `generated.proto` files of k8s.io/api
 * and k8s.io/apimachinery. Custom resources have no such form.
 */

/** `time` has whole seconds, `microTime` six digits more; `json` is a value that is text on the wire. */
type Scalar = 'text' | 'json' | 'bytes' | 'number' | 'boolean' | 'time' | 'microTime';
/** Maps from text: to text, to bytes, or to lists of texts (`ExtraValue`). */
type MapOf = 'textMap' | 'bytesMap' | 'textsMap';

export type FieldType = Scalar | MapOf | Message;

/** Field of the JSON form → its number, its type, and whether it is a list. */
export type Message = {
  readonly [field: string]: readonly [number: number, type: FieldType] | readonly [number: number, type: FieldType, list: 'list'];
};

const OWNER_REFERENCE: Message = {
  kind: [1, 'text'],
  name: [3, 'text'],
  uid: [4, 'text'],
  apiVersion: [5, 'text'],
  controller: [6, 'boolean'],
  blockOwnerDeletion: [7, 'boolean'],
};

const MANAGED_FIELDS: Message = {
  manager: [1, 'text'],
  operation: [2, 'text'],
  apiVersion: [3, 'text'],
  time: [4, 'time'],
  fieldsType: [6, 'text'],
  fieldsV1: [7, 'json'],
  subresource: [8, 'text'],
};

const OBJECT_META: Message = {
  name: [1, 'text'],
  generateName: [2, 'text'],
  namespace: [3, 'text'],
  uid: [5, 'text'],
  resourceVersion: [6, 'text'],
  generation: [7, 'number'],
  creationTimestamp: [8, 'time'],
  deletionTimestamp: [9, 'time'],
  deletionGracePeriodSeconds: [10, 'number'],
  labels: [11, 'textMap'],
  annotations: [12, 'textMap'],
  ownerReferences: [13, OWNER_REFERENCE, 'list'],
  finalizers: [14, 'text', 'list'],
  managedFields: [17, MANAGED_FIELDS, 'list'],
};

const LIST_META: Message = { resourceVersion: [2, 'text'], continue: [3, 'text'], remainingItemCount: [4, 'number'] };

const metadata = [1, OBJECT_META] as const;

const POLICY_RULE: Message = {
  verbs: [1, 'text', 'list'],
  apiGroups: [2, 'text', 'list'],
  resources: [3, 'text', 'list'],
  resourceNames: [4, 'text', 'list'],
  nonResourceURLs: [5, 'text', 'list'],
};
const SUBJECT: Message = { kind: [1, 'text'], apiGroup: [2, 'text'], name: [3, 'text'], namespace: [4, 'text'] };
const ROLE: Message = { metadata, rules: [2, POLICY_RULE, 'list'] };
const BINDING: Message = {
  metadata,
  subjects: [2, SUBJECT, 'list'],
  roleRef: [3, { apiGroup: [1, 'text'], kind: [2, 'text'], name: [3, 'text'] }],
};

const ACCESS_ATTRIBUTES: Message = {
  resourceAttributes: [
    1,
    {
      namespace: [1, 'text'],
      verb: [2, 'text'],
      group: [3, 'text'],
      version: [4, 'text'],
      resource: [5, 'text'],
      subresource: [6, 'text'],
      name: [7, 'text'],
    },
  ],
  nonResourceAttributes: [2, { path: [1, 'text'], verb: [2, 'text'] }],
};
const ACCESS_STATUS: Message = {
  allowed: [1, 'boolean'],
  reason: [2, 'text'],
  evaluationError: [3, 'text'],
  denied: [4, 'boolean'],
};
const ACCESS_SUBJECT: Message = { user: [3, 'text'], groups: [4, 'text', 'list'], extra: [5, 'textsMap'], uid: [6, 'text'] };
const ACCESS_REVIEW: Message = {
  metadata,
  spec: [2, { ...ACCESS_ATTRIBUTES, ...ACCESS_SUBJECT }],
  status: [3, ACCESS_STATUS],
};
const USER_INFO: Message = { username: [1, 'text'], uid: [2, 'text'], groups: [3, 'text', 'list'], extra: [4, 'textsMap'] };

const STATUS: Message = {
  metadata: [1, LIST_META],
  status: [2, 'text'],
  message: [3, 'text'],
  reason: [4, 'text'],
  details: [
    5,
    {
      name: [1, 'text'],
      group: [2, 'text'],
      kind: [3, 'text'],
      causes: [4, { reason: [1, 'text'], message: [2, 'text'], field: [3, 'text'] }, 'list'],
      retryAfterSeconds: [5, 'number'],
      uid: [6, 'text'],
    },
  ],
  code: [6, 'number'],
};

const OBJECT_REFERENCE: Message = {
  kind: [1, 'text'],
  namespace: [2, 'text'],
  name: [3, 'text'],
  uid: [4, 'text'],
  apiVersion: [5, 'text'],
  resourceVersion: [6, 'text'],
  fieldPath: [7, 'text'],
};
const EVENT_SOURCE: Message = { component: [1, 'text'], host: [2, 'text'] };
const EVENT_SERIES: Message = { count: [1, 'number'], lastObservedTime: [2, 'microTime'] };
const LEGACY_EVENT: Message = {
  metadata,
  involvedObject: [2, OBJECT_REFERENCE],
  reason: [3, 'text'],
  message: [4, 'text'],
  source: [5, EVENT_SOURCE],
  firstTimestamp: [6, 'time'],
  lastTimestamp: [7, 'time'],
  count: [8, 'number'],
  type: [9, 'text'],
  eventTime: [10, 'microTime'],
  series: [11, EVENT_SERIES],
  action: [12, 'text'],
  related: [13, OBJECT_REFERENCE],
  reportingComponent: [14, 'text'],
  reportingInstance: [15, 'text'],
};
const EVENT: Message = {
  metadata,
  eventTime: [2, 'microTime'],
  series: [3, EVENT_SERIES],
  reportingController: [4, 'text'],
  reportingInstance: [5, 'text'],
  action: [6, 'text'],
  reason: [7, 'text'],
  regarding: [8, OBJECT_REFERENCE],
  related: [9, OBJECT_REFERENCE],
  note: [10, 'text'],
  type: [11, 'text'],
  deprecatedSource: [12, EVENT_SOURCE],
  deprecatedFirstTimestamp: [13, 'time'],
  deprecatedLastTimestamp: [14, 'time'],
  deprecatedCount: [15, 'number'],
};
const LEASE: Message = {
  metadata,
  spec: [
    2,
    {
      holderIdentity: [1, 'text'],
      leaseDurationSeconds: [2, 'number'],
      acquireTime: [3, 'microTime'],
      renewTime: [4, 'microTime'],
      leaseTransitions: [5, 'number'],
      strategy: [6, 'text'],
      preferredHolder: [7, 'text'],
    },
  ],
};
const CERTIFICATE_SIGNING_REQUEST: Message = {
  metadata,
  spec: [
    2,
    {
      request: [1, 'bytes'],
      username: [2, 'text'],
      uid: [3, 'text'],
      groups: [4, 'text', 'list'],
      usages: [5, 'text', 'list'],
      extra: [6, 'textsMap'],
      signerName: [7, 'text'],
      expirationSeconds: [8, 'number'],
    },
  ],
  status: [
    3,
    {
      conditions: [
        1,
        {
          type: [1, 'text'],
          reason: [2, 'text'],
          message: [3, 'text'],
          lastUpdateTime: [4, 'time'],
          lastTransitionTime: [5, 'time'],
          status: [6, 'text'],
        },
        'list',
      ],
      certificate: [2, 'bytes'],
    },
  ],
};

const DELETE_OPTIONS: Message = {
  gracePeriodSeconds: [1, 'number'],
  preconditions: [2, { uid: [1, 'text'], resourceVersion: [2, 'text'] }],
  orphanDependents: [3, 'boolean'],
  propagationPolicy: [4, 'text'],
  dryRun: [5, 'text', 'list'],
};

/** By apiVersion and kind. */
const SCHEMAS: Readonly<Record<string, Message>> = {
  'v1 ConfigMap': { metadata, data: [2, 'textMap'], binaryData: [3, 'bytesMap'], immutable: [4, 'boolean'] },
  'v1 DeleteOptions': DELETE_OPTIONS,
  'v1 Event': LEGACY_EVENT,
  'v1 Namespace': { metadata, spec: [2, { finalizers: [1, 'text', 'list'] }], status: [3, { phase: [1, 'text'] }] },
  'v1 Secret': {
    metadata,
    data: [2, 'bytesMap'],
    type: [3, 'text'],
    stringData: [4, 'textMap'],
    immutable: [5, 'boolean'],
  },
  'v1 ServiceAccount': {
    metadata,
    secrets: [2, OBJECT_REFERENCE, 'list'],
    imagePullSecrets: [3, { name: [1, 'text'] }, 'list'],
    automountServiceAccountToken: [4, 'boolean'],
  },
  'v1 Status': STATUS,
  'authentication.k8s.io/v1 SelfSubjectReview': { metadata, status: [2, { userInfo: [1, USER_INFO] }] },
  'authentication.k8s.io/v1 TokenRequest': {
    metadata,
    spec: [
      2,
      {
        audiences: [1, 'text', 'list'],
        boundObjectRef: [3, { kind: [1, 'text'], apiVersion: [2, 'text'], name: [3, 'text'], uid: [4, 'text'] }],
        expirationSeconds: [4, 'number'],
      },
    ],
    status: [3, { token: [1, 'text'], expirationTimestamp: [2, 'time'] }],
  },
  'authentication.k8s.io/v1 TokenReview': {
    metadata,
    spec: [2, { token: [1, 'text'], audiences: [2, 'text', 'list'] }],
    status: [3, { authenticated: [1, 'boolean'], user: [2, USER_INFO], error: [3, 'text'], audiences: [4, 'text', 'list'] }],
  },
  'authorization.k8s.io/v1 LocalSubjectAccessReview': ACCESS_REVIEW,
  'authorization.k8s.io/v1 SelfSubjectAccessReview': ACCESS_REVIEW,
  'authorization.k8s.io/v1 SubjectAccessReview': ACCESS_REVIEW,
  'certificates.k8s.io/v1 CertificateSigningRequest': CERTIFICATE_SIGNING_REQUEST,
  'coordination.k8s.io/v1 Lease': LEASE,
  'events.k8s.io/v1 Event': EVENT,
  'rbac.authorization.k8s.io/v1 ClusterRole': ROLE,
  'rbac.authorization.k8s.io/v1 ClusterRoleBinding': BINDING,
  'rbac.authorization.k8s.io/v1 Role': ROLE,
  'rbac.authorization.k8s.io/v1 RoleBinding': BINDING,
};

const ITEM = /^(.+)List$/;

/** The message of a kind, or of a list of it; undefined where there is none. */
export function schemaOf(apiVersion: string, kind: string): Message | undefined {
  const own = SCHEMAS[`${apiVersion} ${kind}`];
  const itemKind = ITEM.exec(kind)?.[1];
  if (own !== undefined || itemKind === undefined) return own;
  const item = SCHEMAS[`${apiVersion} ${itemKind}`];
  return item && { metadata: [1, LIST_META], items: [2, item, 'list'] };
}
