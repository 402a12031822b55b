import { type ApiResource, type ResourceOpenapi, storageVersionHash } from '@kcp-vw/shared/kube/discovery.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { matchesLabels, parseLabelSelector } from '@kcp-vw/shared/kube/selectors.ts';
import {
  contentHash,
  RESOURCE_VERBS,
  type ServedVersion,
  SUBRESOURCE_VERBS,
  servedVersions,
} from '@kcp-vw/shared/view/schema-resources.ts';
import type { ApiExport, ApiResourceSchema, ExportKey, PermissionClaim } from './apis-kcp-io.ts';
import { claimLabelKey, claimLabelValue, EXPORT_LABEL, exportHash, REFLEXIVE_VALUE } from './claim-labels.ts';
import { API_BINDINGS, APIS_GROUP, type ClaimableApi, claimableApis } from './claimable-apis.ts';

/** One resource in one version, as an export's view serves it. The same object for as long as nothing of it changes. */
export interface ApiDefinition {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  /** Follows the resource's name at the shard; absent for resources of Kubernetes and kcp. */
  readonly identity?: string;
  /** Labels of the objects that the export may see; absent: all. */
  readonly select?: string;
  /** The same, of one object. */
  readonly visible?: (object: KubeObject) => boolean;
  /** Why it is served, for audit lines. */
  readonly because: string;
  readonly fingerprint: string;
}

/** What an export's view serves: immutable, and replaced as a whole. */
export interface ApiSet {
  /** For discovery and OpenAPI, which are made once per array. Sorted. */
  readonly apis: readonly ApiResource[];
  /** By `definitionKey`. */
  readonly definitions: ReadonlyMap<string, ApiDefinition>;
  /** Every schema that the export names was there. */
  readonly complete: boolean;
}

/** What an API set is made of, beside its export. */
export interface ApiSources {
  schema(cluster: string, name: string): ApiResourceSchema | undefined;
  /** In no particular order. */
  exportsOf(identityHash: string): readonly ApiExport[];
  /** Whether the shard serves it in every logical cluster by itself. */
  isShardsOwn(group: string, resource: string): boolean;
  /** What the shard's own OpenAPI says of a resource of Kubernetes or kcp, once that is known. */
  openapi(group: string, version: string, resource: string): ResourceOpenapi | undefined;
}

export const definitionKey = (group: string, version: string, resource: string): string => `${group}/${version}/${resource}`;

/** The resources of one group and name, with what is particular to how this export has them. */
interface Resource {
  readonly group: string;
  readonly resource: string;
  readonly versions: readonly ServedVersion[];
  readonly identity?: string;
  readonly select?: string;
  readonly because: string;
  readonly content: string;
}

/**
 * The APIs of an export: what it exports, what it claims, and always its bindings. Undefined for an export without an identity yet.
 * A resource that is there already is not claimed again: exported ones go first, then claims in their order.
 * What is as it was in `previous` is taken over, down to the objects.
 */
export function apiSetOf(exported: ApiExport, sources: ApiSources, previous?: ApiSet): ApiSet | undefined {
  const identity = exported.status?.identityHash;
  const key: ExportKey = { cluster: clusterOf(exported), name: exported.metadata?.name ?? '' };
  if (!identity) return undefined;

  const resources = new Map<string, Resource>();
  const add = (resource: Resource): void => {
    const name = nameInSet(resource);
    if (!resources.has(name)) resources.set(name, resource);
  };
  for (const schema of schemasOf(exported, sources)) {
    if (mayBeExported(schema, sources)) add(fromSchema(schema, identity, { because: 'exported' }));
  }
  const ofOthers = schemasByIdentity(sources);
  for (const claim of exported.spec?.permissionClaims ?? []) {
    // Shadowed as a whole: of two events not the other one either.
    if (resources.has(nameInSet(claim))) continue;
    for (const resource of claimed(claim, key, sources, ofOthers)) add(resource);
  }
  add(ownBindings(key, sources));
  const complete = (exported.spec?.resources ?? []).every(({ schema }) => sources.schema(key.cluster, schema) !== undefined);
  return assemble([...resources.values()], complete, previous);
}

