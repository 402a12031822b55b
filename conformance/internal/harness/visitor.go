package harness

import (
	"context"
	"errors"
	"sync"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	corev1alpha1 "github.com/kcp-dev/sdk/apis/core/v1alpha1"
	tenancyv1alpha1 "github.com/kcp-dev/sdk/apis/tenancy/v1alpha1"
)

// Everywhere is asked in the place of a parent for the workspaces of all logical clusters.
const Everywhere = "*"

// Visitor is somebody who may enter what he is let into, and sees it in the view `workspaces`.
type Visitor struct {
	User
	target *Target
}

// NewVisitor is a user of his own for the tests of that view: what others are granted does not come between.
func (target *Target) NewVisitor(t *testing.T) Visitor {
	t.Helper()
	target.OnlyWithView(t, "workspaces")
	return Visitor{User: target.users[len(target.users)-1], target: target}
}

// At is the visitor's configuration at the view of a parent: its path, the name of its logical cluster, or Everywhere.
func (visitor Visitor) At(t *testing.T, parent string) *rest.Config {
	t.Helper()
	config := as(visitor.target.admin(t), visitor.User)
	config.Host = visitor.target.virtualWorkspaceURL(t, "root") + "/services/workspaces/" + parent
	return config
}

// LetInto gives the visitor access to a logical cluster; the returned function takes it away.
func (visitor Visitor) LetInto(t *testing.T, cluster string) (takeAway func()) {
	t.Helper()
	bindings := visitor.target.KubeClient(t, cluster).RbacV1().ClusterRoleBindings()
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: UniqueName("visitor")},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:kcp:workspace:access"},
		Subjects:   []rbacv1.Subject{visitor.Subject()},
	}
	Got(bindings.Create(t.Context(), binding, metav1.CreateOptions{}))(t)
	return sync.OnceFunc(func() {
		t.Helper()
		Must(t, bindings.Delete(t.Context(), binding.Name, metav1.DeleteOptions{}))
	})
}

// NewChildren creates workspaces in this one, as many as there are shards named, and waits until they are Ready. The administrator owns them.
func (workspace Workspace) NewChildren(t *testing.T, shards ...string) []*tenancyv1alpha1.Workspace {
	t.Helper()
	workspaces := workspace.target.KCPClient(t, workspace.Path).TenancyV1alpha1().Workspaces()
	children := make([]*tenancyv1alpha1.Workspace, len(shards))
	for i, shard := range shards {
		made := &tenancyv1alpha1.Workspace{
			ObjectMeta: metav1.ObjectMeta{Name: UniqueName("child")},
			Spec: tenancyv1alpha1.WorkspaceSpec{
				Type:     &Universal,
				Location: &tenancyv1alpha1.WorkspaceLocation{Selector: metav1.SetAsLabelSelector(map[string]string{"name": shard})},
			},
		}
		Eventually(t, "creation of a workspace in "+workspace.Path, func() error {
			_, err := workspaces.Create(t.Context(), made, metav1.CreateOptions{})
			return ignoring(err, apierrors.IsAlreadyExists)
		})
		t.Cleanup(func() {
			// The test's own context ends before its cleanup begins.
			err := workspaces.Delete(context.Background(), made.Name, metav1.DeleteOptions{})
			if ignoring(err, apierrors.IsNotFound) != nil {
				t.Logf("workspace %s:%s stays behind: %v", workspace.Path, made.Name, err)
			}
		})
		children[i] = made
	}
	for i, made := range children {
		Eventually(t, "readiness of "+made.Name, func() error {
			found, err := workspaces.Get(t.Context(), made.Name, metav1.GetOptions{})
			if err == nil && found.Status.Phase != corev1alpha1.LogicalClusterPhaseReady {
				err = errors.New("its phase is " + string(found.Status.Phase))
			}
			children[i] = found
			return err
		})
	}
	return children
}
