import type { KubeObject, ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import type { PolicyRule } from '@kcp-vw/shared/kube/rbac.ts';

export type Phase = 'Scheduling' | 'Initializing' | 'Ready' | 'Unavailable' | 'Inactive' | 'Terminating' | 'Deleting';

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly lastTransitionTime: string;
  readonly severity?: string;
  readonly reason?: string;
  readonly message?: string;
}

/** `authentication.k8s.io/v1 UserInfo` as Go writes it: what is empty is left out. */
export interface RecordedUser {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** An object that has been stored. */
export interface Stored extends KubeObject {
  readonly metadata: Readonly<ObjectMeta>;
}

export interface LogicalCluster extends Stored {
  readonly spec?: {
    readonly directlyDeletable?: boolean;
    readonly owner?: {
      readonly apiVersion: string;
      readonly resource: string;
      readonly cluster: string;
      readonly name: string;
      readonly uid: string;
    };
    readonly createdBy?: RecordedUser;
    readonly initializers?: readonly string[];
    readonly terminators?: readonly string[];
  };
  readonly status?: {
    readonly phase?: Phase;
    readonly URL?: string;
    readonly conditions?: readonly Condition[];
    readonly initializers?: readonly string[];
    readonly terminators?: readonly string[];
  };
}

export interface TypeReference {
  readonly path?: string;
  readonly name?: string;
}

/** `metav1.LabelSelector`. */
export interface LabelSelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values?: readonly string[];
  }[];
}

export interface Workspace extends Stored {
  readonly spec?: {
    readonly cluster?: string;
    readonly URL?: string;
    readonly type?: TypeReference;
    /** Which shards may be chosen, by their labels. */
    readonly location?: { readonly selector?: LabelSelectorObject };
  };
  readonly status?: {
    readonly phase?: Phase;
    readonly conditions?: readonly Condition[];
    readonly initializers?: readonly string[];
    readonly terminators?: readonly string[];
  };
}

/** Which types may be above or below a workspace: those named, or none. */
export interface TypeSelector {
  readonly none?: boolean;
  readonly types?: readonly TypeReference[];
}

export interface ExportReference {
  readonly path?: string;
  readonly export: string;
}

export interface WorkspaceType extends Stored {
  readonly spec?: {
    readonly initializer?: boolean;
    readonly terminator?: boolean;
    readonly extend?: { readonly with?: readonly TypeReference[] };
    readonly additionalWorkspaceLabels?: Readonly<Record<string, string>>;
    readonly defaultChildWorkspaceType?: TypeReference;
    readonly limitAllowedChildren?: TypeSelector;
    readonly limitAllowedParents?: TypeSelector;
    readonly defaultAPIBindings?: readonly ExportReference[];
    readonly initializerPermissions?: readonly PolicyRule[];
    readonly terminatorPermissions?: readonly PolicyRule[];
  };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly virtualWorkspaces?: readonly { readonly url: string; readonly type: string }[];
  };
}

export interface Shard extends Stored {
  readonly spec?: { readonly baseURL?: string; readonly externalURL?: string; readonly virtualWorkspaceURL?: string };
}

/** The object without what is undefined, so that it is written as Go writes it. */
export function compact<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
