import type { WorkspaceIndex } from '../index/snapshot.ts';
import type { TimeOfDay } from './creator.ts';
import { createIndexSight } from './index-sight.ts';
import type { AccessSource } from './sight.ts';
import { viewerOf } from './viewer-of.ts';

/** For installations where RBAC says everything: the index knows who may enter what. */
export function createIndexSource(index: WorkspaceIndex, now: TimeOfDay = Date.now): AccessSource {
  return {
    sightOf: async caller => createIndexSight(index, viewerOf(caller), now),
  };
}
