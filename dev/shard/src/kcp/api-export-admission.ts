import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import type { Write } from '../store/definition.ts';
import type { ApiExport, ApiResourceSchema, EndpointSlice } from './api-objects.ts';
import { type AdmissionContext, exportCluster, mayBind, refused } from './bind-permission.ts';
import { refuseAgainst } from './bound-definitions.ts';
import { isBuiltIn } from './claimable-resources.ts';
import type { Reader } from './loopback.ts';
import type { StructuralSchema } from './structural-schema.ts';
import { structured } from './structural-values.ts';
import { canonicalPath } from './workspace-paths.ts';

const text: StructuralSchema = { type: 'string' };
const emptyText: StructuralSchema = { ...text, default: '' };
const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const;
const texts: StructuralSchema = { type: 'array', minItems: 1, items: text };

/** What the CRD says of resources and claims; of the rest it says little that anybody runs into. */
const EXPORT_SCHEMA: StructuralSchema = {
  ...open,
  properties: {
    spec: {
      ...open,
      properties: {
        permissionClaims: {
          type: 'array',
          items: {
            ...open,
            required: ['resource', 'verbs'],
            properties: { group: emptyText, identityHash: emptyText, resource: text, verbs: texts },
          },
        },
        resources: {
          type: 'array',
          items: { ...open, required: ['name', 'schema', 'storage'], properties: { name: text, schema: text, storage: open } },
        },
      },
    },
  },
};

/** Exports know the path of their workspace, by which they are found. Throws a StatusError 403, or 422. */
export function admitApiExport(objects: Reader, object: KubeObject, write: Write): KubeObject {
  if (write.verb === 'delete' || write.subresource !== '') return object;
  const apiExport = structured(EXPORT_SCHEMA, object) as ApiExport;
  refuseAgainst(EXPORT_SCHEMA, { group: 'apis.kcp.io', kind: 'APIExport' }, apiExport);
  const { metadata, spec } = apiExport;
  const error = [
    ...(spec?.permissionClaims ?? []).flatMap((claim, i) => {
      if (claim.identityHash || claim.group === 'apis.kcp.io' || isBuiltIn(claim)) return [];
      const detail = 'identityHash is required for API types that are not built-in';
      return [`spec.permissionClaims[${i}].identityHash: Invalid value: "": ${detail}`];
    }),
    ...(spec?.resources ?? []).flatMap(({ group = '', name, schema }, i) => {
      const suffix = `.${name}.${group || 'core'}`;
      return schema.endsWith(suffix)
        ? []
        : [`spec.resources[${i}].schema: Invalid value: ${JSON.stringify(schema)}: must end in ${suffix}`];
    }),
  ][0];
  if (error !== undefined) throw refused('apiexports', metadata.name ?? '', error);
  const path = canonicalPath(objects, write.cluster);
  return { ...apiExport, metadata: { ...metadata, annotations: { ...metadata.annotations, [PATH_ANNOTATION]: path } } };
}

const SCHEMA_SCHEMA: StructuralSchema = {
  ...open,
  properties: {
    spec: {
      ...open,
      required: ['group', 'names', 'scope', 'versions'],
      properties: {
        group: text,
        nameValidation: { ...text, default: 'DNS1123Subdomain' },
        scope: { ...text, enum: ['Cluster', 'Namespaced'] },
        names: { ...open, required: ['kind', 'plural'], properties: { kind: text, plural: text } },
        versions: {
          type: 'array',
          minItems: 1,
          items: {
            ...open,
            required: ['name', 'schema', 'served', 'storage'],
            properties: { name: text, served: { type: 'boolean' }, storage: { type: 'boolean' } },
          },
        },
      },
    },
  },
};

/** A schema never changes: whoever wants another one makes another one. Throws a StatusError 403, or 422. */
export function admitApiResourceSchema(object: KubeObject, { verb, previous }: Write): KubeObject {
  if (verb === 'delete') return object;
  const schema = structured(SCHEMA_SCHEMA, object) as ApiResourceSchema;
  refuseAgainst(SCHEMA_SCHEMA, { group: 'apis.kcp.io', kind: 'APIResourceSchema' }, schema);
  const { metadata, spec } = schema;
  const name = metadata.name ?? '';
  const suffix = `.${spec.names.plural}.${spec.group || 'core'}`;
  const errors = [
    ...(name.endsWith(suffix) ? [] : [`metadata.name: Invalid value: ${JSON.stringify(name)}: must end in ${suffix}`]),
    ...(spec.versions.filter(({ storage }) => storage).length === 1
      ? []
      : ['spec.versions: Invalid value: must have exactly one version marked as storage version']),
    ...(previous === undefined || isDeepStrictEqual(previous.spec, spec)
      ? []
      : [`spec: Invalid value: ${JSON.stringify(spec)}: is immutable`]),
  ];
  if (errors.length > 0) throw refused('apiresourceschemas', name, `[${errors.join(' ')}]`);
  return schema;
}

/** Whoever wants to know where an export is served must be allowed to bind it. Throws a StatusError 403. */
export function admitEndpointSlice(context: AdmissionContext, object: KubeObject, write: Write): KubeObject {
  if (write.verb === 'delete' || write.subresource !== '') return object;
  const { metadata, spec } = object as EndpointSlice;
  const reference = spec?.export ?? { name: '' };
  const name = metadata.name ?? '';
  if (!reference.name) throw refused('apiexportendpointslices', name, '[spec.export.name: Required value]');
  if (isDeepStrictEqual((write.previous as EndpointSlice | undefined)?.spec?.export, reference)) return object;
  const found = exportCluster(context, write.cluster, reference);
  if (found !== undefined && mayBind(context, found, write.user, reference.name)) return object;
  const where = reference.path ? `${reference.path}:${reference.name}` : reference.name;
  const why = `unable to create APIExportEndpointSlice: no permission to bind to export ${where}`;
  throw refused('apiexportendpointslices', name, why);
}
