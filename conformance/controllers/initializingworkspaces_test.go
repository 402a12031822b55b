package controllers

import (
	"context"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	mcmanager "sigs.k8s.io/multicluster-runtime/pkg/manager"
	mcreconcile "sigs.k8s.io/multicluster-runtime/pkg/reconcile"

	kcpcorev1alpha1 "github.com/kcp-dev/sdk/apis/core/v1alpha1"
	"github.com/kcp-dev/sdk/apis/tenancy/initialization"

	"github.com/kcp-dev/multicluster-provider/initializingworkspaces"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// A controller follows the URLs in the status of a workspace type, fills workspaces before anybody may enter them, and lets them go.
func TestWorkspacesAreInitialized(t *testing.T) {
	t.Parallel()
	target := harness.TheTarget(t)
	owned := target.NewOwnedType(t, harness.Initializing)
	workspaceType := readType(t, owned)
	initializer := initialization.InitializerForType(workspaceType)

	options := initializingworkspaces.Options{Scheme: scheme(), Log: &quiet}
	provider := harness.Got(initializingworkspaces.New(owned.Config, workspaceType.Name, options))(t)
	mgr, _ := startManager(t, owned.Config, provider, &kcpcorev1alpha1.LogicalCluster{}, initialize(initializer))

	var workspaces []harness.Workspace
	for _, shard := range target.Shards {
		workspaces = append(workspaces, target.NewWorkspaceOfType(t, shard, owned.Reference))
	}
	for _, workspace := range workspaces {
		target.AwaitReady(t, workspace)
		found := harness.Got(workspace.KubeClient(t).CoreV1().ConfigMaps(namespace).Get(t.Context(), "welcome", metav1.GetOptions{}))(t)
		if found.Data["cluster"] != workspace.Cluster {
			t.Errorf("%s was filled with %v", workspace.Path, found.Data)
		}
		// Nobody initializes a workspace that is ready.
		awaitEngaged(t, mgr, workspace, false)
	}
}

// initialize fills a workspace and takes the initializer from its logical cluster.
func initialize(initializer kcpcorev1alpha1.LogicalClusterInitializer) func(context.Context, mcmanager.Manager, mcreconcile.Request) error {
	return func(ctx context.Context, mgr mcmanager.Manager, request mcreconcile.Request) error {
		cluster, err := mgr.GetCluster(ctx, request.ClusterName)
		if err != nil {
			return fmt.Errorf("logical cluster %s: %w", request.ClusterName, err)
		}
		// Its client does not read from a cache, and may use the content of the workspace.
		content := cluster.GetClient()
		var found kcpcorev1alpha1.LogicalCluster
		if err := content.Get(ctx, request.NamespacedName, &found); err != nil {
			return client.IgnoreNotFound(err)
		}
		if !slices.Contains(found.Status.Initializers, initializer) {
			return nil
		}
		welcome := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "welcome", Namespace: namespace},
			Data:       map[string]string{"cluster": string(request.ClusterName)},
		}
		if err := content.Create(ctx, welcome); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
		before := found.DeepCopy()
		found.Status.Initializers = initialization.EnsureInitializerAbsent(initializer, found.Status.Initializers)
		return content.Status().Patch(ctx, &found, client.MergeFrom(before))
	}
}
