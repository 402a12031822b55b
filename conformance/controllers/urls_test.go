package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	mcmanager "sigs.k8s.io/multicluster-runtime/pkg/manager"
	"sigs.k8s.io/multicluster-runtime/pkg/multicluster"
	mcreconcile "sigs.k8s.io/multicluster-runtime/pkg/reconcile"

	"github.com/kcp-dev/logicalcluster/v3"
	kcpcorev1alpha1 "github.com/kcp-dev/sdk/apis/core/v1alpha1"
	"github.com/kcp-dev/sdk/apis/tenancy/initialization"
	"github.com/kcp-dev/sdk/apis/tenancy/termination"
	tenancyv1alpha1 "github.com/kcp-dev/sdk/apis/tenancy/v1alpha1"

	"github.com/kcp-dev/multicluster-provider/initializingworkspaces"
	mcpcache "github.com/kcp-dev/multicluster-provider/pkg/cache"
	"github.com/kcp-dev/multicluster-provider/pkg/events/recorder"
	"github.com/kcp-dev/multicluster-provider/pkg/provider"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// awaitEngaged waits until the manager has engaged the workspace, or has disengaged it.
func awaitEngaged(t *testing.T, mgr mcmanager.Manager, workspace harness.Workspace, engaged bool) {
	t.Helper()
	harness.Eventually(t, fmt.Sprintf("%s is engaged: %t", workspace.Path, engaged), func() error {
		_, err := mgr.GetCluster(t.Context(), multicluster.ClusterName(workspace.Cluster))
		if err != nil && !errors.Is(err, multicluster.ErrClusterNotFound) {
			return err
		}
		if (err == nil) != engaged {
			return errors.New("it is not so")
		}
		return nil
	})
}

// The URL of a shard is in the endpoint slice from its first consumer to its last, and comes again with the next.
func TestAnExportIsFollowedToShardsAndFromThem(t *testing.T) {
	t.Parallel()
	target := harness.TheTarget(t)
	shard := target.OnlyOnSeveralShards(t)
	scenario := harness.NewScenario(t, 1)
	first := scenario.Consumers[0]
	other := target.NewWorkspace(t, shard)
	mgr, _ := startManager(t, scenario.ProviderConfig(t), apiExportProvider(t, scenario), &corev1.ConfigMap{}, mark)
	awaitEngaged(t, mgr, first, true)
	scenario.AwaitURLs(t, 1)
	for _, turn := range []string{"once", "again"} {
		scenario.Bind(t, other)
		awaitEngaged(t, mgr, other, true)
		want(t, other, turn, "yes")
		awaitMark(t, other, turn, "yes")

		scenario.Unbind(t, other)
		scenario.AwaitURLs(t, 1)
		awaitEngaged(t, mgr, other, false)
		want(t, first, turn, "still")
		awaitMark(t, first, turn, "still")
	}
}

// attend takes a name from a logical cluster as soon as it is no longer held back.
func attend(held *atomic.Bool, removeName func(*kcpcorev1alpha1.LogicalClusterStatus)) func(context.Context, mcmanager.Manager, mcreconcile.Request) error {
	return func(ctx context.Context, mgr mcmanager.Manager, request mcreconcile.Request) error {
		if held.Load() {
			return nil
		}
		cluster, err := mgr.GetCluster(ctx, request.ClusterName)
		if err != nil {
			return fmt.Errorf("logical cluster %s: %w", request.ClusterName, err)
		}
		var found kcpcorev1alpha1.LogicalCluster
		if err := cluster.GetClient().Get(ctx, request.NamespacedName, &found); err != nil {
			return client.IgnoreNotFound(err)
		}
		before := found.DeepCopy()
		removeName(&found.Status)
		return cluster.GetClient().Status().Patch(ctx, &found, client.MergeFrom(before))
	}
}

