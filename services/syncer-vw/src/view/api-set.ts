import { type ApiResource, apiVersionOf } from '@kcp-vw/shared/kube/discovery.ts';
import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import type { CollectionDefinition } from '@kcp-vw/shared/view/collection.ts';
import { contentHash, type ServedVersion, SUBRESOURCE_VERBS, servedVersions } from '@kcp-vw/shared/view/schema-resources.ts';
import type { SyncedResource, SyncTarget } from '../controllers/sync-target.ts';
import type { Exports, KnownExport, KnownSyncTarget } from '../knowledge/knowledge.ts';
import type { ApiFlavour } from './api-flavour.ts';
import { AGE, BUILT_IN_VERSION, builtInApis, isBuiltIn } from './built-in-apis.ts';

/** Where the objects of one resource in one version are, and what they are. */
export interface Route {
  /** Through whose URL they are reached; undefined: what is built in, while the compute export is not known. */
  readonly export: KnownExport | undefined;
  /** Another text for whatever makes another resource of it. */
  readonly definition: string;
  /** Of a custom resource its kind. */
  readonly customKind?: string;
  readonly of: CollectionDefinition;
}

/** What a view serves to one SyncTarget: immutable, and replaced as a whole. */
export interface ApiSet {
  /** For discovery and OpenAPI, which are made once per array. Sorted. */
  readonly apis: readonly ApiResource[];
  /** By `routeKey`. */
  readonly routes: ReadonlyMap<string, Route>;
}

export const routeKey = (group: string, version: string, resource: string): string => `${group}/${version}/${resource}`;

/** What a SyncTarget is given: exports' resources, each with the export that has it. Equal fingerprints make equal sets. */
export interface Offer {
  readonly compute: KnownExport | undefined;
  readonly resources: readonly OfferedResource[];
  readonly fingerprint: string;
}

interface OfferedResource {
  readonly group: string;
  readonly resource: string;
  readonly from: KnownExport;
  readonly schema: ApiResourceSchema;
  readonly content: string;
}

/**
 * What of its exports a target has accepted, by group, resource and identity. Of two exports with a resource of the same name, the one that
 * the target names first has it. An export that is not there, or a schema, is missing alone.
 */
export function offerTo(target: KnownSyncTarget, exports: Pick<Exports, 'find' | 'compute'>, flavour: ApiFlavour): Offer {
  const accepted = acceptedBy(target.object);
  const chosen = new Map<string, OfferedResource>();
  for (const exported of supportedBy(target, exports)) {
    for (const one of offeredBy(exported)) {
      const { group, resource } = one;
      const name = nameOf(one);
      if (chosen.has(name) || (flavour.builtIns && isBuiltIn(group, resource)) || !flavour.serves(group, resource)) continue;
      if (accepted.has(identityOf({ group, resource, identityHash: exported.identityHash }))) chosen.set(name, one);
    }
  }
  const compute = flavour.builtIns ? exports.compute() : undefined;
  const resources = [...chosen.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const fingerprint = JSON.stringify([compute && exportText(compute), ...resources.map(({ content }) => content)]);
  return { compute, resources, fingerprint };
}

/** Each once, in the order in which the target names them. */
function supportedBy({ object, identity }: KnownSyncTarget, exports: Pick<Exports, 'find'>): ReadonlySet<KnownExport> {
  const references = object.spec?.supportedAPIExports ?? [];
  return new Set(references.flatMap(({ path, export: name }) => exports.find(path || identity.cluster, name) ?? []));
}

const acceptedBy = ({ status }: SyncTarget): ReadonlySet<string> =>
  new Set((status?.syncedResources ?? []).filter(({ state }) => state === 'Accepted').map(identityOf));

/** None of the three has a blank in it. */
const identityOf = ({ group = '', resource, identityHash = '' }: Omit<SyncedResource, 'versions'>): string =>
  `${group} ${resource} ${identityHash}`;

const exportText = ({ cluster, name, identityHash }: KnownExport): string => `${cluster}/${name} ${identityHash}`;
const nameOf = ({ group, resource }: Pick<OfferedResource, 'group' | 'resource'>): string => `${group} ${resource}`;

const offered = new WeakMap<KnownExport, readonly OfferedResource[]>();

/** Worked out once: an export that changes is another object. A later schema takes the place of an earlier one of the same resource. */
function offeredBy(exported: KnownExport): readonly OfferedResource[] {
  const known = offered.get(exported);
  if (known) return known;
  const byName = new Map<string, OfferedResource>();
  for (const schema of exported.schemas) {
    const { group = '', names } = schema.spec ?? {};
    const content = `${exportText(exported)} ${contentHash(schema)}`;
    const one = { group, resource: names?.plural ?? '', from: exported, schema, content };
    byName.set(nameOf(one), one);
  }
  const made = [...byName.values()];
  offered.set(exported, made);
  return made;
}

export function apiSetOf({ compute, resources }: Offer, flavour: ApiFlavour): ApiSet {
  const apis: ApiResource[] = [];
  const routes = new Map<string, Route>();
  for (const { resource, kind, columns, apis: own } of flavour.builtIns ? builtInApis(flavour.verbs) : []) {
    apis.push(...own);
    const of = { apiVersion: BUILT_IN_VERSION, kind, group: '', resource, columns };
    const definition = compute ? exportText(compute) : '';
    routes.set(routeKey('', BUILT_IN_VERSION, resource), Object.freeze({ export: compute, definition, of }));
  }
  for (const { group, resource, from, schema, content } of resources) {
    for (const served of servedVersions(schema)) {
      const { version, kind } = served;
      const shown = shownOf(served, flavour);
      apis.push(...shown);
      const of = { apiVersion: apiVersionOf({ group, version }), kind, group, resource, columns: shown[0]?.columns ?? [] };
      routes.set(routeKey(group, version, resource), Object.freeze({ export: from, definition: content, customKind: kind, of }));
    }
  }
  apis.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  return Object.freeze({ apis: Object.freeze(apis), routes });
}

const sortKey = ({ group, version, name }: ApiResource): string => `${group} ${version} ${name}`;

/** With the verbs of the view, and without what no view serves: a syncer scales nothing. */
function shownOf({ resources }: ServedVersion, { verbs }: ApiFlavour): readonly ApiResource[] {
  return resources
    .filter(({ name }) => !name.endsWith('/scale'))
    .map(resource =>
      Object.freeze(
        resource.name.includes('/')
          ? { ...resource, verbs: SUBRESOURCE_VERBS }
          : { ...resource, verbs, columns: resource.columns?.length ? resource.columns : [AGE] },
      ),
    );
}
