package clients

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// Every kind of client, with a streamed list and with a list and a watch, sees what is there and what changes in two logical clusters.
func TestInformersFollowAllLogicalClustersOfAShard(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1+len(harness.TheTarget(t).Shards))
	shard := scenario.Consumers[0].Shard
	consumers := []harness.Workspace{scenario.Consumers[0], scenario.Consumers[len(scenario.Consumers)-1]}
	for _, consumer := range consumers {
		createBoth(t, scenario, consumer, "before")
	}
	for _, source := range sources {
		for _, watchList := range []bool{true, false} {
			name := source.name + " with list and watch"
			if watchList {
				name = source.name + " with WatchList"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var traffic harness.Traffic
				lister := source.connect(t, traffic.Record(scenario.Wildcard(t, shard)))
				if !watchList {
					lister = withoutWatchList{lister}
				}
				informer := startInformer(t, lister, source.example)
				awaitSync(t, informer)
				for _, consumer := range consumers {
					follow(t, informer, scenario, consumer, harness.UniqueName("follow"))
				}
				if streamed := traffic.Count(isStreamedList) > 0; streamed != watchList {
					t.Errorf("the informer asked for a streamed list: %t", streamed)
				}
				if listed := traffic.Count(isList) > 0; listed == watchList {
					t.Errorf("the informer asked for a list: %t", listed)
				}
			})
		}
	}
}

func isStreamedList(request harness.Request) bool {
	return request.Query.Get("sendInitialEvents") == "true"
}

func isList(request harness.Request) bool { return !request.Query.Has("watch") }

// createBoth makes a ConfigMap and a widget of that name.
func createBoth(t *testing.T, scenario *harness.Scenario, consumer harness.Workspace, name string) {
	t.Helper()
	harness.Got(consumer.KubeClient(t).CoreV1().ConfigMaps(namespace).
		Create(t.Context(), configMap(name, "value"), metav1.CreateOptions{}))(t)
	harness.Got(widgetsIn(t, scenario, consumer).Create(t.Context(), harness.Widget(name, "red"), metav1.CreateOptions{}))(t)
}

func deleteBoth(t *testing.T, scenario *harness.Scenario, consumer harness.Workspace, name string) {
	t.Helper()
	harness.Must(t, consumer.KubeClient(t).CoreV1().ConfigMaps(namespace).Delete(t.Context(), name, metav1.DeleteOptions{}))
	harness.Must(t, widgetsIn(t, scenario, consumer).Delete(t.Context(), name, metav1.DeleteOptions{}))
}

func widgetsIn(t *testing.T, scenario *harness.Scenario, consumer harness.Workspace) dynamic.ResourceInterface {
	t.Helper()
	return harness.Got(dynamic.NewForConfig(scenario.InCluster(t, consumer)))(t).Resource(harness.Widgets).Namespace(namespace)
}

// follow checks that the informer has what was there, and sees an object come, change and go.
func follow(t *testing.T, informer cache.SharedIndexInformer, scenario *harness.Scenario, consumer harness.Workspace, name string) {
	t.Helper()
	if stored(t, informer, consumer, "before") == nil {
		t.Errorf("the informer has synced without what was there before, in %s", consumer.Path)
	}
	createBoth(t, scenario, consumer, name)
	awaitStored(t, informer, consumer, name, exists)
	patch := []byte(`{"metadata":{"labels":{"changed":"yes"}}}`)
	configMaps := consumer.KubeClient(t).CoreV1().ConfigMaps(namespace)
	harness.Got(configMaps.Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}))(t)
	widgets := widgetsIn(t, scenario, consumer)
	harness.Got(widgets.Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}))(t)
	awaitStored(t, informer, consumer, name, func(object metav1.Object) bool { return exists(object) && object.GetLabels()["changed"] == "yes" })
	deleteBoth(t, scenario, consumer, name)
	awaitStored(t, informer, consumer, name, isGone)
}
