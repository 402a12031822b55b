import { isDeepStrictEqual } from 'node:util';
import { withCondition } from './conditions.ts';
import type { Loopback } from './loopback.ts';
import type { Shard, WorkspaceType } from './objects.ts';
import { ROOT, SHARDS, WORKSPACE_TYPES } from './refs.ts';
import { lifecycleName } from './workspace-types.ts';

/** Publishes where the views of a type's initializer and terminator are, on every shard; also for types that have neither. */
export function reconcileWorkspaceType(objects: Loopback, cluster: string, name: string): void {
  const type = objects.get<WorkspaceType>(WORKSPACE_TYPES, cluster, name);
  if (type === undefined) return;
  const virtualWorkspaces = objects.cache
    .list<Shard>(SHARDS, ROOT)
    .map(({ spec }) => spec?.virtualWorkspaceURL ?? '')
    .filter(url => url !== '')
    .flatMap(url => [
      { url: `${url}/services/initializingworkspaces/${lifecycleName(type)}`, type: 'initializing' },
      { url: `${url}/services/terminatingworkspaces/${lifecycleName(type)}`, type: 'terminating' },
    ]);
  const ready = withCondition(type.status?.conditions, { type: 'VirtualWorkspaceURLsReady', status: 'True' });
  const status = { ...type.status, virtualWorkspaces, conditions: withCondition(ready, { type: 'Ready', status: 'True' }) };
  if (!isDeepStrictEqual(status, type.status)) objects.updateStatus(WORKSPACE_TYPES, cluster, { ...type, status });
}
