package harness

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// providerRules are what somebody needs who runs a controller for the export: to find its URLs, and to use its content.
var providerRules = []rbacv1.PolicyRule{
	{APIGroups: []string{"apis.kcp.io"}, Resources: []string{"apiexportendpointslices"}, Verbs: []string{"get", "list", "watch"}},
	{APIGroups: []string{"apis.kcp.io"}, Resources: []string{"apiexports/content"}, ResourceNames: []string{exportName}, Verbs: []string{"*"}},
}

// Grant gives somebody rights in a workspace, besides that of entering it.
func (workspace Workspace) Grant(t *testing.T, subject rbacv1.Subject, rules []rbacv1.PolicyRule) {
	t.Helper()
	rbac := workspace.KubeClient(t).RbacV1()
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: UniqueName("conformance")}, Rules: rules}
	Got(rbac.ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{}))(t)
	for _, name := range []string{role.Name, "system:kcp:workspace:access"} {
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: UniqueName("conformance")},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
			Subjects:   []rbacv1.Subject{subject},
		}
		Got(rbac.ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{}))(t)
	}
}

// Subject is the user as RBAC names it.
func (user User) Subject() rbacv1.Subject {
	return rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user.Name}
}
