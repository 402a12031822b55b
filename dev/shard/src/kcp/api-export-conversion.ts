import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ApiExport, ExportedResource } from './api-objects.ts';
import { type AnyClaim, annotated, common, inFull, isForAll, kept, sameIn, written } from './claim-conversion.ts';

/** What one version cannot say is kept in annotations for the way back. */
const RESOURCES = 'apis.v1alpha2.kcp.io/resource-schemas';
const CLAIMS = 'apis.v1alpha2.kcp.io/permission-claims';
const OLD_CLAIMS = 'apis.v1alpha2.kcp.io/v1alpha1-permission-claims';

interface OldSpec {
  readonly latestResourceSchemas?: readonly string[];
  readonly permissionClaims?: readonly AnyClaim[];
}

/** An APIExport in the other version (`types_apiexport_conversion.go`). */
export const convertApiExport = (object: KubeObject, apiVersion: string): KubeObject =>
  apiVersion.endsWith('/v1alpha1') ? toOld(object, apiVersion) : toNew(object, apiVersion);

function toOld(object: KubeObject, apiVersion: string): KubeObject {
  const { resources = [], permissionClaims, ...spec } = (object as ApiExport).spec ?? {};
  const others = resources.filter(({ storage }) => storage?.crd === undefined);
  const latestResourceSchemas = resources.filter(({ storage }) => storage?.crd !== undefined).map(({ schema }) => schema);
  const originals = kept<AnyClaim>(object, OLD_CLAIMS);
  const lost = (permissionClaims ?? []).filter(claim => !isForAll(claim)).map(written);
  return {
    ...object,
    apiVersion,
    metadata: annotated(object, [OLD_CLAIMS], { [RESOURCES]: others, [CLAIMS]: lost }),
    spec: {
      ...spec,
      ...(latestResourceSchemas.length > 0 && { latestResourceSchemas }),
      ...(permissionClaims && { permissionClaims: permissionClaims.map(claim => restored(claim, originals)) }),
    },
  };
}

function restored(claim: AnyClaim, originals: readonly AnyClaim[]): AnyClaim {
  const { all, resourceSelector } = sameIn(originals, claim) ?? {};
  return { ...common(claim), ...(all && { all }), ...(resourceSelector && { resourceSelector }) };
}

function toNew(object: KubeObject, apiVersion: string): KubeObject {
  const { latestResourceSchemas, permissionClaims, ...spec } = (object.spec ?? {}) as OldSpec;
  const resources = [...(latestResourceSchemas ?? []).map(resourceOf), ...kept<ExportedResource>(object, RESOURCES)];
  const richer = kept<AnyClaim>(object, CLAIMS);
  const claims = (permissionClaims ?? []).map(claim => {
    const { verbs = ['*'], defaultSelector } = sameIn(richer, claim) ?? {};
    return inFull({ ...common(claim), verbs, ...(defaultSelector && { defaultSelector }) });
  });
  return {
    ...object,
    apiVersion,
    metadata: annotated(object, [RESOURCES, CLAIMS, OLD_CLAIMS], { [OLD_CLAIMS]: (permissionClaims ?? []).map(written) }),
    spec: { ...spec, ...(resources.length > 0 && { resources }), ...(permissionClaims && { permissionClaims: claims }) },
  };
}

/** `today.cowboys.wildwest.dev`: a prefix, the resource, the group. */
function resourceOf(schema: string): ExportedResource {
  const [, name = '', ...group] = schema.split('.');
  const joined = group.join('.');
  return { group: joined === 'core' ? '' : joined, name, schema, storage: { crd: {} } };
}
