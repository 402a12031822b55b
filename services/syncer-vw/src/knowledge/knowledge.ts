import type { ApiResourceSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { SyncTarget, SyncTargetIdentity } from '../controllers/sync-target.ts';
import type { Shard } from '../controllers/sync-target-urls.ts';
import type { SyncTargetKey } from '../transform/names.ts';

/** Something that is followed. Listeners are called synchronously, after what they ask about has changed. */
export interface Followed {
  /** What is still missing before it can be asked; undefined: nothing. */
  missing(): string | undefined;
  /** Returns how to stop listening. */
  onChange(listener: () => void): () => void;
}

/** The shards of this kcp. */
export interface Shards extends Followed {
  /** Sorted by name. */
  list(): readonly Shard[];
  /** Where virtual workspaces of this process's shard are: `spec.virtualWorkspaceURL` without a slash at its end; undefined: not known yet. */
  own(): string | undefined;
  /** The same of all shards that have one, by their names. */
  bases(): ReadonlyMap<string, string>;
}

/** A SyncTarget, wherever it is. */
export interface KnownSyncTarget {
  readonly identity: SyncTargetIdentity;
  readonly key: SyncTargetKey;
  readonly object: SyncTarget;
  /** Base of the virtual workspaces of the shard that has it. */
  readonly base: string;
}

export interface SyncTargetChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly target: KnownSyncTarget;
}

/** The SyncTargets of all shards. One that is deleted and made again is first DELETED, then ADDED. */
export interface SyncTargets {
  missing(): string | undefined;
  get(cluster: string, name: string): KnownSyncTarget | undefined;
  byKey(key: SyncTargetKey): KnownSyncTarget | undefined;
  /** In no particular order. */
  list(): readonly KnownSyncTarget[];
  /**
   * Whether a target that is not found is certainly none: all shards are being followed now, and every one that was ever followed has
   * been seen to have it no more.
   */
  complete(): boolean;
  onChange(listener: (change: SyncTargetChange) => void): () => void;
}

/** What syncers may be given: an APIExport, with the schemas that it has, in the order in which it names them. */
export interface KnownExport {
  /** Logical cluster. */
  readonly cluster: string;
  readonly name: string;
  readonly identityHash: string;
  /** Frozen; those that are missing are left out. */
  readonly schemas: readonly ApiResourceSchema[];
}

/** The exports that SyncTargets support, and the compute export, as far as this service may see them. */
export interface Exports extends Followed {
  /** `workspace` is a path, or the name of a logical cluster. */
  find(workspace: string, name: string): KnownExport | undefined;
  /** Each once, sorted by cluster and name. */
  list(): readonly KnownExport[];
  /** With the claims to what every syncer gets besides. */
  compute(): KnownExport | undefined;
  /** What of the exports of one workspace is not known at this moment, so that one that is not found may be there; undefined: nothing. */
  missingOf(workspace: string): string | undefined;
}

/** Which logical clusters have bound the compute export, on the shards that are followed. */
export interface Consumers extends Followed {
  /**
   * Whether a logical cluster lets the SyncTargets of another in: those that are beside the compute export, where it has bound that. Who
   * provides it has all of what is accepted for it anyway. Who provides something else has not, though he may have SyncTargets, too.
   */
  letsIn(cluster: string, provider: string): boolean;
  /**
   * What keeps it from being known at this moment who lets the SyncTargets of a logical cluster in; undefined: nothing. As long as there is
   * something, a logical cluster that is not found may do so.
   */
  missingOf(provider: string): string | undefined;
}

/** Whether a SyncTarget may have to do with a logical cluster: its own, and those that let it in. */
export const reaches = (
  consumers: Pick<Consumers, 'letsIn'>,
  target: Pick<SyncTargetIdentity, 'cluster'>,
  cluster: string,
): boolean => target.cluster === cluster || consumers.letsIn(cluster, target.cluster);

/** Servers that believe this service's credentials. */
export interface Connections {
  /**
   * The server of a URL, whose path goes before that of every request. What callers ask and what the service itself asks do not share
   * connections. The same for the same URL.
   */
  at(url: string, purpose: 'callers' | 'control'): Upstream;
  close(): Promise<void>;
}

/** Where the objects of an export are, of all logical clusters of a shard. */
export const exportUrl = (base: string, { cluster, name }: Pick<KnownExport, 'cluster' | 'name'>): string =>
  `${base}/services/apiexport/${cluster}/${name}`;
