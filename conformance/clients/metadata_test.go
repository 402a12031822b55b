package clients

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// The metadata client asks for PartialObjectMetadata, in protobuf if it can get it.
func TestMetadataClient(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	consumer := scenario.Consumers[0]
	config := scenario.InCluster(t, consumer)
	harness.Got(harness.Got(kubernetes.NewForConfig(config))(t).CoreV1().ConfigMaps(namespace).
		Create(t.Context(), configMap("metadata", "value"), metav1.CreateOptions{}))(t)
	harness.Got(harness.Got(dynamic.NewForConfig(config))(t).Resource(harness.Widgets).Namespace(namespace).
		Create(t.Context(), harness.Widget("metadata", "red"), metav1.CreateOptions{}))(t)

	for _, resource := range []struct{ name, kind string }{{"configmaps", "ConfigMap"}, {"widgets", "Widget"}} {
		t.Run(resource.name, func(t *testing.T) {
			t.Parallel()
			gvr := corev1.SchemeGroupVersion.WithResource(resource.name)
			if resource.name == "widgets" {
				gvr = harness.Widgets
			}
			objects := harness.Got(metadata.NewForConfig(config))(t).Resource(gvr).Namespace(namespace)
			everywhere := harness.Got(metadata.NewForConfig(scenario.Wildcard(t, consumer.Shard)))(t).Resource(gvr)

			got := harness.Got(objects.Get(t.Context(), "metadata", metav1.GetOptions{}))(t)
			if got.UID == "" || got.Annotations["kcp.io/cluster"] != consumer.Cluster {
				t.Errorf("get answered %v", got)
			}
			byName := metav1.ListOptions{FieldSelector: "metadata.name=metadata"}
			list := harness.Got(everywhere.List(t.Context(), byName))(t)
			if len(list.Items) != 1 || list.Items[0].UID != got.UID || list.ResourceVersion == "" {
				t.Errorf("list answered %v", list)
			}
			byName.ResourceVersion = list.ResourceVersion
			changes := harness.Got(everywhere.Watch(t.Context(), byName))(t)
			defer changes.Stop()
			patch := []byte(`{"metadata":{"labels":{"patched":"yes"}}}`)
			patched := harness.Got(objects.Patch(t.Context(), "metadata", types.MergePatchType, patch, metav1.PatchOptions{}))(t)
			if patched.Labels["patched"] != "yes" {
				t.Errorf("patch answered %v", patched)
			}
			harness.Must(t, objects.Delete(t.Context(), "metadata", metav1.DeleteOptions{}))
			expect(t, changes, watch.Modified, "metadata")
			expect(t, changes, watch.Deleted, "metadata")
			if _, err := objects.Get(t.Context(), "metadata", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("get after the delete: %v", err)
			}
		})
	}
}
