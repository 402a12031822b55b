package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	corev1alpha1 "github.com/kcp-dev/sdk/apis/core/v1alpha1"
	tenancyv1alpha1 "github.com/kcp-dev/sdk/apis/tenancy/v1alpha1"
	kcpclientset "github.com/kcp-dev/sdk/client/clientset/versioned"
)

// Workspace is a workspace that is ready to be used.
type Workspace struct {
	// Path is what people say: root:conformance-x7k2p.
	Path string
	// Cluster is the name of its logical cluster, the value of the annotation kcp.io/cluster.
	Cluster string
	// Shard is where it lives.
	Shard string

	target *Target
}

// Universal is the type of workspaces that nobody has to initialize.
var Universal = tenancyv1alpha1.WorkspaceTypeReference{Name: "universal", Path: "root"}

// UniqueName is a name that nobody has used yet.
func UniqueName(prefix string) string { return prefix + "-" + rand.String(8) }

// NewWorkspace creates a workspace below root on the shard and waits until it is Ready. The test removes it at its end.
func (target *Target) NewWorkspace(t *testing.T, shard string) Workspace {
	t.Helper()
	workspace := target.CreateWorkspace(t, shard, Universal)
	target.awaitCluster(t, &workspace)
	target.AwaitReady(t, workspace)
	return workspace
}

// NewWorkspaces creates a workspace for each named shard, all at the same time.
func (target *Target) NewWorkspaces(t *testing.T, shards []string) []Workspace {
	t.Helper()
	workspaces := make([]Workspace, len(shards))
	for i, shard := range shards {
		workspaces[i] = target.CreateWorkspace(t, shard, Universal)
	}
	for i := range workspaces {
		target.awaitCluster(t, &workspaces[i])
		target.AwaitReady(t, workspaces[i])
	}
	return workspaces
}

// NewWorkspaceOfType creates a workspace of a type and waits until it has a logical cluster.
func (target *Target) NewWorkspaceOfType(t *testing.T, shard string, workspaceType tenancyv1alpha1.WorkspaceTypeReference) Workspace {
	t.Helper()
	workspace := target.CreateWorkspace(t, shard, workspaceType)
	target.awaitCluster(t, &workspace)
	return workspace
}

// CreateWorkspace creates a workspace and waits for nothing; its Cluster is not known yet.
func (target *Target) CreateWorkspace(t *testing.T, shard string, workspaceType tenancyv1alpha1.WorkspaceTypeReference) Workspace {
	t.Helper()
	workspaces := target.KCPClient(t, "root").TenancyV1alpha1().Workspaces()
	made := &tenancyv1alpha1.Workspace{
		ObjectMeta: metav1.ObjectMeta{Name: UniqueName("conformance")},
		Spec: tenancyv1alpha1.WorkspaceSpec{
			Type:     &workspaceType,
			Location: &tenancyv1alpha1.WorkspaceLocation{Selector: metav1.SetAsLabelSelector(map[string]string{"name": shard})},
		},
	}
	// A type is admitted only after the shard has seen it and resolved what it extends.
	Eventually(t, "creation of a workspace of type "+workspaceType.String(), func() error {
		_, err := workspaces.Create(t.Context(), made, metav1.CreateOptions{})
		return ignoring(err, apierrors.IsAlreadyExists)
	})
	t.Cleanup(func() {
		// The test's own context ends before its cleanup begins.
		err := workspaces.Delete(context.Background(), made.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Logf("workspace root:%s stays behind: %v", made.Name, err)
		}
	})
	return Workspace{Path: "root:" + made.Name, Shard: shard, target: target}
}

func (target *Target) awaitCluster(t *testing.T, workspace *Workspace) {
	t.Helper()
	Eventually(t, "logical cluster of "+workspace.Path, func() error {
		found, err := target.workspace(t, *workspace)
		if err == nil && found.Spec.Cluster == "" {
			err = errors.New("it has none")
		}
		if err == nil {
			workspace.Cluster = found.Spec.Cluster
		}
		return err
	})
}

func (target *Target) workspace(t *testing.T, workspace Workspace) (*tenancyv1alpha1.Workspace, error) {
	t.Helper()
	workspaces := target.KCPClient(t, "root").TenancyV1alpha1().Workspaces()
	return workspaces.Get(t.Context(), strings.TrimPrefix(workspace.Path, "root:"), metav1.GetOptions{})
}

// AwaitReady waits until the workspace is Ready.
func (target *Target) AwaitReady(t *testing.T, workspace Workspace) {
	t.Helper()
	Eventually(t, "workspace "+workspace.Path+" is Ready", func() error {
		found, err := target.workspace(t, workspace)
		if err != nil {
			return err
		}
		if found.Status.Phase != corev1alpha1.LogicalClusterPhaseReady {
			return fmt.Errorf("its phase is %s, its initializers are %v", found.Status.Phase, found.Status.Initializers)
		}
		return nil
	})
}

// Delete begins the deletion of the workspace.
func (workspace Workspace) Delete(t *testing.T) {
	t.Helper()
	workspaces := workspace.target.KCPClient(t, "root").TenancyV1alpha1().Workspaces()
	Must(t, workspaces.Delete(t.Context(), strings.TrimPrefix(workspace.Path, "root:"), metav1.DeleteOptions{}))
}

// AwaitGone waits until the workspace is no more.
func (workspace Workspace) AwaitGone(t *testing.T) {
	t.Helper()
	Eventually(t, "end of "+workspace.Path, func() error {
		_, err := workspace.target.workspace(t, workspace)
		if err == nil {
			return errors.New("it is still there")
		}
		return ignoring(err, apierrors.IsNotFound)
	})
}

// ConfigIn is the administrator's configuration in the workspace of a path.
func (target *Target) ConfigIn(t *testing.T, path string) *rest.Config {
	t.Helper()
	config := target.admin(t)
	config.Host += "/clusters/" + path
	return config
}

// KCPClient is the administrator's client of kcp's own types in the workspace of a path.
func (target *Target) KCPClient(t *testing.T, path string) kcpclientset.Interface {
	t.Helper()
	return Got(kcpclientset.NewForConfig(target.ConfigIn(t, path)))(t)
}

// KubeClient is the administrator's client in the workspace of a path: not through the virtual workspaces.
func (target *Target) KubeClient(t *testing.T, path string) kubernetes.Interface {
	t.Helper()
	return Got(kubernetes.NewForConfig(target.ConfigIn(t, path)))(t)
}

// KubeClient is the administrator's client in the workspace, not through the virtual workspaces.
func (workspace Workspace) KubeClient(t *testing.T) kubernetes.Interface {
	t.Helper()
	return workspace.target.KubeClient(t, workspace.Path)
}

func ignoring(err error, ignored func(error) bool) error {
	if ignored(err) {
		return nil
	}
	return err
}