// While a shard is away its URLs are not in the type's status, and a workspace there that waits is let alone until it comes back. These two
// tests are no parallel ones: nobody else may need the shard meanwhile.
func TestInitializingWorkspacesAreFollowedToAShardThatComesBack(t *testing.T) {
	target := harness.TheTarget(t)
	shard := target.OnlyOnSeveralShards(t)
	owned := target.NewOwnedType(t, harness.Initializing)
	workspaceType := readType(t, owned)
	initializer := initialization.InitializerForType(workspaceType)
	options := initializingworkspaces.Options{Scheme: scheme(), Log: &quiet}
	following := harness.Got(initializingworkspaces.New(owned.Config, workspaceType.Name, options))(t)
	var held atomic.Bool
	held.Store(true)
	mgr, _ := startManager(t, owned.Config, following, &kcpcorev1alpha1.LogicalCluster{}, attend(&held, func(status *kcpcorev1alpha1.LogicalClusterStatus) {
		status.Initializers = initialization.EnsureInitializerAbsent(initializer, status.Initializers)
	}))
	waiting := target.NewWorkspaceOfType(t, shard, owned.Reference)
	awaitEngaged(t, mgr, waiting, true)

	bringBack := target.TakeAway(t, shard)
	awaitEngaged(t, mgr, waiting, false)
	held.Store(false)
	target.AwaitReady(t, target.NewWorkspaceOfType(t, "root", owned.Reference))
	bringBack()
	target.AwaitReady(t, waiting)
	awaitEngaged(t, mgr, waiting, false)
}

func TestTerminatingWorkspacesAreFollowedToAShardThatComesBack(t *testing.T) {
	target := harness.TheTarget(t)
	shard := target.OnlyOnSeveralShards(t)
	owned := target.NewOwnedType(t, harness.Terminating)
	workspaceType := readType(t, owned)
	terminator := termination.TerminatorForType(workspaceType)
	var held atomic.Bool
	held.Store(true)
	following := terminatingProvider(t, owned.Config, workspaceType.Name)
	mgr, _ := startManager(t, owned.Config, following, &kcpcorev1alpha1.LogicalCluster{}, attend(&held, func(status *kcpcorev1alpha1.LogicalClusterStatus) {
		status.Terminators = slices.DeleteFunc(status.Terminators, func(one kcpcorev1alpha1.LogicalClusterTerminator) bool { return one == terminator })
	}))
	ending := target.NewWorkspaceOfType(t, shard, owned.Reference)
	target.AwaitReady(t, ending)
	ending.Delete(t)
	awaitEngaged(t, mgr, ending, true)

	bringBack := target.TakeAway(t, shard)
	awaitEngaged(t, mgr, ending, false)
	held.Store(false)
	bringBack()
	ending.AwaitGone(t)
	awaitEngaged(t, mgr, ending, false)
}

// terminatingProvider is what multicluster-provider has for the initializing workspaces, for the terminating ones.
func terminatingProvider(t *testing.T, config *rest.Config, workspaceType string) *provider.Provider {
	t.Helper()
	return harness.Got(provider.NewProvider(config, workspaceType, provider.Options{
		Scheme:              scheme(),
		Log:                 &quiet,
		EndpointSliceObject: &tenancyv1alpha1.WorkspaceType{},
		ObjectToWatch:       &kcpcorev1alpha1.LogicalCluster{},
		ExtractURLsFromEndpointSlice: func(object client.Object) ([]string, error) {
			var urls []string
			for _, published := range object.(*tenancyv1alpha1.WorkspaceType).Status.VirtualWorkspaces {
				if strings.Contains(published.URL, "/terminatingworkspaces/") {
					urls = append(urls, published.URL)
				}
			}
			return urls, nil
		},
		NewCluster: func(config *rest.Config, name logicalcluster.Name, wildcard mcpcache.WildcardCache, scheme *runtime.Scheme, _ recorder.EventRecorderGetter) (*mcpcache.ScopedCluster, error) {
			return mcpcache.NewScopedInitializingCluster(config, name, wildcard, scheme)
		},
	}))(t)
}

// readType reads the type as its owner, whose rights in the workspace may take a moment to arrive at kcp.
func readType(t *testing.T, owned harness.OwnedType) *tenancyv1alpha1.WorkspaceType {
	t.Helper()
	var found tenancyv1alpha1.WorkspaceType
	harness.Eventually(t, "reading a type as its owner", func() error {
		reader, err := client.New(owned.Config, client.Options{Scheme: scheme()})
		if err != nil {
			return err
		}
		return reader.Get(t.Context(), client.ObjectKey{Name: string(owned.Reference.Name)}, &found)
	})
	return &found
}
