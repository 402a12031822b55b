package clients

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

func field(t *testing.T, object *unstructured.Unstructured, path ...string) string {
	t.Helper()
	value, _, err := unstructured.NestedString(object.Object, path...)
	harness.Must(t, err)
	return value
}

func TestDynamicClientUsesTheExportedResource(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	consumer := scenario.Consumers[0]
	client := harness.Got(dynamic.NewForConfig(scenario.InCluster(t, consumer)))(t)
	widgets := client.Resource(harness.Widgets).Namespace(namespace)

	created := harness.Got(widgets.Create(t.Context(), harness.Widget("dynamic", "red"), metav1.CreateOptions{}))(t)
	if created.GetAnnotations()["kcp.io/cluster"] != consumer.Cluster {
		t.Errorf("create answered %v", created.Object)
	}
	harness.Must(t, unstructured.SetNestedField(created.Object, "blue", "spec", "color"))
	harness.Must(t, unstructured.SetNestedField(created.Object, "ignored", "status", "observed"))
	updated := harness.Got(widgets.Update(t.Context(), created, metav1.UpdateOptions{}))(t)
	if field(t, updated, "spec", "color") != "blue" || field(t, updated, "status", "observed") != "" {
		t.Errorf("update answered %v", updated.Object)
	}
	harness.Must(t, unstructured.SetNestedField(updated.Object, "ignored", "spec", "color"))
	harness.Must(t, unstructured.SetNestedField(updated.Object, "blue", "status", "observed"))
	withStatus := harness.Got(widgets.UpdateStatus(t.Context(), updated, metav1.UpdateOptions{}))(t)
	if field(t, withStatus, "spec", "color") != "blue" || field(t, withStatus, "status", "observed") != "blue" {
		t.Errorf("update of the status answered %v", withStatus.Object)
	}
	got := harness.Got(widgets.Get(t.Context(), "dynamic", metav1.GetOptions{}))(t)
	if got.GetResourceVersion() != withStatus.GetResourceVersion() {
		t.Errorf("get answered version %s, want %s", got.GetResourceVersion(), withStatus.GetResourceVersion())
	}
	harness.Must(t, widgets.Delete(t.Context(), "dynamic", metav1.DeleteOptions{}))
	if _, err := widgets.Get(t.Context(), "dynamic", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("get after the delete: %v", err)
	}
}

func TestDynamicClientStoresNothingWithDryRun(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	client := harness.Got(dynamic.NewForConfig(scenario.InCluster(t, scenario.Consumers[0])))(t)
	widgets := client.Resource(harness.Widgets).Namespace(namespace)
	dryRun := []string{metav1.DryRunAll}
	harness.Got(widgets.Create(t.Context(), harness.Widget("dry", "red"), metav1.CreateOptions{DryRun: dryRun}))(t)
	if _, err := widgets.Get(t.Context(), "dry", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("get after a dry run of the create: %v", err)
	}
}

func TestDynamicClientIsToldWhyItIsRefused(t *testing.T) {
	t.Parallel()
	target := harness.TheTarget(t)
	scenario := harness.NewScenario(t, len(target.Shards))
	consumer := scenario.Consumers[0]
	unbound := target.NewWorkspace(t, consumer.Shard)

	stranger := harness.Got(dynamic.NewForConfig(harness.As(scenario.InCluster(t, consumer), scenario.Stranger)))(t)
	_, err := stranger.Resource(harness.Widgets).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("a user without a right to the content: %v", err)
	}
	unknown := harness.As(scenario.InCluster(t, consumer), harness.User{Token: "unknown"})
	_, err = harness.Got(dynamic.NewForConfig(unknown))(t).Resource(harness.Widgets).List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsUnauthorized(err) {
		t.Errorf("a token of nobody: %v", err)
	}
	elsewhere := harness.Got(dynamic.NewForConfig(scenario.InCluster(t, unbound)))(t)
	_, err = elsewhere.Resource(harness.Widgets).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("a logical cluster without a binding: %v", err)
	}
	unclaimed := harness.Widgets.GroupVersion().WithResource("gadgets")
	client := harness.Got(dynamic.NewForConfig(scenario.InCluster(t, consumer)))(t)
	_, err = client.Resource(unclaimed).List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
		t.Errorf("a resource that is neither exported nor claimed: %v", err)
	}
	if len(target.Shards) > 1 {
		misplaced := scenario.Consumers[1]
		misplaced.Shard = consumer.Shard
		client := harness.Got(dynamic.NewForConfig(scenario.InCluster(t, misplaced)))(t)
		_, err = client.Resource(harness.Widgets).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
		if !apierrors.IsForbidden(err) {
			t.Errorf("a logical cluster of another shard: %v", err)
		}
	}
}
