import { base62, kcpHash } from '@kcp-vw/shared/kube/kcp-hash.ts';
import type { ExportKey, PermissionClaim } from './apis-kcp-io.ts';

/**
 * The labels by which a shard marks what an export's claims reach (kcp's `permissionclaims` package). The shard writes them, following the
 * claims that bindings have accepted and their selectors; here they are only asked for.
 */

const CLAIM_LABEL_PREFIX = 'claimed.internal.apis.kcp.io/';
/** On every APIBinding: the export that it binds. */
export const EXPORT_LABEL = 'internal.apis.kcp.io/export';

/** Of an export: the value of `EXPORT_LABEL`, and the end of the keys of its claims. */
export const exportHash = ({ cluster, name }: ExportKey): string => kcpHash(`${cluster}:${name}`);

/** The key under which objects carry the hash of the export's claim that reaches them. */
export const claimLabelKey = (exported: ExportKey): string => CLAIM_LABEL_PREFIX + exportHash(exported);

/** Go's JSON of the claim: verbs and selectors are not part of a claim's identity, and `verbs` is null. */
export function claimLabelValue({ group, resource, identityHash }: PermissionClaim): string {
  return kcpHash(JSON.stringify({ ...(group && { group }), resource, verbs: null, ...(identityHash && { identityHash }) }));
}

/** Marks the export's own bindings, whether or not they accept a claim to bindings: kcp's constant. */
export const REFLEXIVE_VALUE = base62(Uint8Array.from({ length: 28 }, (_, i) => i % 10));
