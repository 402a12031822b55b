package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	tenancyv1alpha1 "github.com/kcp-dev/sdk/apis/tenancy/v1alpha1"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// A cache of controller-runtime on the view `workspaces` has what its user may enter: with what the view says of its APIs, and no more.
func TestACacheHasTheWorkspacesThatItsUserMayEnter(t *testing.T) {
	t.Parallel()
	target := harness.TheTarget(t)
	visitor := target.NewVisitor(t)
	parent := target.NewWorkspace(t, target.Shards[len(target.Shards)-1])
	visitor.LetInto(t, parent.Cluster)
	children := parent.NewChildren(t, target.Shards...)
	for _, place := range []string{parent.Path, harness.Everywhere} {
		awaitDiscovery(t, visitor, place)
		kept := startCache(t, visitor.At(t, place), &tenancyv1alpha1.Workspace{})
		var takeAway []func()
		for _, child := range children {
			takeAway = append(takeAway, visitor.LetInto(t, child.Spec.Cluster))
		}
		for i, child := range children {
			awaitKept(t, kept, child.Name, true)
			takeAway[i]()
			awaitKept(t, kept, child.Name, false)
		}
	}
}

// awaitDiscovery waits until the view has heard that the visitor may enter the parent.
func awaitDiscovery(t *testing.T, visitor harness.Visitor, place string) {
	t.Helper()
	harness.Eventually(t, "discovery at "+place, func() error {
		_, err := cache.New(visitor.At(t, place), cache.Options{Scheme: scheme()})
		if err != nil {
			return err
		}
		return nil
	})
}

// startCache runs a cache, with an informer of these objects, until the test ends.
func startCache(t *testing.T, config *rest.Config, of client.Object) cache.Cache {
	t.Helper()
	started := harness.Got(cache.New(config, cache.Options{Scheme: scheme()}))(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- started.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the cache ended: %v", err)
		}
	})
	harness.Eventually(t, "an informer at "+config.Host, func() error {
		_, err := started.GetInformer(t.Context(), of)
		return err
	})
	return started
}

// awaitKept waits until the cache has a workspace of that name, or has it no more.
func awaitKept(t *testing.T, kept cache.Cache, name string, wanted bool) {
	t.Helper()
	harness.Eventually(t, fmt.Sprintf("%s in the cache: %t", name, wanted), func() error {
		var list tenancyv1alpha1.WorkspaceList
		if err := kept.List(t.Context(), &list); err != nil {
			return err
		}
		has := slices.ContainsFunc(list.Items, func(found tenancyv1alpha1.Workspace) bool { return found.Name == name })
		if has != wanted {
			return fmt.Errorf("it has %d", len(list.Items))
		}
		return nil
	})
}
