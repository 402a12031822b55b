import { groupVersionPath } from './discovery.ts';
import type { Schema } from './openapi-schemas.ts';

/** What a document says about one resource. */
export interface OpenapiParts {
  /** Path items by path. */
  readonly paths: Readonly<Record<string, Schema>>;
  /** Schemas by name: all that the paths need. */
  readonly components: Readonly<Record<string, Schema>>;
}

export interface OpenapiResource {
  readonly group: string;
  readonly version: string;
  /** Plural, without a subresource: `configmaps`. */
  readonly name: string;
  readonly namespaced: boolean;
  readonly kind: string;
}

/**
 * Cuts one resource out of an OpenAPI v3 document, as a shard serves it for a group version: the paths of its collection, its objects and
 * of the `subresources` named, and the components that these lead to, together with those of the kind and its list. What the document
 * does not have is left out; nothing is copied.
 */
export function openapiPartsOf(
  document: unknown,
  resource: OpenapiResource,
  subresources: readonly string[] = ['status'],
): OpenapiParts {
  const { paths, components } = asRecord(document);
  const schemas = asSchemas(asRecord(components).schemas);
  const wanted = pathsOfResource(resource, subresources);
  const found = Object.fromEntries(Object.entries(asSchemas(paths)).filter(([path]) => wanted.has(path)));
  const kinds = Object.entries(schemas).filter(([, schema]) => describesKind(schema, resource));
  return {
    paths: found,
    components: componentsReachable([found, Object.fromEntries(kinds.map(([name]) => [name, ref(name)]))], schemas),
  };
}

function pathsOfResource(resource: OpenapiResource, subresources: readonly string[]): ReadonlySet<string> {
  const { name, namespaced } = resource;
  const root = groupVersionPath(resource);
  const collection = namespaced ? `${root}/namespaces/{namespace}/${name}` : `${root}/${name}`;
  const object = `${collection}/{name}`;
  return new Set([`${root}/${name}`, collection, object, ...subresources.map(subresource => `${object}/${subresource}`)]);
}

function describesKind(schema: Schema, { group, version, kind }: OpenapiResource): boolean {
  const described = schema['x-kubernetes-group-version-kind'];
  if (!Array.isArray(described)) return false;
  const [first, ...others] = described.map(asRecord);
  // DeleteOptions and their like name every group version there is.
  if (first === undefined || others.length > 0) return false;
  return first.group === group && first.version === version && (first.kind === kind || first.kind === `${kind}List`);
}

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

const REFERENCES = /"\$ref":"#\/components\/schemas\/([^"\\]+)"/g;

/** Those of `components` that `from` refers to, and all that they refer to in turn, by name in alphabetical order. */
export function componentsReachable(
  from: readonly unknown[],
  components: Readonly<Record<string, Schema>>,
): Readonly<Record<string, Schema>> {
  const known = new Map(Object.entries(components));
  const found = new Map<string, Schema>();
  const waiting: unknown[] = [...from];
  while (waiting.length > 0) {
    // In JSON a quote within a text is escaped: only a reference looks like one.
    for (const [, name = ''] of JSON.stringify(waiting.pop()).matchAll(REFERENCES)) {
      const schema = known.get(name);
      if (schema === undefined || found.has(name)) continue;
      found.set(name, schema);
      waiting.push(schema);
    }
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const isRecord = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);
const asRecord = (value: unknown): Schema => (isRecord(value) ? value : {});

/** The members of an object that are objects. */
const asSchemas = (value: unknown): Readonly<Record<string, Schema>> =>
  Object.fromEntries(Object.entries(asRecord(value)).filter((member): member is [string, Schema] => isRecord(member[1])));
