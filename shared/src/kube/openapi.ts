import { type ApiResource, apiVersionOf, type GroupVersion, groupVersionPath, groupVersions } from './discovery.ts';
import { DISCOVERY_SCHEMAS, DOCUMENT_OPERATIONS, type DocumentOperation, groupOperation } from './openapi-discovery.ts';
import { SHARED_SCHEMAS } from './openapi-meta.ts';
import { componentsReachable } from './openapi-parts.ts';
import { kindOf, modelName, pathsOf, servedOperations } from './openapi-paths.ts';
import { customResourceSchema, listSchema, opaqueSchema, refTo, type Schema } from './openapi-schemas.ts';
import { hashOf, type PreparedDocument, prepare } from './prepared.ts';

/**
 * The OpenAPI v3 documents of a set of resources, by path: the index `/openapi/v3`, `/openapi/v3/<api path>` for every group version
 * with its resources' paths and schemas, and for `api`, `apis`, `apis/<group>` and `version`, which kcp lists too.
 *
 * The index points to each with its hash, `?hash=`: a client may keep what it fetched for as long as the hash is the same.
 */
export function openapiDocuments(resources: readonly ApiResource[]): ReadonlyMap<string, PreparedDocument> {
  const all = groupVersions(resources);
  const contents = new Map<string, object>(
    Object.entries(DOCUMENT_OPERATIONS).map(([key, operation]) => [key, operationDocument(operation)]),
  );
  for (const one of all) {
    if (one.group !== '') contents.set(`apis/${one.group}`, operationDocument(groupOperation(one.group)));
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

const document = (title: string, paths: object, schemas: object): object => ({
  openapi: '3.0.0',
  info: { title, version: 'unversioned' },
  paths,
  components: { schemas },
});

function operationDocument({ path, operation }: DocumentOperation): object {
  const paths = { [path]: { get: operation } };
  return document('Kubernetes', paths, componentsReachable([paths], DISCOVERY_SCHEMAS));
}

/** One document for all kinds of a group version. Of components and paths with the same name the first stays. */
function groupVersionDocument(one: GroupVersion): object {
  const taken = takenOver(one);
  const generated = one.resources.filter(({ name }) => !taken.names.has(name));
  const own = ownSchemas(one, generated);
  const paths = Object.entries({ ...pathsOf({ ...one, resources: generated }), ...taken.paths });
  const sorted = Object.fromEntries(paths.sort(([a], [b]) => (a < b ? -1 : 1)));
  const components = { ...SHARED_SCHEMAS, ...own, ...taken.components };
  const schemas = componentsReachable([sorted, ...Object.keys(own).map(refTo), ...taken.roots], components);
  return document(`Kubernetes ${apiVersionOf(one)}`, sorted, schemas);
}

interface TakenOver {
  readonly paths: Record<string, Schema>;
  readonly components: Record<string, Schema>;
  /** The resources and subresources that the paths are of. */
  readonly names: Set<string>;
  /** References to all components. */
  readonly roots: Schema[];
}

/** The parts of documents that other servers have made, without what is not served here. */
function takenOver(one: GroupVersion): TakenOver {
  const taken: TakenOver = { paths: {}, components: {}, names: new Set(), roots: [] };
  for (const { openapi } of one.resources) {
    if (openapi === undefined || !('paths' in openapi)) continue;
    for (const [path, item] of Object.entries(openapi.paths)) {
      const found = servedOperations(one, path, item as Schema);
      if (found === undefined) continue;
      taken.paths[path] ??= found.item;
      taken.names.add(found.name);
    }
    for (const [name, schema] of Object.entries(openapi.components)) {
      taken.components[name] ??= schema as Schema;
      taken.roots.push(refTo(name));
    }
  }
  return taken;
}

function ownSchemas(one: GroupVersion, resources: readonly ApiResource[]): Record<string, Schema> {
  const schemas: Record<string, Schema> = {};
  for (const { kind, openapi } of resources) {
    if (openapi && 'schema' in openapi)
      schemas[modelName(one, kind)] ??= customResourceSchema({ ...one, kind }, openapi.schema as Schema);
  }
  for (const resource of resources) {
    const gvk = kindOf(resource);
    const name = modelName(gvk, gvk.kind);
    if (SHARED_SCHEMAS[name] === undefined) schemas[name] ??= opaqueSchema(gvk);
    if (!resource.name.includes('/')) schemas[modelName(one, `${resource.kind}List`)] ??= listSchema(gvk, name);
  }
  return schemas;
}
