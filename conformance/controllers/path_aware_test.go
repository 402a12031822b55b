package controllers

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"sigs.k8s.io/multicluster-runtime/pkg/multicluster"

	apisv1alpha2 "github.com/kcp-dev/sdk/apis/apis/v1alpha2"

	"github.com/kcp-dev/multicluster-provider/apiexport"
	pathaware "github.com/kcp-dev/multicluster-provider/path-aware"
	"github.com/kcp-dev/multicluster-provider/pkg/provider"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// The provider finds a logical cluster by its path, too, which it reads from the bindings in their current version.
func TestLogicalClustersAreFoundByPath(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, len(harness.TheTarget(t).Shards))
	isReady := provider.ConditionReadyFunc("Ready")
	byPath := harness.Got(pathaware.New(scenario.ProviderConfig(t), scenario.EndpointSlice(), apiexport.Options{
		Scheme: scheme(), Log: &quiet, ObjectToWatch: &apisv1alpha2.APIBinding{}, AddFilter: isReady, UpdateFilter: isReady,
	}))(t)
	mgr, _ := startManager(t, scenario.ProviderConfig(t), byPath, &corev1.ConfigMap{}, mark)
	for _, consumer := range scenario.Consumers {
		harness.Eventually(t, consumer.Path+" is found", func() error {
			_, err := mgr.GetCluster(t.Context(), multicluster.ClusterName(consumer.Path))
			return err
		})
		want(t, consumer, "by-path", "yes")
		awaitMark(t, consumer, "by-path", "yes")
	}
}
