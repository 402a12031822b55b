import type { LogicalClusterFacts, WorkspaceObject } from './facts.ts';
import type { IndexEvent, Interest, Snapshot } from './snapshot.ts';
import { createWorkspaceIndex } from './workspace-index.ts';

const EPOCH = 100n;
export const ACCESS = { access: true };
const EVERYTHING = { access: true, getWorkspaces: '*' } as const;
export const ANN = ['u:ann'];

export function workspaceOf(
  name: string,
  spec: WorkspaceObject['spec'],
  metadata: WorkspaceObject['metadata'] = {},
): WorkspaceObject {
  return {
    metadata: { name, uid: `uid-${name}`, resourceVersion: '1', ...metadata },
    ...(spec && { spec }),
    status: { phase: 'Ready' },
  };
}

export const contentOf = (name: string, facts: Partial<LogicalClusterFacts> = {}): LogicalClusterFacts => ({
  phase: 'Ready',
  owner: { cluster: 'root', name, uid: `uid-${name}` },
  ...facts,
});

/** `root` with the workspace `web`, whose logical cluster `c-web` is on another shard; the role `member` lets into every logical cluster. */
export function started() {
  const index = createWorkspaceIndex({ epoch: EPOCH });
  index.batch(() => {
    for (const shard of ['alpha', 'beta']) index.role(shard, 'system:admin', 'member', EVERYTHING);
    index.logicalCluster('alpha', 'root', { phase: 'Ready' });
    index.workspace('alpha', 'root', 'web', workspaceOf('web', { cluster: 'c-web' }));
    index.logicalCluster('beta', 'c-web', contentOf('web'));
  });
  const found = (): Snapshot => {
    const snapshot = index.find('root', 'web');
    if (!snapshot) throw new Error('root has no workspace web');
    return snapshot;
  };
  const names = (interest: Interest): string[] => [...index.candidates(interest)].map(({ name }) => name);
  /** The events of an action. */
  const eventsOf = (action: () => void): IndexEvent[] => {
    const { version } = index;
    action();
    return [...index.since(version)];
  };
  return { index, found, names, eventsOf };
}
