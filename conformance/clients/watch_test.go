package clients

import (
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	toolswatch "k8s.io/client-go/tools/watch"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

func TestAWatchIsResumedWhereItEnded(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	consumer := scenario.Consumers[0]
	writer := consumer.KubeClient(t).CoreV1().ConfigMaps(namespace)
	client := harness.Got(kubernetes.NewForConfig(scenario.Wildcard(t, consumer.Shard)))(t).CoreV1().ConfigMaps("")
	create := func(name string) {
		harness.Got(writer.Create(t.Context(), configMap(name, "value"), metav1.CreateOptions{}))(t)
	}

	start := harness.Got(client.List(t.Context(), metav1.ListOptions{}))(t).ResourceVersion
	first := harness.Got(client.Watch(t.Context(), metav1.ListOptions{ResourceVersion: start}))(t)
	create("before")
	last := expect(t, first, watch.Added, "before")
	first.Stop()

	create("between")
	harness.Must(t, writer.Delete(t.Context(), "before", metav1.DeleteOptions{}))
	second := harness.Got(client.Watch(t.Context(), metav1.ListOptions{ResourceVersion: last}))(t)
	defer second.Stop()
	create("after")
	expect(t, second, watch.Added, "between")
	expect(t, second, watch.Deleted, "before")
	expect(t, second, watch.Added, "after")
}

func TestARetryWatcherSurvivesTheEndOfItsWatches(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	consumer := scenario.Consumers[0]
	widgets := harness.Got(dynamic.NewForConfig(scenario.InCluster(t, consumer)))(t).Resource(harness.Widgets).Namespace(namespace)
	client := harness.Got(dynamic.NewForConfig(scenario.Wildcard(t, consumer.Shard)))(t).Resource(harness.Widgets)
	start := harness.Got(client.List(t.Context(), metav1.ListOptions{}))(t).GetResourceVersion()
	watches := 0
	// The server ends each watch after a second, as it does after half an hour or an hour otherwise.
	second := int64(1)
	retrying := harness.Got(toolswatch.NewRetryWatcherWithContext(t.Context(), start, &cache.ListWatch{
		WatchFunc: func(options metav1.ListOptions) (watch.Interface, error) {
			watches++
			options.TimeoutSeconds = &second
			return client.Watch(t.Context(), options)
		},
	}))(t)
	defer retrying.Stop()
	for i := range 3 {
		name := fmt.Sprintf("widget-%d", i)
		harness.Got(widgets.Create(t.Context(), harness.Widget(name, "red"), metav1.CreateOptions{}))(t)
		expect(t, retrying, watch.Added, name)
		before := watches
		harness.Eventually(t, "a new watch", func() error {
			if watches == before {
				return fmt.Errorf("there were %d", watches)
			}
			return nil
		})
	}
}

// It runs before those in parallel: a dev shard is made to forget all versions until now.
func TestAWatchFromAForgottenVersionIsGone(t *testing.T) {
	scenario := harness.NewScenario(t, 1)
	shard := scenario.Consumers[0].Shard
	forgotten := scenario.Target.ForgottenVersion(t, shard)
	// A shard remembers built-in resources from its own start, others from their first binding only.
	widgets := harness.Got(dynamic.NewForConfig(scenario.Wildcard(t, shard)))(t).Resource(harness.Widgets)
	changes, err := widgets.Watch(t.Context(), metav1.ListOptions{ResourceVersion: forgotten})
	// Kubernetes says it in the first event, and may say it in the answer.
	if err == nil {
		defer changes.Stop()
		event := next(t, changes)
		if event.Type != watch.Error {
			t.Fatalf("an event %s of %v", event.Type, event.Object)
		}
		err = apierrors.FromObject(event.Object)
	}
	if !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
		t.Errorf("a watch from version %s: %v", forgotten, err)
	}
}

func TestAWatchSendsBookmarks(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	client := harness.Got(dynamic.NewForConfig(scenario.Wildcard(t, scenario.Consumers[0].Shard)))(t).Resource(harness.Widgets)
	sendInitialEvents := true
	changes := harness.Got(client.Watch(t.Context(), metav1.ListOptions{
		SendInitialEvents: &sendInitialEvents, AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	}))(t)
	defer changes.Stop()
	event := next(t, changes)
	for event.Type == watch.Added {
		event = next(t, changes)
	}
	if event.Type != watch.Bookmark {
		t.Fatalf("an event %s of %v", event.Type, event.Object)
	}
	bookmark, isObject := event.Object.(metav1.Object)
	if !isObject || bookmark.GetAnnotations()[metav1.InitialEventsAnnotationKey] != "true" || bookmark.GetResourceVersion() == "" {
		t.Errorf("the first bookmark is %v", event.Object)
	}
}
