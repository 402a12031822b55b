import { type ApiResource, apiVersionOf, type GroupVersion, groupVersionPath, groupVersions } from './discovery.ts';
import { modelName, pathsOf } from './openapi-paths.ts';
import { hashOf, type PreparedDocument, prepare } from './prepared.ts';

/**
 * The OpenAPI v3 documents of a set of resources, by path: the index `/openapi/v3`, `/openapi/v3/<api path>` for every group version
 * with its resources' paths and opaque schemas, and for `api`, `apis`, `apis/<group>` and `version`, which kcp lists too.
 *
 * The index points to each with its hash, `?hash=`: a client may keep what it fetched for as long as the hash is the same.
 */
export function openapiDocuments(resources: readonly ApiResource[]): ReadonlyMap<string, PreparedDocument> {
  const all = groupVersions(resources);
  const contents = new Map<string, object>([
    ['api', discoveryDocument('/api/', 'APIVersions')],
    ['apis', discoveryDocument('/apis/', 'APIGroupList')],
    ['version', discoveryDocument('/version/', 'Info')],
  ]);
  for (const one of all) {
    if (one.group !== '') contents.set(`apis/${one.group}`, discoveryDocument(`/apis/${one.group}/`, 'APIGroup'));
    contents.set(groupVersionPath(one).slice(1), groupVersionDocument(one));
  }
  const documents = new Map<string, PreparedDocument>();
  const paths: Record<string, { serverRelativeURL: string }> = {};
  for (const key of [...contents.keys()].sort()) {
    const path = `/openapi/v3/${key}`;
    const document = prepare(contents.get(key) ?? {});
    documents.set(path, document);
    paths[key] = { serverRelativeURL: `${path}?hash=${hashOf(document.body)}` };
  }
  return documents.set('/openapi/v3', prepare({ paths }));
}

const META = { group: 'meta.k8s.io', version: 'v1' };
const OPAQUE = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const document = (title: string, paths: object, schemas: object): object => ({
  openapi: '3.0.0',
  info: { title, version: 'unversioned' },
  paths,
  components: { schemas },
});

/** A path that only says what it is, as those of the discovery documents do. */
function discoveryDocument(path: string, kind: string): object {
  const schema = { $ref: `#/components/schemas/${modelName(META, kind)}` };
  const responses = { 200: { description: 'OK', content: { 'application/json': { schema } } } };
  return document(
    'Kubernetes',
    { [path]: { get: { operationId: `get${kind}`, responses } } },
    { [modelName(META, kind)]: OPAQUE },
  );
}

function groupVersionDocument(one: GroupVersion): object {
  const schemas: Record<string, object> = {};
  for (const { name, kind } of one.resources) {
    schemas[modelName(one, kind)] ??= objectSchema(one, kind);
    if (!name.includes('/')) schemas[modelName(one, `${kind}List`)] ??= listSchema(one, kind);
  }
  for (const kind of ['DeleteOptions', 'Patch', 'Status']) schemas[modelName(META, kind)] = OPAQUE;
  return document(`Kubernetes ${apiVersionOf(one)}`, pathsOf(one), schemas);
}

const kindOf = ({ group, version }: GroupVersion, kind: string): object => ({
  'x-kubernetes-group-version-kind': [{ group, kind, version }],
});

/**
 * An object without properties: with some, kubectl would take all others for unknown fields. Whoever validates is the shard.
 */
const objectSchema = (one: GroupVersion, kind: string): object => ({
  description: `${kind} of ${apiVersionOf(one)}. Its fields are described by the workspaces that serve it.`,
  ...OPAQUE,
  ...kindOf(one, kind),
});

const listSchema = (one: GroupVersion, kind: string): object => ({
  description: `${kind}List is a list of ${kind}`,
  type: 'object',
  required: ['items'],
  properties: {
    apiVersion: { type: 'string' },
    items: { type: 'array', items: { $ref: `#/components/schemas/${modelName(one, kind)}` } },
    kind: { type: 'string' },
    metadata: { type: 'object' },
  },
  ...kindOf(one, `${kind}List`),
});
