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
  /** Those of one logical cluster that were wanted before stay wanted before its others. */
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
  /** How many want it, by their logical clusters: → workspace; workspace → logical cluster → export. In the order in which it was first wanted. */
  const workspaces = new Map<string, Map<string, number>>();
  const names = new Map<string, Map<string, Map<string, number>>>();

  const add = (tenant: string, { workspace, name }: Reference, difference: 1 | -1): void => {
    count(workspaces, tenant, workspace, difference);
    const wanting = names.get(workspace) ?? new Map<string, Map<string, number>>();
    count(wanting, tenant, name, difference);
    if (wanting.size > 0) names.set(workspace, wanting);
    else names.delete(workspace);
  };
  const replace = ({ identity }: KnownSyncTarget, after: readonly Reference[]): boolean => {
    const place = `${identity.cluster}/${identity.name}`;
    const before = byTarget.get(place) ?? [];
    if (isDeepStrictEqual(before, after)) return false;
    // First those that come, so that what stays keeps its place.
    for (const one of after) add(identity.cluster, one, 1);
    for (const one of before) add(identity.cluster, one, -1);
    if (after.length > 0) byTarget.set(place, after);
    else byTarget.delete(place);
    return true;
  };

  return {
    set: target => replace(target, referencesOf(target)),
    delete: target => replace(target, []),
    wanted() {
      const others = inTurns(workspaces).filter(workspace => workspace !== compute);
      const within = [compute, ...others.slice(0, limits.workspaces)];
      const namesIn = (workspace: string): ReadonlySet<string> =>
        new Set(inTurns(names.get(workspace) ?? new Map()).slice(0, limits.exports));
      return {
        byWorkspace: new Map(within.map(workspace => [workspace, namesIn(workspace)])),
        leftOut: others.slice(limits.workspaces),
      };
    },
  };
}

type Counts = Map<string, Map<string, number>>;

function count(counts: Counts, tenant: string, what: string, difference: 1 | -1): void {
  const own = counts.get(tenant) ?? new Map<string, number>();
  const sum = (own.get(what) ?? 0) + difference;
  if (sum > 0) own.set(what, sum);
  else own.delete(what);
  if (own.size > 0) counts.set(tenant, own);
  else counts.delete(tenant);
}

/** What is wanted, each once: the first thing of every tenant before the second of any, so that who wants many keeps nobody from his own. */
function inTurns(counts: Counts): readonly string[] {
  const found = new Set<string>();
  let waiting = [...counts.values()].map(own => own.keys());
  while (waiting.length > 0) {
    waiting = waiting.filter(own => {
      const { value, done } = own.next();
      if (!done) found.add(value);
      return !done;
    });
  }
  return [...found];
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
