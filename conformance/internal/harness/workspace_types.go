package harness

import (
	"errors"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	tenancyv1alpha1 "github.com/kcp-dev/sdk/apis/tenancy/v1alpha1"
)

// Lifecycle is what the workspaces of a type wait for.
type Lifecycle struct {
	initializer, terminator bool
	verb                    string
}

var (
	// Initializing is the beginning: workspaces wait for an initializer.
	Initializing = Lifecycle{initializer: true, verb: "initialize"}
	// Terminating is the end: workspaces wait for a terminator.
	Terminating = Lifecycle{terminator: true, verb: "terminate"}
)

// OwnedType is a workspace type whose workspaces wait for a controller that a user runs.
type OwnedType struct {
	Reference tenancyv1alpha1.WorkspaceTypeReference
	// Config is the user's configuration in the workspace that holds the type.
	Config *rest.Config
}

// NewOwnedType creates a type that extends universal, and waits until its URLs are published.
func (target *Target) NewOwnedType(t *testing.T, lifecycle Lifecycle) OwnedType {
	t.Helper()
	home := target.NewWorkspace(t, "root")
	types := target.KCPClient(t, home.Path).TenancyV1alpha1().WorkspaceTypes()
	made := &tenancyv1alpha1.WorkspaceType{
		ObjectMeta: metav1.ObjectMeta{Name: "owned"},
		Spec: tenancyv1alpha1.WorkspaceTypeSpec{
			Initializer: lifecycle.initializer,
			Terminator:  lifecycle.terminator,
			Extend:      tenancyv1alpha1.WorkspaceTypeExtension{With: []tenancyv1alpha1.WorkspaceTypeReference{Universal}},
		},
	}
	Eventually(t, "creation of a workspace type in "+home.Path, func() error {
		_, err := types.Create(t.Context(), made, metav1.CreateOptions{})
		return err
	})
	Eventually(t, "URLs of the workspace type in "+home.Path, func() error {
		found, err := types.Get(t.Context(), made.Name, metav1.GetOptions{})
		if err == nil && len(found.Status.VirtualWorkspaces) == 0 {
			err = errors.New("there are none")
		}
		return err
	})
	user := target.users[0]
	home.Grant(t, user.Subject(), []rbacv1.PolicyRule{
		{APIGroups: []string{"tenancy.kcp.io"}, Resources: []string{"workspacetypes"}, Verbs: []string{"get", "list", "watch"}},
		{
			APIGroups: []string{"tenancy.kcp.io"}, Resources: []string{"workspacetypes"}, ResourceNames: []string{made.Name},
			Verbs: []string{lifecycle.verb},
		},
	})
	return OwnedType{
		Reference: tenancyv1alpha1.WorkspaceTypeReference{Name: tenancyv1alpha1.WorkspaceTypeName(made.Name), Path: home.Path},
		Config:    as(target.ConfigIn(t, home.Path), user),
	}
}
