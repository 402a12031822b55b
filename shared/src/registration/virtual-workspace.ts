import type { KubeObject } from '../kube/objects.ts';

export const GROUP = 'virtualworkspaces.kcp.io';
export const VERSION = 'v1alpha1';
export const KIND = 'VirtualWorkspace';
export const RESOURCE = 'virtualworkspaces';

/** The collection, below the path of the workspace that has it. */
export const VIRTUAL_WORKSPACES_PATH = `/apis/${GROUP}/${VERSION}/${RESOURCE}`;

/** All leases of that workspace, to follow; those that count are in the namespaces below. */
export const LEASES_PATH = '/apis/coordination.k8s.io/v1/leases';

/** The namespace with the leases and the service accounts of a view: whoever may write there may speak for that view, and for no other. */
export const namespaceOf = (view: string): string => `virtualworkspace-${view}`;

/**
 * Where a view is served. One per view, cluster-scoped, with the view's name; `spec` belongs to who installs, each entry of `status.endpoints`
 * to the process that it is about, and `status.conditions` to the front proxy.
 */
export interface VirtualWorkspace extends KubeObject {
  readonly spec: VirtualWorkspaceSpec;
  readonly status?: VirtualWorkspaceStatus;
}

export interface VirtualWorkspaceSpec {
  /** `/services/<name of the object>`. */
  readonly path: string;
  /** PEM in base64: the authorities that certify the services of this view, and no others. Absent: those of the front proxy's flags. */
  readonly caBundle?: string;
  /** Where endpoints may be, as in `--allowed-endpoints`. Beside a flag of the front proxy both have to allow it; without either none is. */
  readonly allowedEndpoints?: readonly string[];
  /** Who may serve it. The roles that let them are made from this when it is installed. */
  readonly serviceAccounts?: readonly ServiceAccountReference[];
}

export interface ServiceAccountReference {
  readonly namespace: string;
  readonly name: string;
}

export interface VirtualWorkspaceStatus {
  /** A list-map by `instance`. */
  readonly endpoints?: readonly VirtualWorkspaceEndpoint[];
  /** `Available`: an endpoint is ready and may be used. `EndpointsAccepted`: none was refused. */
  readonly conditions?: readonly Condition[];
}

export interface VirtualWorkspaceEndpoint {
  /** Name of the process, and of its lease in the namespace of the view. */
  readonly instance: string;
  /** `https://host:port` and nothing behind it. */
  readonly url: string;
  /** Name of the shard that it serves; absent: whichever is asked for. */
  readonly shard?: string;
  /** False while it starts, and once it drains. */
  readonly ready: boolean;
  /**
   * PEM: the authorities of this process's certificate. It narrows what is believed and never widens it: certificates that neither
   * `spec.caBundle` nor the front proxy's flags have do not count.
   */
  readonly ca?: string;
}

/** `metav1.Condition`, as far as it is read here. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** CamelCase, for programs. */
  readonly reason: string;
  /** A sentence for people, which names what is refused. */
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}
