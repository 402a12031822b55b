/** The labels by which an export's view finds the objects that it has been granted (kcp's `pkg/permissionclaim`). */
import { createHash } from 'node:crypto';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import { matchesLabels } from '@kcp-vw/shared/kube/selectors.ts';
import { resourceKey } from '../store/definition.ts';
import type { ApiBinding, ApiExport, ClaimSelector, GroupResource, PermissionClaim } from './api-objects.ts';
import { requirementsOf } from './label-selector.ts';
import type { Reader } from './loopback.ts';
import { API_BINDINGS, API_EXPORTS } from './refs.ts';

export const CLAIM_LABEL_PREFIX = 'claimed.internal.apis.kcp.io/';
/** On bindings: the hash of the export that they are bound to. */
export const EXPORT_LABEL = 'internal.apis.kcp.io/export';
/** On a binding, for the export that it is bound to: that one may see it without any claim. */
export const REFLEXIVE_VALUE = 'LstvmbbzVDDOn90ZbhzSQO5U3DMCf88h1pZ';

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** SHA-224 as a number in base 62. */
function hashed(text: string): string {
  const base = BigInt(ALPHABET.length);
  let rest = BigInt(`0x${createHash('sha224').update(text).digest('hex')}`);
  let digits = '';
  for (; rest > 0n; rest /= base) digits = ALPHABET.charAt(Number(rest % base)) + digits;
  return digits;
}

/** What an export is called in labels. */
export const exportHash = (cluster: string, name: string): string => hashed(`${cluster}:${name}`);

/** The claim as Go writes it, without what may change: verbs and selectors are no part of its identity. */
export function claimHash({ group, resource, identityHash }: PermissionClaim): string {
  return hashed(JSON.stringify({ ...(group && { group }), resource, verbs: null, ...(identityHash && { identityHash }) }));
}

/** What can be claimed, though nothing of it is ever stored. */
const NOT_STORED: ReadonlySet<string> = new Set([
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
  'authorization.k8s.io/subjectaccessreviews',
  'authentication.k8s.io/selfsubjectreviews',
  'authentication.k8s.io/tokenreviews',
]);

export const isStored = ({ group = '', resource }: GroupResource): boolean => !NOT_STORED.has(resourceKey({ group, resource }));

/** Events are the same in both groups, and claimed in the legacy one. */
export const normalized = ({ group = '', resource }: GroupResource): Required<GroupResource> =>
  resource === 'events' && group === 'events.k8s.io' ? { group: '', resource } : { group, resource };

export const exportOf = (objects: Reader, binding: ApiBinding): ApiExport | undefined => {
  const { path, name = '' } = binding.spec?.reference?.export ?? {};
  return objects.findByPath<ApiExport>(API_EXPORTS, path || clusterOf(binding), name);
};

function selects({ matchAll, ...selector }: ClaimSelector, labels: Readonly<Record<string, string>>): boolean {
  return matchAll === true || matchesLabels(requirementsOf(selector), labels);
}

interface Labelled {
  readonly cluster: string;
  /** The resource of the object. */
  readonly of: GroupResource;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The claim labels that an object must have, by what the bindings of its logical cluster accept. */
export function claimLabelsFor(objects: Reader, { cluster, of, name, labels }: Labelled): Readonly<Record<string, string>> {
  if (!isStored(of)) return {};
  const { group, resource } = normalized(of);
  const wanted: Record<string, string> = {};
  for (const binding of objects.list<ApiBinding>(API_BINDINGS, cluster)) {
    const claims = (binding.spec?.permissionClaims ?? []).filter(
      claim => claim.state === 'Accepted' && (claim.group ?? '') === group && claim.resource === resource,
    );
    const found = claims.length === 0 ? undefined : exportOf(objects, binding);
    if (found === undefined) continue;
    const key = CLAIM_LABEL_PREFIX + exportHash(clusterOf(found), found.metadata.name ?? '');
    for (const claim of claims) if (selects(claim.selector ?? {}, labels)) wanted[key] = claimHash(claim);
  }
  if (resourceKey({ group, resource }) !== resourceKey(API_BINDINGS)) return wanted;
  const itself = objects.get<ApiBinding>(API_BINDINGS, cluster, name);
  const bound = itself && exportOf(objects, itself);
  return bound === undefined
    ? wanted
    : { [CLAIM_LABEL_PREFIX + exportHash(clusterOf(bound), bound.metadata.name ?? '')]: REFLEXIVE_VALUE, ...wanted };
}

/** The labels with exactly these among them that are of claims; the same object when nothing differs. */
export function withClaimLabels(
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const isMissing = Object.entries(wanted).some(([key, value]) => labels[key] !== value);
  const isLeftOver = (key: string): boolean => key.startsWith(CLAIM_LABEL_PREFIX) && !Object.hasOwn(wanted, key);
  if (!isMissing && !Object.keys(labels).some(isLeftOver)) return labels;
  return { ...Object.fromEntries(Object.entries(labels).filter(([key]) => !isLeftOver(key))), ...wanted };
}
