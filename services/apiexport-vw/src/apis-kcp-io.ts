import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';

export type { ApiResourceSchema, SchemaVersion } from '@kcp-vw/shared/kube/resource-schema.ts';

/** The objects of `apis.kcp.io`, as far as they matter here. */

/** An APIExport by the logical cluster that it lives in (a name, never a path) and its name. */
export interface ExportKey {
  readonly cluster: string;
  readonly name: string;
}

/** `v1alpha2 PermissionClaim`: what a provider asks for in its export. */
export interface PermissionClaim {
  readonly group?: string;
  readonly resource: string;
  readonly verbs?: readonly string[];
  readonly identityHash?: string;
}

/** `metav1.LabelSelector`, or all objects. */
export interface ClaimSelector {
  readonly matchAll?: boolean;
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** `v1alpha2 AcceptablePermissionClaim`: what a consumer says to it. */
export interface AcceptableClaim extends PermissionClaim {
  readonly state?: string;
  readonly selector?: ClaimSelector;
}

/** `v1alpha2 APIExport`. */
export interface ApiExport extends KubeObject {
  spec?: {
    resources?: readonly { readonly group: string; readonly name: string; readonly schema: string }[];
    permissionClaims?: readonly PermissionClaim[];
    maximalPermissionPolicy?: { readonly local?: object };
  };
  status?: { identityHash?: string };
}

/** `v1alpha2 APIBinding`. */
export interface ApiBinding extends KubeObject {
  spec?: {
    reference?: { readonly export?: { readonly path?: string; readonly name: string } };
    permissionClaims?: readonly AcceptableClaim[];
  };
  status?: {
    apiExportClusterName?: string;
    phase?: string;
    boundResources?: readonly { readonly group: string; readonly resource: string }[];
  };
}
