import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { type FollowedCollection, type FollowingTiming, followCollection, isCertain, isSettled } from './followed-collection.ts';
import type { KnownExport } from './knowledge.ts';

/** The exports of one workspace, with their schemas. */
export interface WorkspaceExports {
  /** All that have an identity. The same objects as long as they say the same; none before both are known, exports and schemas. */
  list(): readonly KnownExport[];
  get(name: string): KnownExport | undefined;
  /** Whether it is known what there is, or that nobody tells us. */
  readonly isSettled: boolean;
  /** Whether it was tried to find out. */
  readonly isTried: boolean;
  /** What keeps it from being current; undefined: nothing. */
  readonly problem: string | undefined;
  readonly collections: readonly FollowedCollection<KubeObject>[];
  stop(): void;
}

export interface WorkspaceExportsOptions extends FollowingTiming {
  /** Its path, or the name of its logical cluster. */
  readonly workspace: string;
  /** The front proxy. */
  readonly upstream: Upstream;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  /** Called when `list()` or how it stands may have changed. */
  readonly onChange: () => void;
}

/** What is kept of an `apis.kcp.io/v1alpha2 APIExport`. */
interface ListedExport extends KubeObject {
  readonly identityHash: string;
  readonly schemas: readonly string[];
}

export function followWorkspaceExports(options: WorkspaceExportsOptions): WorkspaceExports {
  const { workspace, upstream, log, clock, backoff, timing } = options;
  const base = `/clusters/${workspace}/apis/apis.kcp.io`;
  const following = { ...(clock && { clock }), ...(backoff && { backoff }), ...(timing && { timing }) };
  let known = new Map<string, KnownExport>();

  const look = (): void => {
    const before = known;
    const all = areKnown() ? exports.list().flatMap(object => knownExport(object, before.get(nameOf(object)))) : [];
    known = new Map(all.map(one => [one.name, one]));
    options.onChange();
  };
  const common = { ...following, upstream, log, onChange: look };
  const exports = followCollection<ListedExport>({
    ...common,
    ...{ name: `apiexports of ${workspace}`, path: `${base}/v1alpha2/apiexports`, project: listedExport },
  });
  const schemas = followCollection<ApiResourceSchema>({
    ...common,
    ...{ name: `apiresourceschemas of ${workspace}`, path: `${base}/v1alpha1/apiresourceschemas`, project: frozenSchema },
  });
  const both: readonly FollowedCollection<KubeObject>[] = [exports, schemas];
  const areKnown = (): boolean => both.every(isSettled);

  function knownExport(object: ListedExport, before: KnownExport | undefined): readonly KnownExport[] {
    const name = nameOf(object);
    const { identityHash } = object;
    const cluster = clusterOf(object);
    // Nobody can have bound one that has no identity yet.
    if (identityHash === '' || cluster === '') return [];
    const found = object.schemas
      .slice(0, MOST_SCHEMAS)
      .map(schema => schemas.get(cluster, schema))
      .filter((schema): schema is ApiResourceSchema => schema !== undefined);
    const kept = sameSchemas(found, before);
    const isSame = before?.cluster === cluster && before.identityHash === identityHash && before.schemas === kept;
    return [isSame ? before : Object.freeze({ cluster, name, identityHash, schemas: kept })];
  }

  return {
    list: () => [...known.values()],
    get: name => known.get(name),
    get isSettled() {
      return areKnown();
    },
    get isTried() {
      return both.every(({ isTried }) => isTried);
    },
    get problem() {
      const troubled = both.find(one => !isCertain(one));
      return troubled && `the exports of ${workspace} (${troubled.standing})`;
    },
    collections: both,
    stop() {
      for (const collection of both) collection.stop();
    },
  };
}

/** What follows from schemas is worked out once for an array: it stays while they do, whatever else changes. */
function sameSchemas(found: readonly ApiResourceSchema[], before: KnownExport | undefined): readonly ApiResourceSchema[] {
  const kept = before?.schemas;
  return kept?.length === found.length && found.every((one, index) => one === kept[index]) ? kept : Object.freeze(found);
}

/** Of one export. Each is a watch on every shard, and anybody may make exports. */
const MOST_SCHEMAS = 100;

const nameOf = ({ metadata }: KubeObject): string => metadata?.name ?? '';

function listedExport(object: KubeObject): ListedExport {
  const { spec, status } = object as {
    readonly spec?: { readonly resources?: readonly { readonly schema?: unknown }[] };
    readonly status?: { readonly identityHash?: unknown };
  };
  const { name, uid, resourceVersion, annotations } = object.metadata ?? {};
  const resources = Array.isArray(spec?.resources) ? spec.resources : [];
  return Object.freeze({
    metadata: {
      ...(name !== undefined && { name }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(annotations && { annotations }),
    },
    identityHash: typeof status?.identityHash === 'string' ? status.identityHash : '',
    schemas: resources.flatMap(({ schema }) => (typeof schema === 'string' ? [schema] : [])),
  });
}

/** A schema's spec never changes, so that what follows from it is worked out once. */
function frozenSchema(object: KubeObject): ApiResourceSchema {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  return Object.freeze({ ...object, metadata }) as ApiResourceSchema;
}
