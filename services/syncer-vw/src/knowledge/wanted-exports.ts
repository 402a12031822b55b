import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '@kcp-vw/shared/authn/records.ts';
import { PATH_PATTERN, type SyncTarget } from '../controllers/sync-target.ts';
import type { KnownSyncTarget } from './knowledge.ts';

/** Which exports SyncTargets support. Everybody makes SyncTargets, and names in them what he likes: there is a limit to what is wanted. */
export interface WantedExports {
  /** Names of exports by workspace, which is a path or the name of a logical cluster. */
  readonly byWorkspace: ReadonlyMap<string, ReadonlySet<string>>;
  /** Workspaces that are too many. */
  readonly leftOut: readonly string[];
}

export interface WantedCounts {
  /** Whether it wants something else now than before; most of what changes about SyncTargets are heartbeats. */
  set(target: KnownSyncTarget): boolean;
  delete(target: KnownSyncTarget): boolean;
  /** Those that were wanted before stay wanted before all others. */
  wanted(): WantedExports;
}

export interface WantedLimits {
  readonly workspaces: number;
  /** Of one workspace. */
  readonly exports: number;
}

interface Reference {
  readonly workspace: string;
  readonly name: string;
}

const PATH = new RegExp(PATH_PATTERN);
/** A name of Kubernetes, as it may be in a URL. */
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Counts who wants what. `compute` has a place of its own. */
export function countWanted(limits: WantedLimits, compute: string): WantedCounts {
  const byTarget = new Map<string, readonly Reference[]>();
  /** How many want it: workspace → export. Maps keep the order in which they were first wanted. */
  const counts = new Map<string, Map<string, number>>();

  const add = ({ workspace, name }: Reference, difference: 1 | -1): void => {
    const names = counts.get(workspace) ?? new Map<string, number>();
    const count = (names.get(name) ?? 0) + difference;
    if (count > 0) names.set(name, count);
    else names.delete(name);
    if (names.size > 0) counts.set(workspace, names);
    else counts.delete(workspace);
  };
  const replace = ({ identity }: KnownSyncTarget, after: readonly Reference[]): boolean => {
    const place = `${identity.cluster}/${identity.name}`;
    const before = byTarget.get(place) ?? [];
    if (isDeepStrictEqual(before, after)) return false;
    // First those that come, so that what stays keeps its place.
    for (const one of after) add(one, 1);
    for (const one of before) add(one, -1);
    if (after.length > 0) byTarget.set(place, after);
    else byTarget.delete(place);
    return true;
  };

  return {
    set: target => replace(target, referencesOf(target)),
    delete: target => replace(target, []),
    wanted() {
      const workspaces = [...counts.keys()].filter(workspace => workspace !== compute);
      const names = (workspace: string): ReadonlySet<string> =>
        new Set([...(counts.get(workspace)?.keys() ?? [])].slice(0, limits.exports));
      const within = [compute, ...workspaces.slice(0, limits.workspaces)];
      return {
        byWorkspace: new Map(within.map(workspace => [workspace, names(workspace)])),
        leftOut: workspaces.slice(limits.workspaces),
      };
    },
  };
}

/** What could not be in a URL is left out, as is what is not of its type: nothing else checks it but the schema. */
function referencesOf({ identity, object }: KnownSyncTarget): readonly Reference[] {
  const given: unknown = (object as SyncTarget).spec?.supportedAPIExports;
  if (!Array.isArray(given)) return [];
  return given.filter(isRecord).flatMap(({ path, export: name }) => {
    const workspace = path || identity.cluster;
    if (typeof workspace !== 'string' || typeof name !== 'string') return [];
    return PATH.test(workspace) && NAME.test(name) ? [{ workspace, name }] : [];
  });
}
