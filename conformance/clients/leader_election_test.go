package clients

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

func TestLeadersAreElectedThroughLeases(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	consumer := scenario.Consumers[0]
	client := harness.Got(kubernetes.NewForConfig(scenario.InCluster(t, consumer)))(t)
	leading := make(chan string, 2)
	campaign := func(name string) (resign func()) {
		ctx, cancel := context.WithCancel(t.Context())
		lock := harness.Got(resourcelock.New(resourcelock.LeasesResourceLock, namespace, "conformance", client.CoreV1(),
			client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: name}))(t)
		elector := harness.Got(leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Lock: lock, ReleaseOnCancel: true,
			LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 200 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { leading <- name },
				OnStoppedLeading: func() {},
			},
		}))(t)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			elector.Run(ctx)
		}()
		return func() {
			cancel()
			<-ended
		}
	}
	resign := campaign("first")
	awaitLeader(t, leading, "first")
	defer campaign("second")()
	select {
	case name := <-leading:
		t.Fatalf("%s leads beside the first", name)
	case <-time.After(time.Second):
	}
	resign()
	awaitLeader(t, leading, "second")
	lease := harness.Got(consumer.KubeClient(t).CoordinationV1().Leases(namespace).Get(t.Context(), "conformance", metav1.GetOptions{}))(t)
	if *lease.Spec.HolderIdentity != "second" {
		t.Errorf("the lease is held by %s", *lease.Spec.HolderIdentity)
	}
}

func awaitLeader(t *testing.T, leading <-chan string, wanted string) {
	t.Helper()
	select {
	case name := <-leading:
		if name != wanted {
			t.Fatalf("%s leads, want %s", name, wanted)
		}
	case <-time.After(harness.Patience):
		t.Fatalf("%s does not lead", wanted)
	}
}
