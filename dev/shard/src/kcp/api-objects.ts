/** The types of `apis.kcp.io`, as far as the shard reads them: in the versions that they are stored in. */
import type { SchemaVersion, ApiResourceSchema as SharedSchema } from '@kcp-vw/shared/kube/resource-schema.ts';
import type { Condition, LabelSelectorObject, Stored } from './objects.ts';

export interface GroupResource {
  readonly group?: string;
  readonly resource: string;
}

/** Which objects of a claimed resource are meant. */
export interface ClaimSelector extends LabelSelectorObject {
  readonly matchAll?: boolean;
}

/** What an export wants to do with objects that are not its own. */
export interface PermissionClaim extends GroupResource {
  readonly verbs?: readonly string[];
  /** Of the export that the resource comes from; empty for what every logical cluster has. */
  readonly identityHash?: string;
  readonly defaultSelector?: ClaimSelector;
}

export interface ScopedClaim extends PermissionClaim {
  readonly selector?: ClaimSelector;
}

export interface AcceptableClaim extends ScopedClaim {
  readonly state: 'Accepted' | 'Rejected';
}

export interface ExportedResource {
  readonly group?: string;
  readonly name: string;
  /** Name of an APIResourceSchema beside the export. */
  readonly schema: string;
  readonly storage?: { readonly crd?: object; readonly virtual?: object };
}

/** `apis.kcp.io/v1alpha2`. */
export interface ApiExport extends Stored {
  readonly spec?: {
    readonly resources?: readonly ExportedResource[];
    readonly permissionClaims?: readonly PermissionClaim[];
    readonly identity?: { readonly secretRef?: { readonly namespace: string; readonly name: string } };
    /** With `local`, roles beside the export bound what users may do with its objects anywhere. */
    readonly maximalPermissionPolicy?: { readonly local?: object };
  };
  readonly status?: { readonly identityHash?: string; readonly conditions?: readonly Condition[] };
}

export interface ExportReference {
  readonly path?: string;
  readonly name: string;
}

export interface BoundResource {
  readonly group: string;
  readonly resource: string;
  readonly schema: { readonly name: string; readonly UID: string; readonly identityHash: string };
  readonly storageVersions?: readonly string[];
}

/** `apis.kcp.io/v1alpha2`. */
export interface ApiBinding extends Stored {
  readonly spec?: {
    readonly reference?: { readonly export?: ExportReference };
    readonly permissionClaims?: readonly AcceptableClaim[];
  };
  readonly status?: {
    readonly phase?: 'Binding' | 'Bound';
    readonly conditions?: readonly Condition[];
    readonly apiExportClusterName?: string;
    readonly boundResources?: readonly BoundResource[];
    readonly exportPermissionClaims?: readonly PermissionClaim[];
    readonly appliedPermissionClaims?: readonly ScopedClaim[];
  };
}

export interface EndpointSlice extends Stored {
  readonly spec?: { readonly export?: ExportReference; readonly partition?: string };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly endpoints?: readonly { readonly url: string }[];
    readonly shardSelector?: string;
  };
}

export interface Partition extends Stored {
  readonly spec?: { readonly selector?: LabelSelectorObject };
}

/** A version of an APIResourceSchema or of a CustomResourceDefinition. */
export interface ResourceVersion extends SchemaVersion {
  readonly subresources?: {
    readonly status?: object;
    readonly scale?: {
      readonly specReplicasPath: string;
      readonly statusReplicasPath: string;
      readonly labelSelectorPath?: string;
    };
  };
  readonly selectableFields?: readonly { readonly jsonPath: string }[];
}

export interface ResourceSpec extends Readonly<NonNullable<SharedSchema['spec']>> {
  readonly versions: readonly ResourceVersion[];
  readonly conversion?: object;
}

export interface ApiResourceSchema extends Stored {
  readonly spec: ResourceSpec;
}
