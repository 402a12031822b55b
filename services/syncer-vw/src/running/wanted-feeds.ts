import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import { compareVersions } from '@kcp-vw/shared/kube/versions.ts';
import { type Exports, exportUrl, type KnownExport, type Shards } from '../knowledge/knowledge.ts';
import { COMPUTE_CLAIMS } from '../manifests/exports.ts';
import type { ServedResource } from './patch.ts';

/** Objects to follow: a resource of an export on one shard. */
export interface WantedFeed {
  readonly id: string;
  /** Base of the virtual workspaces of the shard. */
  readonly base: string;
  /** Of the export there. */
  readonly url: string;
  readonly resource: ServedResource;
  readonly isNamespaced: boolean;
  /** Of the export whose own resource it is; undefined: it is claimed, and every syncer gets it. */
  readonly identityHash: string | undefined;
}

export const isNamespaces = ({ group, resource }: Pick<ServedResource, 'group' | 'resource'>): boolean =>
  group === '' && resource === 'namespaces';

/** Of what has no namespace, only this is brought to targets. */
export const isVolumes = ({ group, resource }: Pick<ServedResource, 'group' | 'resource'>): boolean =>
  group === '' && resource === 'persistentvolumes';

/**
 * All that controllers look at, by id. Every resource of every export, not only what a target accepts by now: what the syncer of a
 * target left behind that is gone, and was the last that accepted it, has to be found as well.
 */
export function wantedFeeds(
  shards: Pick<Shards, 'bases'>,
  exports: Pick<Exports, 'list' | 'compute'>,
): ReadonlyMap<string, WantedFeed> {
  const wanted = new Map<string, WantedFeed>();
  const add = (base: string, exported: KnownExport, parts: Pick<WantedFeed, 'resource' | 'isNamespaced' | 'identityHash'>) => {
    const url = exportUrl(base, exported);
    const { group, version, resource } = parts.resource;
    // With its version: another one is another feed.
    const id = `${url} ${group}/${version}/${resource}`;
    wanted.set(id, { id, base, url, ...parts });
  };
  for (const base of new Set(shards.bases().values())) {
    const compute = exports.compute();
    for (const { group, resource } of compute ? COMPUTE_CLAIMS : []) {
      const isNamespaced = !isNamespaces({ group, resource });
      if (compute) add(base, compute, { resource: { group, version: 'v1', resource }, isNamespaced, identityHash: undefined });
    }
    for (const exported of exports.list()) {
      for (const schema of exported.schemas) {
        const resource = servedResource(schema);
        const isNamespaced = schema.spec?.scope === 'Namespaced';
        if (!resource || !(isNamespaced || isVolumes(resource)) || isClaimed(resource)) continue;
        add(base, exported, { resource, isNamespaced, identityHash: exported.identityHash });
      }
    }
  }
  return wanted;
}

/** In the version that Kubernetes' clients would prefer; undefined if none is served. */
function servedResource({ spec }: ApiResourceSchema): ServedResource | undefined {
  const [version] = (spec?.versions ?? [])
    .filter(({ served }) => served)
    .map(({ name }) => name)
    .sort(compareVersions);
  return spec && version !== undefined ? { group: spec.group, version, resource: spec.names.plural } : undefined;
}

/** What an export calls by such a name is not what views serve under it. */
const isClaimed = ({ group, resource }: ServedResource): boolean =>
  COMPUTE_CLAIMS.some(claim => claim.group === group && claim.resource === resource);
