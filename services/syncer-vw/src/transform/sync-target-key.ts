import { kcpHash } from '@kcp-vw/shared/kube/kcp-hash.ts';
import type { SyncTargetKey } from './names.ts';

/** What stands for a SyncTarget on objects. The uid is no part of it: one that is made again under its name has the same key. */
export const syncTargetKey = ({ cluster, name }: { readonly cluster: string; readonly name: string }): SyncTargetKey =>
  kcpHash(`${cluster}:${name}`);