/**
 * Not a resource that the shard has by itself: it strips the identity from the name of such a one and serves its own, so that the wildcard
 * list of an export of `secrets` would be everybody's Secrets. (kcp's own server falls for it.) Whoever wants those has to claim them.
 */
const mayBeExported = ({ spec }: ApiResourceSchema, { isShardsOwn }: ApiSources): boolean => {
  const { group = '', names } = spec ?? {};
  const resource = names?.plural ?? '';
  return group !== APIS_GROUP && claimableApis({ group, resource }) === undefined && !isShardsOwn(group, resource);
};

const nameInSet = ({ group = '', resource }: { readonly group?: string; readonly resource: string }): string =>
  `${resource}.${group}`;

/** Those that an export names and that are there, later ones in the place of earlier ones of the same resource. */
function schemasOf(exported: ApiExport, sources: ApiSources): readonly ApiResourceSchema[] {
  const byResource = new Map<string, ApiResourceSchema>();
  for (const { schema: name } of exported.spec?.resources ?? []) {
    const schema = sources.schema(clusterOf(exported), name);
    if (schema?.spec) byResource.set(`${schema.spec.names.plural}.${schema.spec.group}`, schema);
  }
  return [...byResource.values()];
}

function fromSchema(schema: ApiResourceSchema, identity: string, how: { because: string; select?: string }): Resource {
  const { group = '', names } = schema.spec ?? {};
  return {
    group,
    resource: names?.plural ?? '',
    versions: how.select === undefined ? servedVersions(schema) : servedVersions(schema).map(withoutScale),
    identity,
    content: contentHash(schema),
    ...how,
  };
}

/** A Scale carries no labels: nobody could tell whether it belongs to an object that the claim reaches. */
const withoutScale = (served: ServedVersion): ServedVersion => ({
  ...served,
  resources: served.resources.filter(({ name }) => !name.endsWith('/scale')),
});

/** Finds the schema of a claimed resource by the identity that it is claimed from. */
type SchemasByIdentity = (identityHash: string, resource: string) => ApiResourceSchema | undefined;

/** Exports of an identity are gone through once, however many claims there are. */
function schemasByIdentity(sources: ApiSources): SchemasByIdentity {
  const known = new Map<string, ReadonlyMap<string, ApiResourceSchema>>();
  return (identityHash, resource) => {
    let schemas = known.get(identityHash);
    if (schemas === undefined) {
      // Exports of the same identity belong to one owner, who has to keep their schemas alike: the choice must only be the same everywhere.
      const exports = [...sources.exportsOf(identityHash)].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
      const all = exports.flatMap(one => schemasOf(one, sources));
      schemas = new Map(
        all.map(schema => [nameInSet({ group: schema.spec?.group ?? '', resource: schema.spec?.names.plural ?? '' }), schema]),
      );
      known.set(identityHash, schemas);
    }
    return schemas.get(resource);
  };
}

function claimed(claim: PermissionClaim, key: ExportKey, sources: ApiSources, ofOthers: SchemasByIdentity): readonly Resource[] {
  const { group = '', resource, identityHash = '' } = claim;
  const because = `claims ${resource}.${group || 'core'}`;
  const [label, value] = [claimLabelKey(key), claimLabelValue(claim)];
  const open = claimableApis(claim);
  if (open) {
    return open.map(api => {
      const values = api === API_BINDINGS ? [value, REFLEXIVE_VALUE] : [value];
      const select = values.length > 1 ? `${label} in (${[...values].sort().join(',')})` : `${label}=${value}`;
      return fromShard(api, key, sources, { because, select });
    });
  }
  // Of kcp's own group nothing else can be claimed, also not with an identity.
  if (identityHash === '' || group === APIS_GROUP) return [];
  const schema = ofOthers(identityHash, nameInSet(claim));
  return schema ? [fromSchema(schema, identityHash, { because, select: `${label}=${value}` })] : [];
}

