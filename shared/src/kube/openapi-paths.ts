import { type ApiResource, type GroupVersion, groupVersionPath } from './discovery.ts';
import { OBJECT_TYPES, OPERATIONS, type Operation, type Parameter } from './openapi-operations.ts';
import { type GroupVersionKind, META, refTo, type Schema } from './openapi-schemas.ts';

/** The kind that a resource's requests are about: its own, or another (`autoscaling/v1 Scale`) for some subresources. */
export const kindOf = ({ group, version, kind, kindGroup, kindVersion }: ApiResource): GroupVersionKind => ({
  group: kindGroup ?? group,
  version: kindVersion ?? version,
  kind,
});

/** The OpenAPI name of a kind: the group's domain reversed, `io.kcp.core.v1alpha1.LogicalCluster`. */
export function modelName({ group, version }: { group: string; version: string }, kind: string): string {
  const domain = group.includes('.') ? group : `${group || 'core'}.api.k8s.io`;
  return [...domain.split('.').reverse(), version, kind].join('.');
}

type PathItem = Record<string, object>;

const VERB_OF_ACTION: ReadonlyMap<unknown, string> = new Map(OPERATIONS.map(({ action, verb }) => [action, verb]));
const METHODS: ReadonlySet<string> = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);

/**
 * Of a path item that another server has made, the operations that a group version serves, and the name of the resource or subresource
 * that the path is of. Undefined when nothing is left.
 */
export function servedOperations(one: GroupVersion, path: string, item: Schema): { name: string; item: Schema } | undefined {
  const name = nameOf(one, path);
  const verbs = one.resources.find(resource => resource.name === name)?.verbs ?? [];
  const kept = Object.entries(item).filter(([key, value]) => !METHODS.has(key) || verbs.includes(verbOf(value)));
  return kept.some(([key]) => METHODS.has(key)) ? { name, item: Object.fromEntries(kept) } : undefined;
}

/** `configmaps/status` for `/api/v1/namespaces/{namespace}/configmaps/{name}/status`. */
function nameOf(one: GroupVersion, path: string): string {
  const below = path.slice(groupVersionPath(one).length + 1).replace(/^namespaces\/\{namespace\}\//, '');
  const [plural, , ...subresource] = below.split('/');
  return [plural, ...subresource].join('/');
}

function verbOf(operation: unknown): string {
  const action = typeof operation === 'object' && operation !== null && 'x-kubernetes-action' in operation;
  return action ? (VERB_OF_ACTION.get(operation['x-kubernetes-action']) ?? '') : '';
}

/** The `paths` of a group version: for every verb of every resource its operation. Sorted by path. */
export function pathsOf(one: GroupVersion): Record<string, PathItem> {
  const paths = new Map<string, Described[]>();
  const add = (path: string, operation: Operation, resource: ApiResource, suffix = ''): void => {
    const described = { operation, parameters: operation.parameters, rendered: render(operation, one, resource, suffix) };
    paths.set(path, [...(paths.get(path) ?? []), described]);
  };
  for (const resource of one.resources) {
    const [plural = '', ...subresource] = resource.name.split('/');
    const root = groupVersionPath(one);
    const collection = resource.namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
    const object = [collection, '{name}', ...subresource].join('/');
    for (const operation of OPERATIONS) {
      if (!resource.verbs?.includes(operation.verb)) continue;
      // What is created at a subresource (`pods/eviction`) is created at the object's.
      add(operation.at === 'object' || subresource.length > 0 ? object : collection, operation, resource);
      if (operation.verb === 'list' && resource.namespaced && subresource.length === 0) {
        add(`${root}/${plural}`, operation, resource, 'ForAllNamespaces');
      }
    }
  }
  const items = [...paths].map(([path, described]): [string, PathItem] => [path, pathItem(path, described)]);
  return Object.fromEntries(items.sort(([a], [b]) => (a < b ? -1 : 1)));
}

interface Described {
  readonly operation: Operation;
  readonly parameters: readonly Parameter[];
  readonly rendered: object;
}

/** The operations of a path; the parameters that all of them have are the path's. */
function pathItem(path: string, described: readonly Described[]): PathItem {
  const common = (described[0]?.parameters ?? []).filter(([name]) =>
    described.every(({ parameters }) => parameters.some(other => other[0] === name)),
  );
  const item: PathItem = {};
  for (const { operation, parameters, rendered } of described) {
    const own = parameters.filter(parameter => !common.some(([name]) => name === parameter[0]));
    item[operation.method] = { ...rendered, ...(own.length > 0 && { parameters: own.map(queryParameter) }) };
  }
  const inPath = ['name', 'namespace']
    .filter(name => path.includes(`{${name}}`))
    .map(name => ({ name, in: 'path', required: true, schema: { type: 'string', uniqueItems: true } }));
  return { ...item, parameters: [...inPath, queryParameter(['pretty', 'string']), ...common.map(queryParameter)] };
}

const queryParameter = ([name, type]: Parameter): object => ({ name, in: 'query', schema: { type, uniqueItems: true } });

function render(operation: Operation, one: GroupVersion, resource: ApiResource, suffix: string): object {
  const [plural, ...subresource] = resource.name.split('/');
  // A subresource is about its resource, whatever it returns.
  const { kind } = one.resources.find(({ name }) => name === plural) ?? resource;
  const schemaOf = (what: string): object => {
    if (what === 'object') return refTo(modelName(kindOf(resource), resource.kind));
    return refTo(what === 'list' ? modelName(one, `${kind}List`) : `${META}.${what}`);
  };
  const content = (types: readonly string[], what: string): object => ({
    content: Object.fromEntries(types.map(type => [type, { schema: schemaOf(what) }])),
  });
  const { word, kinds = '', body, codes, returns, action } = operation;
  const where = resource.namespaced && suffix === '' ? 'Namespaced' : '';
  const { title, tag } = operationNames(one);
  return {
    tags: [tag],
    description: [word, ...subresource, ...(subresource.length > 0 ? ['of'] : []), kinds.toLowerCase(), kind]
      .filter(Boolean)
      .join(' '),
    operationId: `${word}${title}${kinds}${where}${kind}${subresource.map(capitalized).join('')}${suffix}`,
    ...(body && { requestBody: { ...content(body[1], body[0]), ...(body[0] !== 'DeleteOptions' && { required: true }) } }),
    responses: {
      ...Object.fromEntries(codes.map(code => [code, { description: DESCRIPTIONS[code], ...content(OBJECT_TYPES, returns) }])),
      401: { description: 'Unauthorized' },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: one.group, version: one.version, kind },
  };
}

const DESCRIPTIONS: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `WildwestDevV1alpha1`, for names of operations, and `wildwestDev_v1alpha1`, their tag. Without a version: of the group. */
export function operationNames({ group, version = '' }: { group: string; version?: string }): { title: string; tag: string } {
  const words = (group || 'core').replace(/\.k8s\.io$/, '').split(/[.-]/);
  const title = words.map(capitalized).join('');
  const tag = title.charAt(0).toLowerCase() + title.slice(1);
  return { title: `${title}${capitalized(version)}`, tag: version === '' ? tag : `${tag}_${version}` };
}
