import { AGE, builtIn, CREATED_AT, text } from './built-in.ts';
import type { ResourceDefinition } from './definition.ts';

const ADMISSION = 'admissionregistration.k8s.io';

/** A resource of the API server's own policies; the shard stores them and obeys none. */
const policy = (kind: string, shape: Partial<ResourceDefinition> = {}): ResourceDefinition => {
  const singular = kind.toLowerCase();
  const resource = singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`;
  return builtIn({
    group: ADMISSION,
    resource,
    singular,
    kind,
    namespaced: false,
    tracksGeneration: true,
    columns: [CREATED_AT],
    ...shape,
  });
};

export const POLICY_RESOURCES: readonly ResourceDefinition[] = [
  policy('MutatingAdmissionPolicy'),
  policy('MutatingAdmissionPolicyBinding'),
  policy('MutatingWebhookConfiguration'),
  policy('ValidatingAdmissionPolicy', { statusSubresource: true }),
  policy('ValidatingAdmissionPolicyBinding'),
  policy('ValidatingWebhookConfiguration'),
  builtIn({
    ...{ group: 'certificates.k8s.io', resource: 'certificatesigningrequests', singular: 'certificatesigningrequest' },
    ...{ kind: 'CertificateSigningRequest', namespaced: false, shortNames: ['csr'], statusSubresource: true },
    columns: [AGE, text('SignerName', '.spec.signerName'), text('Requestor', '.spec.username')],
    selectableFields: {
      'spec.signerName': object => String((object.spec as { signerName?: string } | undefined)?.signerName ?? ''),
    },
  }),
];
