import { describe, expect, test } from '@jest/globals';
import { createParent, createWorkspace, isReady, workspaceWhere } from './support/workspaces.ts';

describe('workspaces whose types have default API bindings', () => {
  test('twenty of type universal and organization become Ready, because the shard reaches them through the initializing view', async () => {
    const parent = await createParent();
    const types = Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0 ? { place: parent, name: 'universal' } : { place: 'root', name: 'organization' },
    );
    const ready = await Promise.all(
      types.map(async ({ place, name }) => {
        const workspace = await createWorkspace(place, { path: 'root', name });
        return workspaceWhere('is Ready', place, workspace.metadata.name, isReady);
      }),
    );
    expect(ready).toHaveLength(20);
    for (const workspace of ready) expect(workspace.status.initializers ?? []).toEqual([]);
  });
});
