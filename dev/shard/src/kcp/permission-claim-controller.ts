import { isDeepStrictEqual } from 'node:util';
import { parseStorageKey, storedDefinition } from '../store/definition.ts';
import type { AcceptableClaim, ApiBinding, ApiExport, PermissionClaim, ScopedClaim } from './api-objects.ts';
import { claimKey, claimMismatches } from './claim-mismatches.ts';
import { type Wish, withCondition } from './conditions.ts';
import type { Loopback } from './loopback.ts';
import { claimLabelsFor, exportOf, isStored, withClaimLabels } from './permission-claims.ts';
import { API_BINDINGS, API_EXPORTS } from './refs.ts';

/** Labels what a binding's accepted claims are about, and says in its status what has been applied. */
export function reconcilePermissionClaims(objects: Loopback, cluster: string, name: string): void {
  const binding = objects.get<ApiBinding>(API_BINDINGS, cluster, name);
  const found = binding && exportOf(objects, binding);
  if (binding === undefined || found === undefined || binding.status?.phase === undefined) return;
  const asked = found.spec?.permissionClaims ?? [];
  const accepted = (binding.spec?.permissionClaims ?? []).filter(({ state }) => state === 'Accepted');
  const keys = new Set(asked.map(claimKey));
  const expected = accepted.filter(claim => keys.has(claimKey(claim)));
  const changed = changedClaims(binding.status.appliedPermissionClaims ?? [], accepted, expected);
  const failures = changed.flatMap(claim => label(objects, cluster, claim).map(message => ({ key: claimKey(claim), message })));
  const applied = expected
    .filter(claim => !failures.some(({ key }) => key === claimKey(claim)))
    .map(scoped)
    .sort(byKey);
  const latest = objects.get<ApiBinding>(API_BINDINGS, cluster, name) ?? binding;
  const { appliedPermissionClaims: _old, ...status } = latest.status ?? {};
  const conditions = withCondition(
    withCondition(status.conditions, validity(accepted, expected, asked)),
    failures.length === 0
      ? { type: 'PermissionClaimsApplied', status: 'True' }
      : notApplied(failures.map(({ message }) => message)),
  );
  const next = { ...status, ...(applied.length > 0 && { appliedPermissionClaims: applied }), conditions };
  if (!isDeepStrictEqual(next, latest.status)) objects.updateStatus(API_BINDINGS, cluster, { ...latest, status: next });
}

/** Those whose objects have to be looked at: newly accepted, no longer accepted, with another selector. */
function changedClaims(
  applied: readonly ScopedClaim[],
  accepted: readonly AcceptableClaim[],
  expected: readonly AcceptableClaim[],
): readonly PermissionClaim[] {
  const before = new Map(applied.map(claim => [claimKey(claim), claim]));
  const now = new Set(accepted.map(claimKey));
  const added = expected.filter(claim => {
    const known = before.get(claimKey(claim));
    return known === undefined || !isDeepStrictEqual(known.selector, claim.selector);
  });
  return [...added, ...applied.filter(claim => !now.has(claimKey(claim)))].filter(isStored);
}

const scoped = ({ state: _state, ...claim }: AcceptableClaim): ScopedClaim => claim;
const byKey = (a: PermissionClaim, b: PermissionClaim): number => (claimKey(a) < claimKey(b) ? -1 : 1);

/** Gives the objects of a claimed resource their labels. Returns why it cannot. */
function label(objects: Loopback, cluster: string, { group = '', resource, identityHash = '' }: PermissionClaim): string[] {
  const ref = { group, resource };
  const definition = objects.registry.find(cluster, ref);
  if (definition === undefined) {
    if (objects.registry.findAll(ref).length > 0 || isExported(objects, ref, identityHash)) return [];
    const why = `unable to find informer for ${group}.${resource}`;
    return [`error getting informer for group="${group}", resource="${resource}": ${why}`];
  }
  for (const { metadata } of objects.store.list(storedDefinition(definition), { cluster }).items) {
    relabel(objects, { ...storedDefinition(definition) }, cluster, metadata?.namespace ?? '', metadata?.name ?? '');
  }
  return [];
}

const isExported = (objects: Loopback, { group, resource }: { group: string; resource: string }, identityHash: string): boolean =>
  [...objects.list<ApiExport>(API_EXPORTS, '*'), ...objects.cache.list<ApiExport>(API_EXPORTS, '*')].some(
    ({ spec, status }) =>
      status?.identityHash === identityHash &&
      (spec?.resources ?? []).some(one => (one.group ?? '') === group && one.name === resource),
  );

/** Writes the claim labels that an object must have, where it has others. */
export function relabel(
  objects: Loopback,
  ref: ReturnType<typeof parseStorageKey>,
  cluster: string,
  namespace: string,
  name: string,
): void {
  const object = objects.store.get(ref, cluster, name, namespace);
  if (object === undefined) return;
  const labels = object.metadata?.labels ?? {};
  const wanted = withClaimLabels(labels, claimLabelsFor(objects, { cluster, of: ref, name, labels }));
  if (wanted === labels) return;
  objects.update(ref, cluster, { ...object, metadata: { ...object.metadata, labels: wanted } });
}

/** The same for an object that a change is about, by the key of a queue. */
export function reconcileClaimLabels(objects: Loopback, key: string): void {
  const [resource = '', cluster = '', namespace = '', ...name] = key.split('|');
  relabel(objects, parseStorageKey(resource), cluster, namespace, name.join('|'));
}

function validity(
  accepted: readonly AcceptableClaim[],
  expected: readonly AcceptableClaim[],
  asked: readonly PermissionClaim[],
): Wish {
  const type = 'PermissionClaimsValid';
  const mismatches = claimMismatches(expected, asked).slice();
  if (mismatches.length > 0) {
    const shown = mismatches.slice(0, 5);
    const what = 'permission claim(s) have mismatched verbs or selectors';
    const message = `${mismatches.length} ${what} (showing first ${shown.length}): ${shown.join(', ')}`;
    return { type, status: 'False', severity: 'Warning', reason: 'PermissionClaimsMismatch', message };
  }
  const unexpected = accepted
    .filter(claim => !expected.includes(claim))
    .map(({ group = '', resource, identityHash = '' }) => {
      return `unexpected/invalid claim for ${resource}.${group} (identity "${identityHash}")`;
    })
    .sort();
  if (unexpected.length === 0) return { type, status: 'True' };
  const shown = unexpected.slice(0, 10);
  const message = `${unexpected.length} unexpected and/or invalid permission claims (showing first ${shown.length}): ${aggregate(shown)}`;
  return { type, status: 'False', severity: 'Error', reason: 'InvalidPermissionClaims', message };
}

function notApplied(messages: readonly string[]): Wish {
  const message = `Permission claims have not been fully applied: ${aggregate(messages.slice(0, 10))}`;
  return { type: 'PermissionClaimsApplied', status: 'False', severity: 'Error', reason: 'InternalError', message };
}

/** As Go prints several errors at once. */
const aggregate = (messages: readonly string[]): string =>
  messages.length === 1 ? (messages[0] ?? '') : `[${messages.join(', ')}]`;
