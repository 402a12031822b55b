import type { Client, Credentials } from './client.ts';
import type { Workspace, WorkspaceTypeSpec } from './kube.ts';
import type { Lifecycle } from './lifecycle.ts';
import { contentOf, createPending, single, viewOf, wildcard } from './views.ts';
import { type CreatedType, createParent, createType } from './workspaces.ts';

/** A workspace type and a workspace that waits for it: what most tests of a lifecycle view begin with. */
export class Scenario {
  readonly lifecycle: Lifecycle;
  readonly type: CreatedType;
  readonly workspace: Workspace;

  constructor(lifecycle: Lifecycle, type: CreatedType, workspace: Workspace) {
    this.lifecycle = lifecycle;
    this.type = type;
    this.workspace = workspace;
  }

  static async create(
    lifecycle: Lifecycle,
    spec: WorkspaceTypeSpec = { [lifecycle.noun]: true },
    parent?: string,
  ): Promise<Scenario> {
    const type = await createType(parent ?? (await createParent()), spec);
    return new Scenario(lifecycle, type, await createPending(lifecycle, type));
  }

  /** Another workspace of the same type. */
  async another(): Promise<Scenario> {
    return new Scenario(this.lifecycle, this.type, await createPending(this.lifecycle, this.type));
  }

  /** The initializer or terminator, as it stands in paths and in the status. */
  get name(): string {
    return this.type.lifecycleName;
  }

  get cluster(): string {
    return this.workspace.spec.cluster;
  }

  view(credentials: Credentials): Client {
    return viewOf(this.lifecycle, this.name, credentials);
  }

  /** All logical clusters that wait for the name. */
  wildcard(credentials: Credentials): Client {
    return wildcard(this.view(credentials));
  }

  /** The workspace's logical cluster. */
  single(credentials: Credentials): Client {
    return single(this.view(credentials), this.cluster);
  }

  /** What is in the workspace. */
  content(credentials: Credentials): Client {
    return contentOf(this.view(credentials), this.cluster);
  }
}
