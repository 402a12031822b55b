/** What the verbs of discovery are in OpenAPI: a table, as k8s.io/apiserver and apiextensions-apiserver describe them. */

export const OBJECT_TYPES = ['application/json', 'application/yaml'];
/** Without the strategic one: where it is offered kubectl reads merge keys from the schemas, which may be opaque here. */
const PATCH_BODY = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'];

export type Parameter = readonly [name: string, type: 'string' | 'integer' | 'boolean'];
const LIST: readonly Parameter[] = [
  ['allowWatchBookmarks', 'boolean'],
  ['continue', 'string'],
  ['fieldSelector', 'string'],
  ['labelSelector', 'string'],
  ['limit', 'integer'],
  ['resourceVersion', 'string'],
  ['resourceVersionMatch', 'string'],
  ['sendInitialEvents', 'boolean'],
  ['shardSelector', 'string'],
  ['timeoutSeconds', 'integer'],
  ['watch', 'boolean'],
];
/** kubectl asks for `fieldValidation` here before it leaves validation to the server. */
const WRITE: readonly Parameter[] = [
  ['dryRun', 'string'],
  ['fieldManager', 'string'],
  ['fieldValidation', 'string'],
];
const DELETE: readonly Parameter[] = [
  ['dryRun', 'string'],
  ['gracePeriodSeconds', 'integer'],
  ['ignoreStoreReadErrorWithClusterBreakingPotential', 'boolean'],
  ['orphanDependents', 'boolean'],
  ['propagationPolicy', 'string'],
];

export interface Operation {
  readonly verb: string;
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** At the collection, or at `{name}`. */
  readonly at: 'collection' | 'object';
  /** `x-kubernetes-action`. */
  readonly action: string;
  /** First word of the operationId, and one that follows the version. */
  readonly word: string;
  readonly kinds?: string;
  readonly parameters: readonly Parameter[];
  readonly body?: readonly [kind: 'object' | 'Patch' | 'DeleteOptions', types: readonly string[]];
  readonly returns: 'object' | 'list' | 'Status';
  /** HTTP statuses of success. */
  readonly codes: readonly number[];
}

/** What a verb of discovery is in OpenAPI. `watch` is the list's parameter. */
export const OPERATIONS: readonly Operation[] = [
  {
    verb: 'list',
    method: 'get',
    at: 'collection',
    action: 'list',
    word: 'list',
    parameters: LIST,
    returns: 'list',
    codes: [200],
  },
  {
    verb: 'create',
    method: 'post',
    at: 'collection',
    action: 'post',
    word: 'create',
    parameters: WRITE,
    body: ['object', OBJECT_TYPES],
    returns: 'object',
    codes: [200, 201, 202],
  },
  {
    verb: 'deletecollection',
    method: 'delete',
    at: 'collection',
    action: 'deletecollection',
    word: 'delete',
    kinds: 'Collection',
    parameters: LIST,
    returns: 'Status',
    codes: [200],
  },
  {
    verb: 'get',
    method: 'get',
    at: 'object',
    action: 'get',
    word: 'read',
    parameters: [['resourceVersion', 'string']],
    returns: 'object',
    codes: [200],
  },
  {
    verb: 'update',
    method: 'put',
    at: 'object',
    action: 'put',
    word: 'replace',
    parameters: WRITE,
    body: ['object', OBJECT_TYPES],
    returns: 'object',
    codes: [200, 201],
  },
  {
    verb: 'patch',
    method: 'patch',
    at: 'object',
    action: 'patch',
    word: 'patch',
    parameters: [...WRITE, ['force', 'boolean']],
    body: ['Patch', PATCH_BODY],
    returns: 'object',
    codes: [200],
  },
  {
    verb: 'delete',
    method: 'delete',
    at: 'object',
    action: 'delete',
    word: 'delete',
    parameters: DELETE,
    body: ['DeleteOptions', OBJECT_TYPES],
    returns: 'Status',
    codes: [200, 202],
  },
];
