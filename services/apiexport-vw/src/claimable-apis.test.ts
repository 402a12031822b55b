import { describe, expect, test } from '@jest/globals';
import { CLAIMABLE_APIS, claimableApis, claimedAs } from './claimable-apis.ts';

const textOf = ({ group, resource }: { readonly group: string; readonly resource: string }): string => `${resource}.${group}`;

describe('what may be claimed without an identity', () => {
  test("is kcp's list, with its scopes and statuses", () => {
    const listed = CLAIMABLE_APIS.map(
      api => `${api.namespaced ? 'N' : 'C'}${api.status ? 's' : ' '} ${api.versions.join()} ${textOf(api)} ${api.kind}`,
    );
    expect(listed.sort()).toEqual(
      [
        'N  v1 configmaps. ConfigMap',
        'N  v1 events. Event',
        'Cs v1 namespaces. Namespace',
        'Ns v1 resourcequotas. ResourceQuota',
        'N  v1 secrets. Secret',
        'N  v1 serviceaccounts. ServiceAccount',
        'C  v1 mutatingadmissionpolicies.admissionregistration.k8s.io MutatingAdmissionPolicy',
        'C  v1 mutatingadmissionpolicybindings.admissionregistration.k8s.io MutatingAdmissionPolicyBinding',
        'C  v1 mutatingwebhookconfigurations.admissionregistration.k8s.io MutatingWebhookConfiguration',
        'Cs v1 validatingadmissionpolicies.admissionregistration.k8s.io ValidatingAdmissionPolicy',
        'C  v1 validatingadmissionpolicybindings.admissionregistration.k8s.io ValidatingAdmissionPolicyBinding',
        'C  v1 validatingwebhookconfigurations.admissionregistration.k8s.io ValidatingWebhookConfiguration',
        'Cs v1 customresourcedefinitions.apiextensions.k8s.io CustomResourceDefinition',
        'N  v1 localsubjectaccessreviews.authorization.k8s.io LocalSubjectAccessReview',
        'C  v1 subjectaccessreviews.authorization.k8s.io SubjectAccessReview',
        'Cs v1 certificatesigningrequests.certificates.k8s.io CertificateSigningRequest',
        'N  v1 leases.coordination.k8s.io Lease',
        'Cs v1alpha1 logicalclusters.core.kcp.io LogicalCluster',
        'N  v1 events.events.k8s.io Event',
        'C  v1 clusterrolebindings.rbac.authorization.k8s.io ClusterRoleBinding',
        'C  v1 clusterroles.rbac.authorization.k8s.io ClusterRole',
        'N  v1 rolebindings.rbac.authorization.k8s.io RoleBinding',
        'N  v1 roles.rbac.authorization.k8s.io Role',
        'Cs v1alpha1,v1alpha2 apibindings.apis.kcp.io APIBinding',
        'Cs v1alpha1,v1alpha2 apiexports.apis.kcp.io APIExport',
        'C  v1alpha1 apiresourceschemas.apis.kcp.io APIResourceSchema',
      ].sort(),
    );
  });

  // kcp#3894: events are stored once and served in two groups.
  test.each([
    ['', ['events.', 'events.events.k8s.io']],
    ['events.k8s.io', ['events.events.k8s.io', 'events.']],
  ])('are events in both groups, if claimed in %j', (group, opened) => {
    expect(claimableApis({ group, resource: 'events' })?.map(textOf)).toEqual(opened);
  });

  test.each([
    ['pods', ''],
    ['events', 'example.dev'],
    ['apiexportendpointslices', 'apis.kcp.io'],
    ['workspaces', 'tenancy.kcp.io'],
    ['constructor', ''],
  ])('is not %s of the group %j', (resource, group) => {
    expect(claimableApis({ group, resource })).toBeUndefined();
  });

  test('is of the legacy group if a claim names none', () => {
    expect(claimableApis({ resource: 'secrets' })?.map(textOf)).toEqual(['secrets.']);
  });
});

test.each([
  ['events.k8s.io', 'events', ''],
  ['', 'events', ''],
  ['events.k8s.io', 'others', 'events.k8s.io'],
  ['example.dev', 'events', 'example.dev'],
])('a binding says of %s %s what it says of the group %j', (group, resource, as) => {
  expect(claimedAs(group, resource)).toEqual({ group: as, resource });
});
