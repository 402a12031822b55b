import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Metrics } from '@kcp-vw/shared/observe/metrics.ts';
import { COMPUTE_EXPORT, WORKLOAD_EXPORT } from '../manifests/exports.ts';
import { type FollowingTiming, observed } from './followed-collection.ts';
import type { Connections, Exports, KnownExport, SyncTargets } from './knowledge.ts';
import { createListeners } from './listeners.ts';
import { countWanted } from './wanted-exports.ts';
import { followWorkspaceExports, type WorkspaceExports } from './workspace-exports.ts';

export interface FollowedExports extends Exports {
  /** The export of SyncTargets, in the compute workspace. It is in the list only if a SyncTarget supports it. */
  workload(): KnownExport | undefined;
  /** What of the exports of one workspace is not known at this moment, so that one that is not found may be there; undefined: nothing. */
  missingOf(workspace: string): string | undefined;
  stop(): void;
}

export interface ExportsOptions extends FollowingTiming {
  readonly syncTargets: Pick<SyncTargets, 'list' | 'onChange' | 'missing'>;
  readonly connections: Pick<Connections, 'at'>;
  /** The front proxy; its path is not looked at. */
  readonly server: URL;
  /** `workspace`: its path. `name`: default `kubernetes`. */
  readonly compute: { readonly workspace: string; readonly name?: string };
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  readonly observe?: Metrics['observeInformer'];
  /** Workspaces beside the compute workspace; default 200. */
  readonly mostWorkspaces?: number;
}

const MOST_WORKSPACES = 200;
/** Of one workspace: each is followed on every shard. */
const MOST_EXPORTS = 50;

/** Follows the exports that SyncTargets support, where they are made. */
export function createExports(options: ExportsOptions): FollowedExports {
  const { syncTargets, connections, server, compute, log, observe, mostWorkspaces = MOST_WORKSPACES, ...timing } = options;
  const computeName = compute.name ?? COMPUTE_EXPORT;
  const counts = countWanted({ workspaces: mostWorkspaces, exports: MOST_EXPORTS }, compute.workspace);
  const followed = new Map<string, WorkspaceExports>();
  const listeners = createListeners<void>(err => log.warn({ err }, 'a listener to exports failed'));
  let wanted = counts.wanted();
  let list: readonly KnownExport[] = [];
  let workload: KnownExport | undefined;
  let leftOut = 0;
  let isPlanned = false;
  let isStopped = false;
  let wasComplete = false;

  const upstream = connections.at(server.origin, 'control');
  const follow = (workspace: string): WorkspaceExports => {
    const made = followWorkspaceExports({ ...timing, workspace, upstream, log, onChange: look });
    followed.set(workspace, made);
    return made;
  };
  const computeExports = follow(compute.workspace);

  /** Once for all that happens in one turn: a SyncTarget that is made again under its name should end nothing. */
  function plan(): void {
    if (isPlanned) return;
    isPlanned = true;
    queueMicrotask(() => {
      isPlanned = false;
      if (!isStopped) followWanted();
    });
  }

  function followWanted(): void {
    wanted = counts.wanted();
    for (const [workspace, gone] of followed) {
      if (wanted.byWorkspace.has(workspace)) continue;
      followed.delete(workspace);
      gone.stop();
    }
    for (const workspace of wanted.byWorkspace.keys()) if (!followed.has(workspace)) follow(workspace);
    if (wanted.leftOut.length > leftOut) {
      const fields = { most: mostWorkspaces, leftOut: wanted.leftOut.length, such: wanted.leftOut.slice(0, 10) };
      log.warn(fields, 'SyncTargets support exports of more workspaces than are followed');
    }
    leftOut = wanted.leftOut.length;
    look();
  }

  function look(): void {
    const next = listed();
    const isSame = next.length === list.length && next.every((one, index) => one === list[index]);
    if (isSame && workload === computeExports.get(WORKLOAD_EXPORT)) return;
    if (!isSame) list = Object.freeze(next);
    workload = computeExports.get(WORKLOAD_EXPORT);
    listeners.tell();
  }

  const isWanted = (workspace: string, name: string): boolean =>
    wanted.byWorkspace.get(workspace)?.has(name) === true || (workspace === compute.workspace && name === computeName);

  /** Of two that say that they are the same one, the more trustworthy: what a path leads to may be no workspace of kcp at all. */
  function listed(): readonly KnownExport[] {
    const found = new Map<string, { readonly rank: number; readonly known: KnownExport }>();
    for (const [workspace, { list: all }] of followed) {
      for (const known of all()) {
        if (!isWanted(workspace, known.name)) continue;
        const key = `${known.cluster}/${known.name}`;
        const rank = workspace === compute.workspace ? 0 : workspace === known.cluster ? 1 : 2;
        const other = found.get(key);
        if (other === undefined || rank < other.rank) found.set(key, { rank, known });
      }
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { known }]) => known);
  }

  function find(workspace: string, name: string): KnownExport | undefined {
    const own = followed.get(workspace);
    if (own === undefined) return list.find(known => known.cluster === workspace && known.name === name);
    const known = isWanted(workspace, name) ? own.get(name) : undefined;
    // The one of the list, so that nobody has two that are the same.
    return known && list.find(one => one.cluster === known.cluster && one.name === known.name);
  }

  const stopListening = syncTargets.onChange(({ type, target }) => {
    if (type === 'DELETED' ? counts.delete(target) : counts.set(target)) plan();
  });
  for (const target of syncTargets.list()) counts.set(target);
  followWanted();
  observe?.('apiexports', () => observed([...followed.values()].flatMap(({ collections }) => collections.slice(0, 1))));
  observe?.('apiresourceschemas', () => observed([...followed.values()].flatMap(({ collections }) => collections.slice(1))));

  return {
    find,
    list: () => list,
    compute: () => computeExports.get(computeName),
    workload: () => workload,
    missing() {
      if (computeExports.get(computeName) === undefined) {
        return `the export ${computeName}: ${computeExports.problem ?? `${compute.workspace} has none that is ready`}`;
      }
      if (wasComplete) return undefined;
      const targets = syncTargets.missing();
      if (targets !== undefined) return targets;
      if (isPlanned) return 'the exports that SyncTargets support';
      // Who makes a SyncTarget names any workspace: it is not waited for longer than until it was tried.
      const [waiting] = [...followed].find(([, { isSettled, isTried }]) => !isSettled && !isTried) ?? [];
      if (waiting !== undefined) return `the exports of ${waiting}`;
      wasComplete = true;
      return undefined;
    },
    missingOf: workspace => followed.get(workspace)?.problem,
    onChange: listeners.add,
    stop() {
      isStopped = true;
      stopListening();
      for (const one of followed.values()) one.stop();
      followed.clear();
    },
  };
}
