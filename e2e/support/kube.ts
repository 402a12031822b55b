/** The fields of Kubernetes and kcp objects that the tests look at. */
export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  finalizers?: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

export interface UserInfo {
  username: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

export interface Condition {
  type: string;
  status: string;
}

export interface LogicalCluster extends KubeObject {
  metadata: ObjectMeta;
  spec: { createdBy?: UserInfo; initializers?: string[]; terminators?: string[] };
  status: { phase: string; URL?: string; initializers?: string[]; terminators?: string[]; conditions?: Condition[] };
}

export interface Workspace extends KubeObject {
  metadata: ObjectMeta & { name: string };
  spec: { cluster: string; type: { name: string; path: string } };
  status: { phase: string; initializers?: string[]; terminators?: string[]; conditions?: Condition[] };
}

export interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

export interface WorkspaceTypeSpec {
  initializer?: boolean;
  terminator?: boolean;
  extend?: { with: { path: string; name: string }[] };
  initializerPermissions?: PolicyRule[];
  terminatorPermissions?: PolicyRule[];
}

export interface WorkspaceType extends KubeObject {
  metadata: ObjectMeta & { name: string };
  spec: WorkspaceTypeSpec;
  status?: { virtualWorkspaces?: { type: string; url: string }[]; conditions?: Condition[] };
}

export interface ConfigMap extends KubeObject {
  metadata: ObjectMeta;
  data?: Record<string, string>;
}

export interface List<T> extends KubeObject {
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

export interface Status extends KubeObject {
  status: string;
  message: string;
  reason: string;
  code: number;
  details?: { name?: string; group?: string; kind?: string; causes?: { reason: string; message: string; field: string }[] };
}

export interface Table extends KubeObject {
  columnDefinitions: { name: string; type: string }[];
  rows: { cells: unknown[]; object: KubeObject }[];
}
