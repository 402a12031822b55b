import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { Subject } from '../index/facts.ts';

/** A caller in a logical cluster, with whoever else counts for him there. */
export interface Effective {
  /** Of all his effective users: names and groups. */
  readonly subjects: ReadonlySet<Subject>;
  /** Of all his effective users. */
  readonly groups: ReadonlySet<string>;
  /** A service account of this very logical cluster. */
  readonly isLocalServiceAccount: boolean;
}

/** A caller, taken apart once. */
export interface Viewer {
  readonly name: string;
  /** Masters and kcp's own administrators of logical clusters: everything is shown to them, whatever its state. */
  readonly seesEverything: boolean;
  /** By his name: required groups are not asked of it. */
  readonly isServiceAccount: boolean;
  /** Of a service account. */
  readonly homeCluster?: string;
  /** Logical clusters that his scopes, his account or his warrants name: there he may be somebody else than elsewhere. */
  readonly named: readonly string[];
  /** In every logical cluster that is not `named`. */
  readonly elsewhere: Effective;
  in(cluster: string): Effective;
}

export type ViewerOf = (caller: Caller) => Viewer;
