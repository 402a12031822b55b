import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { KubeList, KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { KIND, VIRTUAL_WORKSPACES_PATH } from '@kcp-vw/shared/registration/virtual-workspace.ts';
import { requestText, type TextResponse } from '@kcp-vw/shared/upstream/text.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';

/** Owner of the fields that are installed: what others have written beside them stays. */
const FIELD_MANAGER = 'kcp-vw-install';
const LONGEST_WORDS = 500;

/** The workspace that is installed into. */
export interface Workspace {
  readonly upstream: Upstream;
  /** Of the workspace: `/clusters/root`. */
  readonly basePath: string;
  readonly patience: Patience;
}

/** How often and how long something is waited for that a server does by itself, milliseconds. */
export interface Patience {
  readonly every: number;
  readonly atMost: number;
}

export type Outcome = 'created' | 'changed' | 'unchanged';

/** Where the objects that are installed are, below the path of their workspace. */
const COLLECTIONS: Readonly<Record<string, (namespace: string) => string>> = {
  CustomResourceDefinition: () => '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  Namespace: () => '/api/v1/namespaces',
  ServiceAccount: namespace => `/api/v1/namespaces/${namespace}/serviceaccounts`,
  Secret: namespace => `/api/v1/namespaces/${namespace}/secrets`,
  ClusterRole: () => '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: () => '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  Role: namespace => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`,
  RoleBinding: namespace => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
  [KIND]: () => VIRTUAL_WORKSPACES_PATH,
  Workspace: () => '/apis/tenancy.kcp.io/v1alpha1/workspaces',
  LogicalCluster: () => '/apis/core.kcp.io/v1alpha1/logicalclusters',
  APIResourceSchema: () => '/apis/apis.kcp.io/v1alpha1/apiresourceschemas',
  APIExport: () => '/apis/apis.kcp.io/v1alpha2/apiexports',
  APIBinding: () => '/apis/apis.kcp.io/v1alpha2/apibindings',
  SyncTarget: () => '/apis/workload.kcp.io/v1alpha1/synctargets',
};

/** Their APIs come to be while others of them are installed. */
const LATE_KINDS: ReadonlySet<string> = new Set([KIND, 'SyncTarget']);

/** The object without its workspace and its namespace: what people call it. */
export const titleOf = ({ kind, metadata }: KubeObject): string =>
  `${kind} ${metadata?.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata?.name}`;

/** Applies objects in their order; each is told as soon as it is there. A definition is waited for, since others need it. */
export async function applyAll(
  workspace: Workspace,
  objects: readonly KubeObject[],
  told: (outcome: Outcome, object: KubeObject) => void,
): Promise<void> {
  for (const object of objects) {
    told(await applyObject(workspace, object), object);
    if (object.kind === 'CustomResourceDefinition') await established(workspace, object);
  }
}

/** Server-side apply: fields that others own and that are not in `object` stay, those in `object` become what they are there. */
export async function applyObject(workspace: Workspace, object: KubeObject): Promise<Outcome> {
  const before = await read(workspace, object);
  const after = await waitFor(workspace, `${titleOf(object)}, whose API the server does not have`, async () => {
    const response = await request(workspace, object, {
      method: 'PATCH',
      query: `?fieldManager=${FIELD_MANAGER}&force=true`,
      type: 'application/apply-patch+yaml',
      body: JSON.stringify(object),
    });
    // A server that has just established an API may take a moment to serve it.
    if (response.status === 404 && LATE_KINDS.has(object.kind ?? '')) return undefined;
    return expectSuccess(response, `cannot apply ${titleOf(object)}`);
  });
  if (before === undefined) return 'created';
  return isDeepStrictEqual(contentOf(before), contentOf(after)) ? 'unchanged' : 'changed';
}

/** Undefined when it is not there. */
export async function read(workspace: Workspace, object: KubeObject): Promise<KubeObject | undefined> {
  const response = await request(workspace, object, { method: 'GET' });
  return response.status === 404 ? undefined : expectSuccess(response, `cannot read ${titleOf(object)}`);
}

/** All of a kind, in the namespace of this one. */
export async function list(workspace: Workspace, object: KubeObject): Promise<readonly KubeObject[]> {
  const response = await request(workspace, { ...object, metadata: { ...object.metadata, name: '' } }, { method: 'GET' });
  const { items = [] } = expectSuccess(response, `cannot list ${object.kind}s`) as Partial<KubeList>;
  return items;
}

/** Asks until there is an answer. Rejects when patience ends. */
export async function waitFor<T>({ patience }: Workspace, what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + patience.atMost;
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    if (performance.now() >= end) throw new Error(`waited ${patience.atMost / 1_000} s in vain for ${what}`);
    await sleep(patience.every);
  }
}

interface Definition extends KubeObject {
  readonly status?: { readonly conditions?: readonly { type: string; status: string; message?: string }[] };
}

async function established(workspace: Workspace, object: KubeObject): Promise<void> {
  await waitFor(workspace, `${titleOf(object)} to be established`, async () => {
    const { status }: Definition = (await read(workspace, object)) ?? {};
    const condition = (type: string) => status?.conditions?.find(found => found.type === type);
    const names = condition('NamesAccepted');
    if (names?.status === 'False') throw new Error(`${titleOf(object)}: its names are not accepted: ${names.message}`);
    return condition('Established')?.status === 'True' ? true : undefined;
  });
}

interface ObjectRequest {
  readonly method: string;
  readonly query?: string;
  readonly type?: string;
  readonly body?: string;
}

function request(
  { upstream, basePath }: Workspace,
  object: KubeObject,
  { method, query = '', type, body }: ObjectRequest,
): Promise<TextResponse> {
  const { name = '', namespace = '' } = object.metadata ?? {};
  const collection = COLLECTIONS[object.kind ?? ''];
  if (collection === undefined) throw new Error(`${titleOf(object)} is of no kind that is installed`);
  return requestText(upstream, {
    method,
    path: `${basePath}${collection(namespace)}${name && '/'}${name}${query}`,
    headers: ['accept', 'application/json', ...(type === undefined ? [] : ['content-type', type])],
    ...(body !== undefined && { body }),
  });
}

function expectSuccess({ status, body }: TextResponse, otherwise: string): KubeObject {
  // Servers answer with plain text, too: where nothing of a group is served, and before they know who asks.
  const parsed = parse(body);
  if (parsed !== undefined && status >= 200 && status < 300) return parsed;
  const words = typeof parsed?.message === 'string' ? parsed.message : body.slice(0, LONGEST_WORDS).trim();
  throw new Error(`${otherwise}: ${words || 'the server gave no reason'} (${status})`);
}

function parse(body: string): KubeObject | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as KubeObject) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What an apply may change: its own bookkeeping and the status, which others write meanwhile, tell nothing. Nor does the generation, which
 * kcp counts up whenever an APIBinding is applied.
 */
function contentOf({ status: _status, metadata, ...rest }: KubeObject): unknown {
  const { managedFields: _managers, resourceVersion: _version, generation: _generation, ...kept } = metadata ?? {};
  return { ...rest, metadata: kept };
}
