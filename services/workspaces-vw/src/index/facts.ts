import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';

/**
 * Somebody in a ClusterRoleBinding: `u:<name>` for a user, `g:<name>` for a group. A ServiceAccount of a binding is the user
 * `u:system:serviceaccount:<namespace>:<name>`.
 */
export type Subject = string;

/** What a ClusterRole gives of that which decides over workspaces. A role that gives neither is kept nowhere. */
export interface RoleFacts {
  /** The verb `access` on the path `/`: its subjects may enter the logical cluster. */
  readonly access: boolean;
  /** The verb `get` on `workspaces` of `tenancy.kcp.io`: `'*'` or the names (`resourceNames`); absent: none. Decides over mounts. */
  readonly getWorkspaces?: '*' | readonly string[];
}

/** A ClusterRoleBinding. */
export interface BindingFacts {
  /** Of the ClusterRole. */
  readonly role: string;
  readonly subjects: readonly Subject[];
}

/**
 * Groups a visitor needs, as the annotation `authorization.kcp.io/required-groups` says it: `;` between alternatives, `,` between the groups
 * of one. A text, because whoever may write it may make very many groups of it: it is taken apart where somebody comes.
 */
export type RequiredGroups = string;

/** Asks for a group that nobody can have: no header carries a NUL. In place of an annotation that is no text, or asks for too much. */
export const NOBODY: RequiredGroups = '\0';

/** A LogicalCluster. */
export interface LogicalClusterFacts {
  readonly phase: string;
  /** Absent: none are required. */
  readonly requiredGroups?: RequiredGroups;
  /** The Workspace that it is the content of; absent for `root` and homes. */
  readonly owner?: { readonly cluster: string; readonly name: string; readonly uid: string };
  /** Annotation `kcp.io/path`. */
  readonly path?: string;
}

/** A Workspace as its shard has it. */
export interface WorkspaceObject extends KubeObject {
  readonly spec?: {
    /** Its logical cluster; absent until it is scheduled, and for mounts. */
    readonly cluster?: string;
    readonly URL?: string;
    readonly type?: { readonly name?: string; readonly path?: string };
    readonly mount?: unknown;
    readonly [field: string]: unknown;
  };
  readonly status?: { readonly phase?: string; readonly [field: string]: unknown };
}

/** The logical cluster with the roles and bindings that count in all logical clusters of a shard. */
export const SHARD_WIDE_CLUSTER = 'system:admin';

/** What is written into the index: facts of one shard each, in any order. `undefined` takes the fact out. All are idempotent. */
export interface IndexWriter {
  role(shard: string, cluster: string, name: string, facts: RoleFacts | undefined): void;
  binding(shard: string, cluster: string, name: string, facts: BindingFacts | undefined): void;
  logicalCluster(shard: string, cluster: string, facts: LogicalClusterFacts | undefined): void;
  /** `cluster` is the one that has the object: the parent. */
  workspace(shard: string, cluster: string, name: string, object: WorkspaceObject | undefined): void;
  /** Everything of a shard that is no more. */
  forgetShard(shard: string): void;
  /** Runs `work` as one change: a fact that is put in the place of another gives no event in between. */
  batch(work: () => void): void;
}
