import type { PolicyRule, WorkspaceTypeSpec } from './kube.ts';

/** What distinguishes the two lifecycle views; most tests run once for each. */
export interface Lifecycle {
  readonly view: 'initializingworkspaces' | 'terminatingworkspaces';
  /** The verb on the workspace type that opens the view. */
  readonly verb: 'initialize' | 'terminate';
  /** What a name in the list is called, and the flag of a workspace type that adds one. */
  readonly noun: 'initializer' | 'terminator';
  /** The list in a logical cluster's status. */
  readonly list: 'initializers' | 'terminators';
  /** The group that a virtual workspace vouches with, and nobody else may claim. */
  readonly group: (name: string) => string;
  readonly withPermissions: (rules: PolicyRule[]) => WorkspaceTypeSpec;
}

export const initializing: Lifecycle = {
  view: 'initializingworkspaces',
  verb: 'initialize',
  noun: 'initializer',
  list: 'initializers',
  group: name => `system:kcp:initializer:${name}`,
  withPermissions: rules => ({ initializer: true, initializerPermissions: rules }),
};

export const terminating: Lifecycle = {
  view: 'terminatingworkspaces',
  verb: 'terminate',
  noun: 'terminator',
  list: 'terminators',
  group: name => `system:kcp:terminator:${name}`,
  withPermissions: rules => ({ terminator: true, terminatorPermissions: rules }),
};

export const lifecycles = [initializing, terminating];
