import { type ApiResource, type GroupVersion, groupVersionPath } from './discovery.ts';

/** The OpenAPI name of a kind: the group's domain reversed, `io.kcp.core.v1alpha1.LogicalCluster`. */
export function modelName({ group, version }: { group: string; version: string }, kind: string): string {
  const domain = group.includes('.') ? group : `${group || 'core'}.api.k8s.io`;
  return [...domain.split('.').reverse(), version, kind].join('.');
}

const JSON_BODY = ['application/json', 'application/yaml'];
/** Without the strategic one: where it is offered kubectl reads merge keys from the schemas, which are opaque here. */
const PATCH_BODY = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'];

type Parameter = readonly [name: string, type: 'string' | 'integer' | 'boolean'];
const PRETTY: readonly Parameter[] = [['pretty', 'string']];
const LIST: readonly Parameter[] = [
  ['allowWatchBookmarks', 'boolean'],
  ['continue', 'string'],
  ['fieldSelector', 'string'],
  ['labelSelector', 'string'],
  ['limit', 'integer'],
  ['resourceVersion', 'string'],
  ['resourceVersionMatch', 'string'],
  ['sendInitialEvents', 'boolean'],
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
  ['orphanDependents', 'boolean'],
  ['propagationPolicy', 'string'],
];

interface Operation {
  readonly verb: string;
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** At the collection, or at `{name}`. */
  readonly at: 'collection' | 'object';
  /** `x-kubernetes-action`. */
  readonly action: string;
  /** First word of the operationId. */
  readonly word: string;
  readonly parameters: readonly Parameter[];
  readonly body?: readonly [kind: 'object' | 'Patch' | 'DeleteOptions', types: readonly string[]];
  readonly returns: 'object' | 'list' | 'Status';
}

/** What a verb of discovery is in OpenAPI. `watch` is the list's parameter. */
const OPERATIONS: readonly Operation[] = [
  { verb: 'list', method: 'get', at: 'collection', action: 'list', word: 'list', parameters: LIST, returns: 'list' },
  {
    verb: 'create',
    method: 'post',
    at: 'collection',
    action: 'post',
    word: 'create',
    parameters: WRITE,
    body: ['object', JSON_BODY],
    returns: 'object',
  },
  {
    verb: 'deletecollection',
    method: 'delete',
    at: 'collection',
    action: 'deletecollection',
    word: 'deletecollection',
    parameters: [...DELETE, ...LIST],
    body: ['DeleteOptions', JSON_BODY],
    returns: 'Status',
  },
  {
    verb: 'get',
    method: 'get',
    at: 'object',
    action: 'get',
    word: 'read',
    parameters: [['resourceVersion', 'string']],
    returns: 'object',
  },
  {
    verb: 'update',
    method: 'put',
    at: 'object',
    action: 'put',
    word: 'replace',
    parameters: WRITE,
    body: ['object', JSON_BODY],
    returns: 'object',
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
  },
  {
    verb: 'delete',
    method: 'delete',
    at: 'object',
    action: 'delete',
    word: 'delete',
    parameters: DELETE,
    body: ['DeleteOptions', JSON_BODY],
    returns: 'Status',
  },
];

type PathItem = Record<string, object>;

/** The `paths` of a group version: for every verb of every resource its operation. Sorted by path. */
export function pathsOf(one: GroupVersion): Record<string, PathItem> {
  const paths = new Map<string, PathItem>();
  const add = (path: string, method: string, operation: object): void => {
    const item = paths.get(path) ?? pathParameters(path);
    item[method] = operation;
    paths.set(path, item);
  };
  for (const resource of one.resources) {
    const [plural = '', ...subresource] = resource.name.split('/');
    const root = groupVersionPath(one);
    const collection = resource.namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
    const object = [collection, '{name}', ...subresource].join('/');
    for (const operation of OPERATIONS) {
      if (!resource.verbs?.includes(operation.verb)) continue;
      // What is created at a subresource (`pods/eviction`) is created at the object's.
      const path = operation.at === 'object' || subresource.length > 0 ? object : collection;
      add(path, operation.method, render(operation, one, resource));
      if (operation.verb === 'list' && resource.namespaced && subresource.length === 0) {
        add(`${root}/${plural}`, operation.method, render(operation, one, resource, 'ForAllNamespaces'));
      }
    }
  }
  return Object.fromEntries([...paths].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const pathParameters = (path: string): PathItem => ({
  parameters: ['name', 'namespace']
    .filter(name => path.includes(`{${name}}`))
    .map(name => ({ name, in: 'path', required: true, schema: { type: 'string', uniqueItems: true } })),
});

function render(operation: Operation, one: GroupVersion, resource: ApiResource, suffix = ''): object {
  const { group, version } = one;
  const { kind } = resource;
  const schemaOf = (what: string): object => {
    const name =
      what === 'object' || what === 'list'
        ? modelName(one, what === 'list' ? `${kind}List` : kind)
        : modelName({ group: 'meta.k8s.io', version: 'v1' }, what);
    return { $ref: `#/components/schemas/${name}` };
  };
  const content = (types: readonly string[], what: string): object =>
    Object.fromEntries(types.map(type => [type, { schema: schemaOf(what) }]));
  const [, ...subresource] = resource.name.split('/');
  const where = resource.namespaced && suffix === '' ? 'Namespaced' : '';
  const part = subresource.map(text => text.charAt(0).toUpperCase() + text.slice(1)).join('');
  return {
    description: `${operation.word} ${[...subresource, 'of', kind].slice(subresource.length > 0 ? 0 : 1).join(' ')}`,
    operationId: `${operation.word}${where}${kind}${part}${suffix}`,
    parameters: [...PRETTY, ...operation.parameters].map(([name, type]) => ({
      name,
      in: 'query',
      schema: { type, uniqueItems: true },
    })),
    ...(operation.body && { requestBody: { content: content(operation.body[1], operation.body[0]) } }),
    responses: { 200: { description: 'OK', content: content(['application/json'], operation.returns) } },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': { group, version, kind },
  };
}
