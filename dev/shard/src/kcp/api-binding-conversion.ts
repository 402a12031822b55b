import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type AnyClaim, annotated, common, inFull, isForAll, kept, sameIn, written } from './claim-conversion.ts';

/** What one version cannot say is kept in annotations for the way back. */
const ACCEPTABLE = 'apis.v1alpha2.kcp.io/acceptable-permission-claims';
const OLD_ACCEPTABLE = 'apis.v1alpha2.kcp.io/v1alpha1-permission-claims';
const EXPORTED = 'apis.v1alpha2.kcp.io/status-export-permission-claims';
const OLD_EXPORTED = 'apis.v1alpha2.kcp.io/v1alpha1-status-export-permission-claims';
const APPLIED = 'apis.v1alpha2.kcp.io/status-applied-permission-claims';
const OLD_APPLIED = 'apis.v1alpha2.kcp.io/v1alpha1-status-applied-permission-claims';

interface Spec {
  readonly permissionClaims?: readonly AnyClaim[];
}

interface Status {
  readonly exportPermissionClaims?: readonly AnyClaim[];
  readonly appliedPermissionClaims?: readonly AnyClaim[];
}

/** An APIBinding in the other version (`types_apibinding_conversion.go`). */
export const convertApiBinding = (object: KubeObject, apiVersion: string): KubeObject =>
  apiVersion.endsWith('/v1alpha1') ? toOld(object, apiVersion) : toNew(object, apiVersion);

function toOld(object: KubeObject, apiVersion: string): KubeObject {
  const { permissionClaims, ...spec } = (object.spec ?? {}) as Spec;
  const { exportPermissionClaims, appliedPermissionClaims, ...status } = (object.status ?? {}) as Status;
  const lost = (claims: readonly AnyClaim[] = []): AnyClaim[] => claims.filter(claim => !isForAll(claim)).map(written);
  const all = (claims: readonly AnyClaim[], originals: string): AnyClaim[] =>
    claims.map(claim => oldClaim(claim, kept<AnyClaim>(object, originals)));
  return {
    ...object,
    apiVersion,
    metadata: annotated(object, [OLD_ACCEPTABLE, OLD_EXPORTED, OLD_APPLIED], {
      [ACCEPTABLE]: lost(permissionClaims),
      [APPLIED]: lost(appliedPermissionClaims),
      [EXPORTED]: lost(exportPermissionClaims),
    }),
    spec: { ...spec, ...(permissionClaims && { permissionClaims: all(permissionClaims, OLD_ACCEPTABLE) }) },
    ...(object.status !== undefined && {
      status: {
        ...status,
        ...(appliedPermissionClaims && { appliedPermissionClaims: all(appliedPermissionClaims, OLD_APPLIED) }),
        ...(exportPermissionClaims && { exportPermissionClaims: all(exportPermissionClaims, OLD_EXPORTED) }),
      },
    }),
  };
}

function oldClaim(claim: AnyClaim, originals: readonly AnyClaim[]): AnyClaim {
  const original = sameIn(originals, claim);
  const { all, resourceSelector } = original ?? { all: claim.selector?.matchAll };
  return {
    ...common(claim),
    ...(all && { all }),
    ...(resourceSelector && { resourceSelector }),
    ...(claim.state !== undefined && { state: claim.state }),
  };
}

function toNew(object: KubeObject, apiVersion: string): KubeObject {
  const { permissionClaims, ...spec } = (object.spec ?? {}) as Spec;
  const { exportPermissionClaims, appliedPermissionClaims, ...status } = (object.status ?? {}) as Status;
  const all = (claims: readonly AnyClaim[], richer: string): AnyClaim[] =>
    claims.map(claim => newClaim(claim, kept<AnyClaim>(object, richer)));
  const selective = (claims: readonly AnyClaim[] = []): AnyClaim[] =>
    claims.filter(({ resourceSelector = [] }) => resourceSelector.length > 0).map(written);
  return {
    ...object,
    apiVersion,
    metadata: annotated(object, [ACCEPTABLE, EXPORTED, APPLIED, OLD_ACCEPTABLE, OLD_EXPORTED, OLD_APPLIED], {
      [OLD_ACCEPTABLE]: selective(permissionClaims),
      [OLD_EXPORTED]: (exportPermissionClaims ?? []).map(written),
      [OLD_APPLIED]: selective(appliedPermissionClaims),
    }),
    spec: {
      ...spec,
      ...(permissionClaims && {
        permissionClaims: all(permissionClaims, ACCEPTABLE).map(claim => ({
          ...claim,
          // What v1alpha1 could select has always meant everything.
          selector: claim.selector ?? { matchAll: true },
        })),
      }),
    },
    ...(object.status !== undefined && {
      status: {
        ...status,
        ...(appliedPermissionClaims && {
          appliedPermissionClaims: all(appliedPermissionClaims, APPLIED).map(claim => ({
            ...claim,
            selector: claim.selector ?? { matchAll: true },
          })),
        }),
        ...(exportPermissionClaims && { exportPermissionClaims: all(exportPermissionClaims, EXPORTED) }),
      },
    }),
  };
}

function newClaim(claim: AnyClaim, richer: readonly AnyClaim[]): AnyClaim {
  const { verbs = ['*'], selector, defaultSelector } = sameIn(richer, claim) ?? {};
  return inFull({
    ...common(claim),
    verbs,
    ...(defaultSelector && { defaultSelector }),
    ...(selector && { selector }),
    ...(claim.state !== undefined && { state: claim.state }),
  });
}
