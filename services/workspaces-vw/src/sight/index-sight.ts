import type { IndexEvent, Interest, Snapshot, WorkspaceIndex } from '../index/snapshot.ts';
import { changesOf, changesSince } from './changes.ts';
import { awaitsCreated, type TimeOfDay } from './creator.ts';
import { mayEnter, sees, sinceWhen } from './may-enter.ts';
import type { Seen, Sight } from './sight.ts';
import type { Viewer } from './viewer.ts';

/** What somebody sees according to the index alone. */
export function createIndexSight(index: WorkspaceIndex, viewer: Viewer, now: TimeOfDay = Date.now): Sight {
  const isNamed = new Set(viewer.named);
  // A service account of no certain logical cluster is local to all of them, so that no edge leads to what it sees.
  const isEverywhere = viewer.seesEverything || viewer.elsewhere.isLocalServiceAccount;

  function mayEnterCluster(cluster: string): boolean {
    if (viewer.seesEverything) return true;
    const entrance = index.entrance(cluster);
    return entrance !== undefined && mayEnter(viewer, entrance);
  }
  const isAwaited = awaitsCreated(viewer, mayEnterCluster, now);

  function seen(snapshot: Snapshot | undefined): Seen | undefined {
    if (snapshot === undefined) return undefined;
    if (isAwaited(snapshot)) return { snapshot, version: snapshot.objectVersion };
    return sees(viewer, snapshot) ? { snapshot, version: sinceWhen(viewer, snapshot) } : undefined;
  }

  /** Whether other subjects count for the workspace than elsewhere. */
  const isApart = ({ parent, entrance, mount }: Snapshot): boolean =>
    isNamed.has(entrance.cluster) || (mount !== undefined && isNamed.has(parent));

  /** Those that the subjects of elsewhere do not lead to: of named logical clusters, and what is mounted into them. */
  function apart(parent: string | undefined): readonly Snapshot[] {
    const own = index.candidates({ ...within(parent), subjects: [], clusters: viewer.named });
    const parents = parent === undefined ? viewer.named : viewer.named.filter(cluster => cluster === parent);
    const inside = parents.flatMap(cluster => [
      ...index.candidates({ parent: cluster, subjects: viewer.in(cluster).subjects, creator: viewer.name }),
    ]);
    return [...new Set([...own, ...inside.filter(({ mount }) => mount !== undefined)])].filter(isApart).sort(compare);
  }

  function interestIn(parent: string | undefined): Interest {
    if (isEverywhere) return within(parent);
    const subjects = new Set([viewer.elsewhere, ...viewer.named.map(viewer.in)].flatMap(one => [...one.subjects]));
    return { ...within(parent), subjects, clusters: viewer.named, creator: viewer.name };
  }

  function candidates(parent: string | undefined): Iterable<Snapshot> {
    if (isEverywhere) return index.candidates(within(parent));
    const others = index.candidates({ ...within(parent), subjects: viewer.elsewhere.subjects, creator: viewer.name });
    return viewer.named.length === 0 ? others : merge(without(others, isApart), apart(parent));
  }

  function* seenOf(snapshots: Iterable<Snapshot>): Iterable<Seen> {
    for (const snapshot of snapshots) {
      const found = seen(snapshot);
      if (found) yield found;
    }
  }

  return {
    get version() {
      return index.version;
    },
    list: (parent, isPast) => seenOf(isPast ? from(candidates(parent), isPast) : candidates(parent)),
    get: (parent, name) => seen(index.find(parent, name)),
    mayEnter: mayEnterCluster,
    watch(version, parent, listener) {
      const tell = (event: IndexEvent): void => {
        for (const change of changesOf(event.version, seen(event.before), seen(event.after))) listener(change);
      };
      changesSince(index, version, parent, seen).forEach(listener);
      return index.follow(interestIn(parent), tell);
    },
  };
}

const within = (parent: string | undefined): { readonly parent?: string } => (parent === undefined ? {} : { parent });

/** By parent and name, in the order of their bytes as far as names go. */
function compare(one: Snapshot, other: Snapshot): number {
  if (one.parent !== other.parent) return one.parent < other.parent ? -1 : 1;
  if (one.name === other.name) return 0;
  return one.name < other.name ? -1 : 1;
}

/** Those after the first ones. */
export function* from(snapshots: Iterable<Snapshot>, isPast: (snapshot: Snapshot) => boolean): Iterable<Snapshot> {
  let isBegun = false;
  for (const snapshot of snapshots) {
    isBegun ||= !isPast(snapshot);
    if (isBegun) yield snapshot;
  }
}

function* without(snapshots: Iterable<Snapshot>, isLeftOut: (snapshot: Snapshot) => boolean): Iterable<Snapshot> {
  for (const snapshot of snapshots) if (!isLeftOut(snapshot)) yield snapshot;
}

/** Both sorted; few in `further`. */
function* merge(snapshots: Iterable<Snapshot>, further: readonly Snapshot[]): Iterable<Snapshot> {
  let next = 0;
  for (const snapshot of snapshots) {
    for (; next < further.length; next += 1) {
      const one = further[next] as Snapshot;
      if (compare(one, snapshot) > 0) break;
      yield one;
    }
    yield snapshot;
  }
  yield* further.slice(next);
}
