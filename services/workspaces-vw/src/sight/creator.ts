import type { Snapshot } from '../index/snapshot.ts';
import type { Viewer } from './viewer.ts';
import { userSubject } from './viewer-of.ts';

/** What it takes to make a workspace ready; after that whoever made it sees it as everybody does. */
const LONGEST_MS = 10 * 60_000;

/** Milliseconds since 1970. */
export type TimeOfDay = () => number;

/** Whether somebody waits for a workspace that he has just created, which he may not enter yet. */
export type AwaitsCreated = (snapshot: Snapshot) => boolean;

/**
 * Who has created a workspace stands in an annotation, which whoever may update the workspace may write. So it counts only where the caller may
 * go anyway, and for as long as he may be waiting: nobody gets rows of others' making into his list.
 */
export function awaitsCreated(viewer: Viewer, mayEnter: (parent: string) => boolean, now: TimeOfDay): AwaitsCreated {
  return snapshot => isCreator(viewer, snapshot) && isNew(snapshot, now()) && mayEnter(snapshot.parent);
}

/** Whether the workspace is on its way to Ready, and names this caller. Not one of the same name out of scope, or a service account elsewhere. */
function isCreator(viewer: Viewer, { parent, creator }: Snapshot): boolean {
  if (creator === undefined || creator.name !== viewer.name || creator.cluster !== viewer.homeCluster) return false;
  return viewer.in(parent).subjects.has(userSubject(viewer.name));
}

/** The shard says when it was made, and nobody else can. */
function isNew({ object }: Snapshot, now: number): boolean {
  const age = now - Date.parse(object.metadata?.creationTimestamp ?? '');
  // Clocks differ: what is made a little later than now is new, too.
  return Math.abs(age) < LONGEST_MS;
}
