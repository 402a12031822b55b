import { resourceKey } from '../store/definition.ts';
import type { GroupResource } from './api-objects.ts';

/** What can be claimed without naming an export that it comes from (kcp's `pkg/virtual/apiexport/schemas/builtin`), by group. */
const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  '': ['configmaps', 'events', 'namespaces', 'resourcequotas', 'secrets', 'serviceaccounts'],
  'admissionregistration.k8s.io': [
    'mutatingadmissionpolicies',
    'mutatingadmissionpolicybindings',
    'mutatingwebhookconfigurations',
    'validatingadmissionpolicies',
    'validatingadmissionpolicybindings',
    'validatingwebhookconfigurations',
  ],
  'apiextensions.k8s.io': ['customresourcedefinitions'],
  'authorization.k8s.io': ['localsubjectaccessreviews', 'subjectaccessreviews'],
  'certificates.k8s.io': ['certificatesigningrequests'],
  'coordination.k8s.io': ['leases'],
  'core.kcp.io': ['logicalclusters'],
  'events.k8s.io': ['events'],
  'rbac.authorization.k8s.io': ['clusterrolebindings', 'clusterroles', 'rolebindings', 'roles'],
};

const KEYS: ReadonlySet<string> = new Set(
  Object.entries(BUILT_IN).flatMap(([group, resources]) => resources.map(resource => resourceKey({ group, resource }))),
);

export const isBuiltIn = ({ group = '', resource }: GroupResource): boolean => KEYS.has(resourceKey({ group, resource }));
