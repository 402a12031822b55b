package clients

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// A controller is started before anybody has bound its export on a shard: the shard does not serve the resource yet. An informer that is
// refused, or waits for the end of a list that never comes, never sees an object (kcp-dev/kcp#4384).
func TestAnInformerStartedBeforeTheFirstBindingSynchronizes(t *testing.T) {
	t.Parallel()
	target := harness.TheTarget(t)
	target.OnlyOnOurs(t, "they answer 404, or never end a streamed list, until the resource is bound on the shard")
	scenario := harness.NewScenario(t, 0)
	shard := target.Shards[len(target.Shards)-1]
	url := scenario.UnpublishedURL(t, shard) + "/clusters/*"
	streamed := startInformer(t, dynamicSource(t, scenario.At(t, url)), &unstructured.Unstructured{})
	listed := startInformer(t, withoutWatchList{dynamicSource(t, scenario.At(t, url))}, &unstructured.Unstructured{})
	awaitSync(t, streamed)
	awaitSync(t, listed)

	consumer := target.NewWorkspace(t, shard)
	scenario.Bind(t, consumer)
	harness.Got(widgetsIn(t, scenario, consumer).Create(t.Context(), harness.Widget("first", "red"), metav1.CreateOptions{}))(t)
	awaitStored(t, streamed, consumer, "first", exists)
	awaitStored(t, listed, consumer, "first", exists)
}
