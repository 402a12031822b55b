package clients

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"

	kcpclientset "github.com/kcp-dev/sdk/client/clientset/versioned"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// Controllers run as service accounts of the provider's workspace, whose tokens the shards of the consumers have to know, too.
func TestAServiceAccountOfTheProviderReachesAllShards(t *testing.T) {
	t.Parallel()
	target := harness.TheTarget(t)
	scenario := harness.NewScenario(t, len(target.Shards))
	scenario.UseServiceAccount(t)
	slices := harness.Got(kcpclientset.NewForConfig(scenario.ProviderConfig(t)))(t).ApisV1alpha1().APIExportEndpointSlices()
	slice := harness.Got(slices.Get(t.Context(), scenario.EndpointSlice(), metav1.GetOptions{}))(t)
	if len(slice.Status.APIExportEndpoints) != len(target.Shards) {
		t.Errorf("the endpoint slice has %v", slice.Status.APIExportEndpoints)
	}
	for _, consumer := range scenario.Consumers {
		harness.Got(widgetsIn(t, scenario, consumer).Create(t.Context(), harness.Widget("made", "red"), metav1.CreateOptions{}))(t)
		everywhere := harness.Got(dynamic.NewForConfig(scenario.Wildcard(t, consumer.Shard)))(t).Resource(harness.Widgets)
		list := harness.Got(everywhere.List(t.Context(), metav1.ListOptions{}))(t)
		if len(list.Items) != 1 {
			t.Errorf("the list of %s has %d widgets, want 1", consumer.Shard, len(list.Items))
		}
	}
}
