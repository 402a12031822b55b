import { type ClusterAccess, loadKubeconfig, upstreamFor } from '@kcp-vw/shared/config/kubeconfig.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { applyObject, list, type Outcome, type Patience, read, titleOf, type Workspace, waitFor } from './install-apply.ts';

/** A kcp, as somebody who has a kubeconfig of its front proxy. */
export interface Kcp {
  /** By path, or by the name of a logical cluster. */
  workspace(path: string): Workspace;
  /** How the kubeconfigs of others reach a workspace. */
  access(path: string): ClusterAccess;
  close(): Promise<void>;
}

/** The workspace that the kubeconfig itself names, if any, means nothing. */
export async function connectKcp(kubeconfig: string, context: string, patience: Patience): Promise<Kcp> {
  const access = await loadKubeconfig(kubeconfig, { context });
  const [, prefix] = /^(.*?)(?:\/clusters\/[^/]+)?\/?$/.exec(access.server.pathname) ?? [];
  const upstream = upstreamFor(access, DEFAULT_LIMITS, access.server.origin);
  const basePathOf = (path: string): string => `${prefix}/clusters/${path}`;
  return {
    workspace: path => ({ upstream, patience, basePath: basePathOf(path) }),
    access: path => ({ ...access, server: new URL(`${access.server.origin}${basePathOf(path)}`) }),
    close: () => upstream.close(),
  };
}

export const say = (outcome: Outcome | 'written', what: string): void =>
  void process.stdout.write(`${outcome.padEnd(9)}  ${what}\n`);

type Phased = KubeObject & {
  readonly status?: {
    readonly phase?: string;
    readonly identityHash?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
};

/** Makes a workspace that its parent does not have, and waits until it can be used. */
export async function makeWorkspace(kcp: Kcp, path: string): Promise<void> {
  const colon = path.lastIndexOf(':');
  // One without a parent is there, or is none.
  if (colon < 0) return;
  const parent = kcp.workspace(path.slice(0, colon));
  const workspace = {
    apiVersion: 'tenancy.kcp.io/v1alpha1',
    kind: 'Workspace',
    metadata: { name: path.slice(colon + 1) },
    spec: { type: { name: 'universal', path: 'root' } },
  };
  // Its type can never be changed: one that is there is left as it is.
  const found: Phased | undefined = await read(parent, workspace);
  say(found === undefined ? await applyObject(parent, workspace) : 'unchanged', `Workspace ${path}`);
  if (found?.status?.phase === 'Ready') return;
  await waitFor(parent, `Workspace ${path} to be ready`, async () => {
    const { status }: Phased = (await read(parent, workspace)) ?? {};
    return status?.phase === 'Ready' ? true : undefined;
  });
}

/** The name of the logical cluster of a workspace. */
export async function logicalClusterOf(workspace: Workspace, path: string): Promise<string> {
  const found = await read(workspace, { kind: 'LogicalCluster', metadata: { name: 'cluster' } });
  const cluster = found && clusterOf(found);
  if (!cluster) throw new Error(`${path} is no workspace with a logical cluster`);
  return cluster;
}

/** An export cannot be bound, nor its objects be asked for, before it has an identity. */
export async function hasIdentity(workspace: Workspace, exported: KubeObject): Promise<void> {
  await waitFor(workspace, `an identity of ${titleOf(exported)}`, async () => {
    const { status }: Phased = (await read(workspace, exported)) ?? {};
    return status?.identityHash ? true : undefined;
  });
}

interface Bound extends KubeObject {
  readonly spec?: { readonly reference?: { readonly export?: { readonly path?: string; readonly name?: string } } };
}

/** The bindings of a workspace to exports of this name. */
export async function bindingsTo(workspace: Workspace, exported: string): Promise<readonly Bound[]> {
  const bindings: readonly Bound[] = await list(workspace, { kind: 'APIBinding' });
  return bindings.filter(({ spec }) => spec?.reference?.export?.name === exported);
}

/** The path by which a binding names the workspace of its export; undefined: its own. */
export const providerOf = ({ spec }: Bound): string | undefined => spec?.reference?.export?.path;

/** Waits until what a binding is for is served. */
export async function isBound(workspace: Workspace, binding: KubeObject): Promise<void> {
  await waitFor(workspace, `${titleOf(binding)} to be bound`, async () => {
    const { status }: Phased = (await read(workspace, binding)) ?? {};
    const conflict = status?.conditions?.find(({ reason }) => reason === 'NamingConflicts');
    if (conflict !== undefined) throw new Error(`${titleOf(binding)} cannot be bound: ${conflict.message ?? 'names are taken'}`);
    return status?.phase === 'Bound' ? true : undefined;
  });
}
