import type { Credentials } from './client.ts';
import { target } from './identities.ts';
import type { Workspace } from './kube.ts';
import type { Watch, WatchEvent } from './watch.ts';
import { adminIn, createParent } from './workspaces.ts';
import { createReady, letIn, somebody, userSubject, WORKSPACES } from './workspaces-view.ts';

const [root, second = root] = target.shards;

export const isAbout =
  (workspace: Workspace, type: WatchEvent['type']) =>
  (event: WatchEvent): boolean =>
    event.type === type && event.object.metadata?.name === workspace.metadata.name;

export const versionOf = ({ object }: WatchEvent): bigint => BigInt(object.metadata?.resourceVersion ?? '');

/** A new one has no status at all. */
export const phaseOf = ({ object }: WatchEvent): string | undefined => (object as Partial<Workspace>).status?.phase;

/** Types and names of all that has been told. */
export const said = ({ events }: Watch): string[] => events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`);

/** An org with workspaces for tests that watch it, each as callers of its own. */
export interface WatchedOrg {
  readonly org: string;
  readonly near: Workspace;
  /** On the second shard, where there is one. */
  readonly far: Workspace;
  /** Nothing happens to it but that somebody is let in. */
  readonly last: Workspace;
}

export async function createWatchedOrg(): Promise<WatchedOrg> {
  const org = await createParent();
  const [near, far, last] = await Promise.all([createReady(org), createReady(org, second), createReady(org)]);
  return { org, near, far, last };
}

/** Somebody who may enter the org. */
export async function memberOf({ org }: WatchedOrg, groups: readonly string[] = []): Promise<Credentials> {
  const who = somebody('watcher', groups);
  await letIn(org, userSubject(who.name));
  return who;
}

export async function labelWorkspace(
  { org }: WatchedOrg,
  { metadata }: Workspace,
  key: string,
  value: string | null,
): Promise<void> {
  const patch = { metadata: { labels: { [key]: value } } };
  (await adminIn(org).mergePatch(`${WORKSPACES}/${metadata.name}`, patch)).expect(200);
}

/** Whatever comes before it has come, once this is told. */
export async function untilAllIsTold({ last }: WatchedOrg, watch: Watch, who: Credentials): Promise<void> {
  await letIn(last.spec.cluster, userSubject(who.name));
  await watch.until('the last of them', isAbout(last, 'ADDED'));
}
