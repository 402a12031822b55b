import { type KubeObject, PATH_ANNOTATION } from '@kcp-vw/shared/kube/objects.ts';
import type { Write } from '../store/definition.ts';
import type { AcceptableClaim, ApiBinding, ExportReference } from './api-objects.ts';
import { type AdmissionContext, exportCluster, mayBind, refused } from './bind-permission.ts';
import { refuseAgainst } from './bound-definitions.ts';
import { EXPORT_LABEL, exportHash } from './permission-claims.ts';
import type { StructuralSchema } from './structural-schema.ts';
import { structured } from './structural-values.ts';
import { canonicalPath } from './workspace-paths.ts';

/** Keeps a binding that is being deleted until the objects of what it has bound are gone. */
export const BINDING_FINALIZER = 'apis.kcp.io/apibinding-finalizer';

const text: StructuralSchema = { type: 'string' };
const emptyText: StructuralSchema = { ...text, default: '' };
const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const;

/** What the CRD says of claims; of the rest it says little that anybody runs into. */
const SCHEMA: StructuralSchema = {
  ...open,
  properties: {
    spec: {
      ...open,
      properties: {
        permissionClaims: {
          type: 'array',
          items: {
            ...open,
            required: ['resource', 'state', 'verbs'],
            properties: {
              group: emptyText,
              identityHash: emptyText,
              resource: text,
              state: { type: 'string', enum: ['Accepted', 'Rejected'] },
              verbs: { type: 'array', minItems: 1, items: text },
            },
          },
        },
      },
    },
  },
};

/** Whoever binds an export must be allowed to, in the logical cluster of the export. Throws a StatusError 403, or 422. */
export function admitApiBinding(context: AdmissionContext, object: KubeObject, write: Write): KubeObject {
  if (write.verb === 'delete' || write.subresource !== '') return object;
  const binding = structured(SCHEMA, object) as ApiBinding;
  refuseAgainst(SCHEMA, { group: 'apis.kcp.io', kind: 'APIBinding' }, binding);
  const name = binding.metadata.name ?? '';
  const errors = [...referenceErrors(binding), ...claimErrors(binding.spec?.permissionClaims ?? [])];
  if (errors.length > 0) throw refused('apibindings', name, `[${errors.join(' ')}]`);
  const { metadata } = binding;
  const finalizers = metadata.finalizers ?? [];
  const path = canonicalPath(context.objects, write.cluster);
  return {
    ...binding,
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, [PATH_ANNOTATION]: path },
      labels: { ...metadata.labels, [EXPORT_LABEL]: labelOf(context, binding, write) },
      ...(write.verb === 'create' && { finalizers: [...new Set([...finalizers, BINDING_FINALIZER])] }),
    },
  };
}

/** The label of the export that is bound. Throws a StatusError 403 for one that the user may not bind, or that is not there. */
function labelOf(context: AdmissionContext, binding: ApiBinding, { verb, cluster, user, previous }: Write): string {
  const reference: ExportReference = binding.spec?.reference?.export ?? { name: '' };
  const before = previous as ApiBinding | undefined;
  const known = before?.metadata.labels?.[EXPORT_LABEL];
  const isSame = before !== undefined && sameReference(before.spec?.reference?.export, reference);
  if (known !== undefined && isSame && binding.metadata.labels?.[EXPORT_LABEL] === known) return known;
  const found = exportCluster(context, cluster, reference);
  if (found === undefined || !mayBind(context, found, user, reference.name)) {
    const { path = '', name } = reference;
    const where = path === '' ? name : `${path}:${name}`;
    const why = `unable to ${verb} APIBinding: no permission to bind to export ${where}`;
    throw refused('apibindings', binding.metadata.name ?? '', why);
  }
  return exportHash(found, reference.name);
}

const sameReference = (a: ExportReference | undefined, b: ExportReference): boolean =>
  a?.name === b.name && (a.path ?? '') === (b.path ?? '');

function referenceErrors({ spec }: ApiBinding): string[] {
  if (!spec?.reference?.export) return ['spec.reference.export: Required value'];
  return spec.reference.export.name ? [] : ['spec.reference.export.name: Required value'];
}

const claimErrors = (claims: readonly AcceptableClaim[]): string[] =>
  claims.flatMap(({ selector = {} }, i) => {
    const { matchAll = false, matchLabels = {}, matchExpressions = [] } = selector;
    const field = `spec.permissionClaims[${i}].selector`;
    const hasLabels = Object.keys(matchLabels).length > 0;
    const hasExpressions = matchExpressions.length > 0;
    if (!matchAll) {
      const none = `${field}: Required value: either one of matchAll, matchLabels, or matchExpressions must be set`;
      return hasLabels || hasExpressions ? [] : [none];
    }
    const invalid = (which: string): string =>
      `${field}.${which}: Invalid value: ${JSON.stringify(selector)}: ${which} cannot be used with matchAll`;
    return [...(hasLabels ? [invalid('matchLabels')] : []), ...(hasExpressions ? [invalid('matchExpressions')] : [])];
  });
