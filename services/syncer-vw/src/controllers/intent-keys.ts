import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { STATE_LABEL, type SyncTargetKey } from '../transform/names.ts';

/** The keys of the SyncTargets that an object has a state label for, pending ones included, sorted. */
export const intentKeys = (object: KubeObject): SyncTargetKey[] => keysAfter(STATE_LABEL, object.metadata?.labels);

/** The rest of every name that begins so, sorted. */
export const keysAfter = (prefix: string, of: Readonly<Record<string, string>> | undefined): SyncTargetKey[] =>
  Object.keys(of ?? {})
    .filter(name => name.startsWith(prefix))
    .map(name => name.slice(prefix.length))
    .sort();
