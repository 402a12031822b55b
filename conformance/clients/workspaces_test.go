package clients

import (
	"context"
	"fmt"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	tenancyv1alpha1 "github.com/kcp-dev/sdk/apis/tenancy/v1alpha1"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// An informer on the view `workspaces` follows what its user may enter, though its watches end each second and it lists only once.
func TestAnInformerFollowsTheWorkspacesThatItsUserMayEnter(t *testing.T) {
	t.Parallel()
	visitor := harness.TheTarget(t).NewVisitor(t)
	for _, everywhere := range []bool{false, true} {
		for _, watchList := range []bool{true, false} {
			name := "of one parent"
			if everywhere {
				name = "of all"
			}
			if watchList {
				name += " with WatchList"
			} else {
				name += " with list and watch"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				followVisits(t, visitor, everywhere, watchList)
			})
		}
	}
}

func followVisits(t *testing.T, visitor harness.Visitor, everywhere, watchList bool) {
	target := harness.TheTarget(t)
	parent := target.NewWorkspace(t, target.Shards[0])
	visitor.LetInto(t, parent.Cluster)
	children := parent.NewChildren(t, target.Shards[0], target.Shards[len(target.Shards)-1])
	before, later := children[0], children[1]
	takeBefore := visitor.LetInto(t, before.Spec.Cluster)

	place := parent.Path
	if everywhere {
		place = harness.Everywhere
	}
	var traffic harness.Traffic
	config := traffic.Record(visitor.At(t, place))
	awaitListed(t, config, before.Name)
	listed := traffic.Count(isList)
	lister := workspacesSource(t, config)
	if !watchList {
		lister = withoutWatchList{lister}
	}
	informer := cache.NewSharedIndexInformer(lister, &unstructured.Unstructured{}, 0, cache.Indexers{})
	changes := newChanges(t, informer)
	go informer.RunWithContext(t.Context())
	awaitSync(t, informer)
	changes.await(t, "add "+before.Name)

	takeLater := visitor.LetInto(t, later.Spec.Cluster)
	changes.await(t, "add "+later.Name)
	relabel(t, target, parent, later.Name)
	changes.await(t, "update "+later.Name)
	takeLater()
	changes.await(t, "delete "+later.Name)
	takeBefore()
	changes.await(t, "delete "+before.Name)
	visitor.LetInto(t, before.Spec.Cluster)
	changes.await(t, "add "+before.Name)

	watches := traffic.Count(isResumedWatch)
	harness.Eventually(t, "two more watches", func() error {
		if now := traffic.Count(isResumedWatch); now < watches+2 {
			return fmt.Errorf("there were %d", now-watches)
		}
		return nil
	})
	streams, lists := traffic.Count(isStreamedList), traffic.Count(isList)-listed
	if watchList && (streams != 1 || lists != 0) || !watchList && (streams != 0 || lists != 1) {
		t.Errorf("the informer has asked for %d streamed lists and %d lists", streams, lists)
	}
	awaitAgreement(t, config, informer)
}

// workspacesSource lists workspaces once and watches them, a second at a time.
func workspacesSource(t *testing.T, config *rest.Config) cache.ListerWatcher {
	t.Helper()
	client := harness.Got(dynamic.NewForConfig(config))(t)
	second := int64(1)
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return client.Resource(workspaces).List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.TimeoutSeconds = &second
			return client.Resource(workspaces).Watch(ctx, options)
		},
	}, client)
}

var workspaces = tenancyv1alpha1.SchemeGroupVersion.WithResource("workspaces")

func isResumedWatch(request harness.Request) bool {
	return request.Query.Has("watch") && request.Query.Get("resourceVersion") != "" && !isStreamedList(request)
}

// relabel changes a label of a workspace, as the administrator and not through the view.
func relabel(t *testing.T, target *harness.Target, parent harness.Workspace, name string) {
	t.Helper()
	patch := []byte(`{"metadata":{"labels":{"changed":"yes"}}}`)
	client := target.KCPClient(t, parent.Path).TenancyV1alpha1().Workspaces()
	harness.Got(client.Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}))(t)
}

// awaitListed waits until the list has a workspace of that name: the view has heard of the grant.
func awaitListed(t *testing.T, config *rest.Config, name string) {
	t.Helper()
	harness.Eventually(t, name+" in the list", func() error {
		names, err := listedNames(t, config)
		if err == nil && !slices.Contains(names, name) {
			err = fmt.Errorf("it has %v", names)
		}
		return err
	})
}

func listedNames(t *testing.T, config *rest.Config) ([]string, error) {
	t.Helper()
	list, err := harness.Got(dynamic.NewForConfig(config))(t).Resource(workspaces).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, item := range list.Items {
		names = append(names, item.GetName()+" "+item.GetResourceVersion(), item.GetName())
	}
	slices.Sort(names)
	return names, nil
}

// awaitAgreement waits until the informer has what a list has, in the same versions.
func awaitAgreement(t *testing.T, config *rest.Config, informer cache.SharedIndexInformer) {
	t.Helper()
	harness.Eventually(t, "agreement of informer and list", func() error {
		listed, err := listedNames(t, config)
		kept := []string{}
		for _, item := range informer.GetStore().List() {
			object := item.(metav1.Object)
			kept = append(kept, object.GetName()+" "+object.GetResourceVersion(), object.GetName())
		}
		slices.Sort(kept)
		if err == nil && !slices.Equal(kept, listed) {
			err = fmt.Errorf("the informer has %v, the list %v", kept, listed)
		}
		return err
	})
}