const sortKey = (exported: ApiExport): string => `${exported.metadata?.name} ${clusterOf(exported)}`;

/** Read-only, and by the label that the shard puts on every binding. */
function ownBindings(key: ExportKey, sources: ApiSources): Resource {
  const readOnly = { verbs: ['get', 'list', 'watch'], status: false };
  const how = { because: "the export's own bindings", select: `${EXPORT_LABEL}=${exportHash(key)}` };
  return fromShard(API_BINDINGS, key, sources, how, readOnly);
}

interface Shown {
  readonly verbs: readonly string[];
  readonly status: boolean;
}

function fromShard(
  api: ClaimableApi,
  { cluster }: ExportKey,
  sources: ApiSources,
  how: { because: string; select: string },
  shown: Shown = { verbs: api.createOnly ? ['create'] : RESOURCE_VERBS, status: api.status },
): Resource {
  const { group, resource, singular, kind, namespaced } = api;
  const isOfKcp = group === API_BINDINGS.group;
  const versions = api.versions.map((version): ServedVersion => {
    const common = { group, version, kind, namespaced };
    const openapi = sources.openapi(group, version, resource);
    const main: ApiResource = {
      ...common,
      name: resource,
      singularName: singular,
      verbs: shown.verbs,
      // kcp's own types have no home.
      storageVersionHash: storageVersionHash(group, version, kind, isOfKcp ? '' : cluster),
      ...(isOfKcp && { categories: ['kcp'] }),
      ...(openapi && { openapi }),
    };
    const status: ApiResource = { ...common, name: `${resource}/status`, singularName: '', verbs: SUBRESOURCE_VERBS };
    return { version, kind, resources: shown.status ? [main, status] : [main] };
  });
  return { group, resource, versions, content: shown.verbs.join(), ...how };
}

function assemble(resources: readonly Resource[], complete: boolean, previous: ApiSet | undefined): ApiSet {
  const sorted = [...resources].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const definitions = new Map<string, ApiDefinition>();
  for (const resource of sorted) {
    for (const { version, kind } of resource.versions) {
      const key = definitionKey(resource.group, version, resource.resource);
      const made = definition(resource, version, kind);
      const known = previous?.definitions.get(key);
      definitions.set(key, known?.fingerprint === made.fingerprint ? known : made);
    }
  }
  const apis = sorted.flatMap(({ versions }) => versions.flatMap(({ resources: listed }) => listed));
  return Object.freeze({ apis: sameApis(apis, previous?.apis), definitions, complete });
}

const nameOf = ({ group, resource }: Resource): string => `${group} ${resource}`;

function definition(
  { group, resource, identity, select, because, content }: Resource,
  version: string,
  kind: string,
): ApiDefinition {
  const selector = select === undefined ? undefined : parseLabelSelector(select);
  return Object.freeze({
    ...{ group, version, resource, kind, because },
    ...(identity && { identity }),
    ...(select && { select }),
    ...(selector && { visible: ({ metadata }: KubeObject) => matchesLabels(selector, metadata?.labels) }),
    fingerprint: JSON.stringify([content, version, identity, select]),
  });
}

/** The previous array when nothing of it has changed, so that the documents made of it stay. */
function sameApis(apis: readonly ApiResource[], previous: readonly ApiResource[] | undefined): readonly ApiResource[] {
  const isSame = previous?.length === apis.length && apis.every((api, i) => isAlike(api, previous[i]));
  return isSame ? previous : Object.freeze(apis);
}

const isAlike = (a: ApiResource, b: ApiResource | undefined): boolean => {
  // Schemas are large, and of one schema always the same object.
  const { openapi: one, ...restOfOne } = a;
  const { openapi: other, ...restOfOther } = b ?? {};
  return a === b || (sourceOf(one) === sourceOf(other) && JSON.stringify(restOfOne) === JSON.stringify(restOfOther));
};

const sourceOf = (openapi: ResourceOpenapi | undefined): object | undefined =>
  openapi && ('schema' in openapi ? openapi.schema : openapi.components);
