package controllers

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kcp-dev/multicluster-provider/apiexport"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

func apiExportProvider(t *testing.T, scenario *harness.Scenario) *apiexport.Provider {
	t.Helper()
	options := apiexport.Options{Scheme: scheme(), Log: &quiet}
	return harness.Got(apiexport.New(scenario.ProviderConfig(t), scenario.EndpointSlice(), options))(t)
}

// The example that every author of a controller begins with: reconcile ConfigMaps of all consumers, wherever they live.
func TestAManagerReconcilesThreeLogicalClusters(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 3)
	for _, consumer := range scenario.Consumers[:2] {
		want(t, consumer, "same-name", consumer.Cluster)
	}
	startManager(t, scenario.ProviderConfig(t), apiExportProvider(t, scenario), &corev1.ConfigMap{}, mark)
	want(t, scenario.Consumers[2], "same-name", scenario.Consumers[2].Cluster)
	for _, consumer := range scenario.Consumers {
		awaitMark(t, consumer, "same-name", consumer.Cluster)
		awaitEvent(t, consumer, "Marked")
	}
	want(t, scenario.Consumers[0], "same-name", "changed")
	awaitMark(t, scenario.Consumers[0], "same-name", "changed")
}

func awaitEvent(t *testing.T, consumer harness.Workspace, reason string) {
	t.Helper()
	harness.Eventually(t, "event "+reason+" in "+consumer.Path, func() error {
		list, err := consumer.KubeClient(t).EventsV1().Events(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, event := range list.Items {
			if event.Reason == reason {
				return nil
			}
		}
		return fmt.Errorf("it is not among %d events", len(list.Items))
	})
}

func TestLogicalClustersAreEngagedWhenTheyBindAndDisengagedWhenTheyUnbind(t *testing.T) {
	t.Parallel()
	target := harness.TheTarget(t)
	scenario := harness.NewScenario(t, 1)
	mgr, _ := startManager(t, scenario.ProviderConfig(t), apiExportProvider(t, scenario), &corev1.ConfigMap{}, mark)
	awaitEngaged(t, mgr, scenario.Consumers[0], true)

	// The first binding on the last shard brings a new URL into the endpoint slice.
	later := target.NewWorkspace(t, target.Shards[len(target.Shards)-1])
	awaitEngaged(t, mgr, later, false)
	scenario.Bind(t, later)
	awaitEngaged(t, mgr, later, true)
	want(t, later, "engaged", "yes")
	awaitMark(t, later, "engaged", "yes")

	scenario.Unbind(t, scenario.Consumers[0])
	awaitEngaged(t, mgr, scenario.Consumers[0], false)
	want(t, later, "engaged", "still")
	awaitMark(t, later, "engaged", "still")
}

func TestARestartedManagerCatchesUp(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, len(harness.TheTarget(t).Shards))
	config := scenario.ProviderConfig(t)
	_, stop := startManager(t, config, apiExportProvider(t, scenario), &corev1.ConfigMap{}, mark)
	for _, consumer := range scenario.Consumers {
		want(t, consumer, "changed", "before")
		awaitMark(t, consumer, "changed", "before")
	}
	stop()
	for _, consumer := range scenario.Consumers {
		want(t, consumer, "changed", "meanwhile")
		want(t, consumer, "new", "meanwhile")
	}
	startManager(t, config, apiExportProvider(t, scenario), &corev1.ConfigMap{}, mark)
	for _, consumer := range scenario.Consumers {
		awaitMark(t, consumer, "changed", "meanwhile")
		awaitMark(t, consumer, "new", "meanwhile")
	}
}
