import { type ApiResource, apiVersionOf, discoveryDocuments, storageVersionHash } from '@kcp-vw/shared/kube/discovery.ts';
import { openapiDocuments } from '@kcp-vw/shared/kube/openapi.ts';
import { type PreparedDocument, prepare } from '@kcp-vw/shared/kube/prepared.ts';
import { ALL_VERBS, type ResourceDefinition } from '../store/definition.ts';
import { NAMESPACES } from '../store/kubernetes-resources.ts';
import type { Registry } from '../store/registry.ts';

type Documents = ReadonlyMap<string, PreparedDocument>;

/** Sets of definitions whose documents are kept; the one unused for longest goes. */
const MAX_SETS = 64;
const kept = new Map<string, Documents>();

let lastNumber = 0;
const numbers = new WeakMap<ResourceDefinition, number>();

function numberOf(definition: ResourceDefinition): number {
  const known = numbers.get(definition);
  if (known !== undefined) return known;
  lastNumber += 1;
  numbers.set(definition, lastNumber);
  return lastNumber;
}

/**
 * The discovery and OpenAPI documents of a logical cluster, by path. They are made once for all logical clusters that serve the same
 * definitions.
 */
export function documentsOf(registry: Registry, cluster: string, serverAddress: string): Documents {
  const definitions = registry.definitions(cluster);
  const key = `${serverAddress} ${definitions.map(numberOf).join()}`;
  const documents = kept.get(key) ?? makeDocuments(definitions.flatMap(apiResources), serverAddress);
  kept.delete(key);
  kept.set(key, documents);
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_SETS) break;
    kept.delete(oldest);
  }
  return documents;
}

function makeDocuments(resources: readonly ApiResource[], serverAddress: string): Documents {
  const documents = new Map([...discoveryDocuments(resources, serverAddress), ...openapiDocuments(resources)]);
  const paths = [...documents.keys()].filter(path => !path.startsWith('/openapi/'));
  documents.set('/', prepare({ paths: [...paths, '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'].sort() }));
  return documents.set('/version', prepare(VERSION));
}

/** As kcp v0.32.3 calls itself. */
const VERSION = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.0+kcp-v0.32.3',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'dev-shard',
  platform: `${process.platform}/${process.arch}`,
};

/** The order in which kcp lists the verbs of custom resources. */
const CUSTOM_VERBS: readonly string[] = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const SCALE = { kindGroup: 'autoscaling', kindVersion: 'v1', kind: 'Scale' };
const TOKEN_REQUEST = { kindGroup: 'authentication.k8s.io', kindVersion: 'v1', kind: 'TokenRequest' };
const WRITING_VERBS: readonly string[] = ['create', 'update', 'patch'];
const STATUS_VERBS: readonly string[] = ['get', 'patch', 'update'];

function apiResources(definition: ResourceDefinition): ApiResource[] {
  const { group, versions, resource, singular, kind, namespaced, shortNames = [], categories = [] } = definition;
  const all = definition.verbs ?? (definition.custom ? CUSTOM_VERBS : ALL_VERBS);
  const verbs = definition.isTerminating === true ? all.filter(verb => !WRITING_VERBS.includes(verb)) : all;
  return versions.flatMap(version => {
    const hash = { storageVersionHash: storageVersionHash(group, version, kind, definition.schemaCluster) };
    const common = { group, version, kind, namespaced };
    const schema = definition.schemas?.[version];
    const openapi = schema === undefined ? {} : { openapi: { schema } };
    const main = { ...common, ...openapi, name: resource, singularName: singular, verbs, shortNames, categories };
    const sub = (name: string, subVerbs: readonly string[]): ApiResource => {
      return { ...common, name: `${resource}/${name}`, singularName: '', verbs: subVerbs };
    };
    return [
      definition.evaluate === undefined ? { ...main, ...hash } : main,
      ...(resource === NAMESPACES.resource && group === '' ? [sub('finalize', ['update'])] : []),
      ...(definition.issueToken === undefined ? [] : [{ ...sub('token', ['create']), ...TOKEN_REQUEST }]),
      ...(definition.statusSubresource ? [sub('status', STATUS_VERBS)] : []),
      ...(definition.scale?.[version] === undefined ? [] : [{ ...sub('scale', STATUS_VERBS), ...SCALE }]),
    ];
  });
}

/** kcp answers for any group version, though nothing is in it. */
export function emptyGroupVersion(path: string): PreparedDocument | undefined {
  const [, group, version] = /^\/apis\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (group === undefined || version === undefined) return undefined;
  return prepare({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf({ group, version }), resources: [] });
}
