import type { KubeObject } from './objects.ts';

/** One version of an `APIResourceSchema`. */
export interface SchemaVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly schema?: object;
  readonly subresources?: { readonly status?: object; readonly scale?: object };
  readonly additionalPrinterColumns?: readonly {
    readonly name: string;
    readonly type: string;
    readonly format?: string;
    readonly description?: string;
    readonly priority?: number;
    readonly jsonPath: string;
  }[];
}

/** `v1alpha1 APIResourceSchema`. */
export interface ApiResourceSchema extends KubeObject {
  spec?: {
    group: string;
    names: {
      readonly plural: string;
      readonly singular?: string;
      readonly kind: string;
      readonly listKind?: string;
      readonly shortNames?: readonly string[];
      readonly categories?: readonly string[];
    };
    scope: 'Namespaced' | 'Cluster';
    versions: readonly SchemaVersion[];
  };
}
