package harness

import (
	"context"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	corev1alpha1 "github.com/kcp-dev/sdk/apis/core/v1alpha1"
)

// OnlyOnSeveralShards skips the test where there is one shard only, and returns another than root.
func (target *Target) OnlyOnSeveralShards(t *testing.T) string {
	t.Helper()
	for _, shard := range target.Shards {
		if shard != "root" {
			return shard
		}
	}
	t.Skip("needs a second shard")
	return ""
}

// TakeAway deletes a Shard object while the shard runs on: its URLs go from the statuses of workspace types, and the front proxy knows its
// workspaces no more. No other test may run meanwhile. The returned function brings it back, as the end of the test does.
func (target *Target) TakeAway(t *testing.T, shard string) (bringBack func()) {
	t.Helper()
	shards := target.KCPClient(t, "root").CoreV1alpha1().Shards()
	known := Got(shards.Get(t.Context(), shard, metav1.GetOptions{}))(t)
	again := &corev1alpha1.Shard{
		ObjectMeta: metav1.ObjectMeta{Name: known.Name, Labels: known.Labels, Annotations: known.Annotations},
		Spec:       known.Spec,
	}
	delete(again.Annotations, "kcp.io/cluster")
	bringBack = sync.OnceFunc(func() {
		// The test's own context ends before its cleanup begins.
		_, err := shards.Create(context.Background(), again, metav1.CreateOptions{})
		if err := ignoring(err, apierrors.IsAlreadyExists); err != nil {
			t.Errorf("shard %s does not come back: %v", shard, err)
		}
	})
	t.Cleanup(bringBack)
	Must(t, shards.Delete(t.Context(), shard, metav1.DeleteOptions{}))
	return bringBack
}
