package clients

import (
	"fmt"
	"testing"

	"k8s.io/client-go/tools/cache"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// An informer whose watch is cut, and cannot be resumed where it ended, lists again and misses nothing. It runs before the tests in
// parallel, whose watches would be cut, too. These are client-go's own informers: those of kcp-dev/apimachinery v2.32.0 do not remove
// what a list does not show any more, since the key function of their store knows no tombstones.
func TestInformersRecoverFromAGoneVersion(t *testing.T) {
	target := harness.TheTarget(t)
	if target.RealKCP {
		t.Skip("needs a dev shard: a kcp cannot be told to forget versions")
	}
	scenario := harness.NewScenario(t, 1)
	consumer := scenario.Consumers[0]
	config := scenario.Wildcard(t, consumer.Shard)
	informers := map[string]cache.SharedIndexInformer{}
	for _, source := range sources {
		informers[source.name+" with WatchList"] = cache.NewSharedIndexInformer(source.connect(t, config), source.example, 0, cache.Indexers{})
		listed := withoutWatchList{source.connect(t, config)}
		informers[source.name+" with list and watch"] = cache.NewSharedIndexInformer(listed, source.example, 0, cache.Indexers{})
	}
	for _, informer := range informers {
		go informer.RunWithContext(t.Context())
	}
	await := func(name string, expected bool) {
		t.Helper()
		for kind, informer := range informers {
			harness.Eventually(t, fmt.Sprintf("the informer %s has %s: %t", kind, name, expected), func() error {
				_, exists, err := informer.GetStore().GetByKey(namespace + "/" + name)
				if err == nil && exists != expected {
					err = fmt.Errorf("it has %v", informer.GetStore().ListKeys())
				}
				return err
			})
		}
	}
	createBoth(t, scenario, consumer, "before")
	await("before", true)
	target.Fault(t, consumer.Shard, "disconnect")
	deleteBoth(t, scenario, consumer, "before")
	createBoth(t, scenario, consumer, "meanwhile")
	target.Fault(t, consumer.Shard, "compact")
	await("meanwhile", true)
	await("before", false)
	createBoth(t, scenario, consumer, "after")
	await("after", true)
}
