package clients

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// followed is an informer over all logical clusters of a shard, with what it has told and asked for.
type followed struct {
	name      string
	watchList bool
	changes   *changes
	traffic   *harness.Traffic
	cache.SharedIndexInformer
}

// Informers of a syncer see what is assigned to its target come, change and go, in all logical clusters of a shard, though their
// watches end each second and they list only once.
func TestASyncersInformersFollowWhatIsAssigned(t *testing.T) {
	t.Parallel()
	here := newOnTarget(t)
	there := onTarget{SyncTarget: here.SyncTarget, owner: harness.TheTarget(t).NewSyncedWorkspace(t, here.owner.Shard)}
	there.namespace = there.owner.NewNamespaceOn(t, there.SyncTarget)
	here.create(t, "before-here")
	there.create(t, "before-there")
	// The view has heard of both bindings then.
	here.awaitAssigned(t, "before-here")
	there.awaitAssigned(t, "before-there")

	var informers []followed
	for _, source := range assignedSources {
		for _, watchList := range []bool{true, false} {
			informers = append(informers, followFrom(t, source, here.Syncer(t, here.owner.Shard, "*"), watchList, true))
		}
	}
	await := func(change string) {
		t.Helper()
		awaitInAll(t, informers, change)
	}
	for _, informer := range informers {
		awaitSync(t, informer)
		for _, place := range []struct {
			onTarget
			name string
		}{{here, "before-here"}, {there, "before-there"}} {
			if kept(t, informer, place.onTarget, place.name) == nil {
				t.Errorf("the informer %s has synced without %s", informer.name, place.name)
			}
		}
	}

	here.create(t, "later")
	await("add later")
	here.patchBoth(t, "later", `{"metadata":{"labels":{"changed":"yes"}}}`)
	for _, informer := range informers {
		harness.Eventually(t, "the change in the informer "+informer.name, func() error {
			if object := kept(t, informer, here, "later"); object == nil || object.GetLabels()["changed"] != "yes" {
				return fmt.Errorf("it is %v", object)
			}
			return nil
		})
	}
	state := func(value string) string {
		return fmt.Sprintf(`{"metadata":{"labels":{%q:%q}}}`, here.StateLabel(), value)
	}
	// What is pending is not shown; deployments become assigned again by themselves.
	here.patchBoth(t, "later", state(""))
	await("delete later")
	here.patchBoth(t, "later", state("Sync"))
	await("add later")
	here.deleteBoth(t, "later")
	await("delete later")
	there.owner.TakeOff(t, there.namespace)
	await("delete before-there")

	for _, informer := range informers {
		informer.expectOneList(t)
		if kept(t, informer, here, "before-here") == nil {
			t.Errorf("the informer %s has lost what did not change", informer.name)
		}
	}
}

// followFrom runs an informer until the test ends. shortly: each of its watches ends after a second.
func followFrom(t *testing.T, source source, config *rest.Config, watchList, shortly bool) followed {
	t.Helper()
	var traffic harness.Traffic
	lister := source.connect(t, traffic.Record(config))
	name := source.name + " with WatchList"
	if shortly {
		lister = shortWatches{lister}
	}
	if !watchList {
		name = source.name + " with list and watch"
		lister = withoutWatchList{lister}
	}
	informer := newInformer(lister, source.example)
	found := followed{name, watchList, newChanges(t, informer), &traffic, informer}
	go informer.RunWithContext(t.Context())
	return found
}

// awaitInAll waits until all informers have told of a change.
func awaitInAll(t *testing.T, informers []followed, change string) {
	t.Helper()
	for _, informer := range informers {
		t.Log(informer.name)
		informer.changes.await(t, change)
	}
}

// expectOneList waits until the informer has gone on from its list through several watches.
func (informer followed) expectOneList(t *testing.T) {
	t.Helper()
	harness.Eventually(t, "watches of the informer "+informer.name, func() error {
		if watches := informer.traffic.Count(isResumedWatch); watches < 3 {
			return fmt.Errorf("there were %d", watches)
		}
		return nil
	})
	streams, lists := informer.traffic.Count(isStreamedList), informer.traffic.Count(isList)
	if informer.watchList && (streams != 1 || lists != 0) || !informer.watchList && (streams != 0 || lists != 1) {
		t.Errorf("the informer %s has asked for %d streamed lists and %d lists", informer.name, streams, lists)
	}
}

// kept is the object in the informer's store, or nil.
func kept(t *testing.T, informer cache.SharedIndexInformer, on onTarget, name string) metav1.Object {
	t.Helper()
	return storedIn(t, informer, on.owner, on.namespace, name)
}

func TestAnUpsyncersInformersFollowWhatItMakes(t *testing.T) {
	t.Parallel()
	on := newOnTarget(t)
	on.awaitUpsyncer(t)
	pods := on.upsyncerClient(t, on.owner.Cluster).CoreV1().Pods(on.namespace)
	harness.Got(pods.Create(t.Context(), on.upsynced("before"), metav1.CreateOptions{}))(t)
	var informers []followed
	for _, watchList := range []bool{true, false} {
		informers = append(informers, followFrom(t, upsyncedPods, on.Upsyncer(t, on.owner.Shard, "*"), watchList, true))
	}
	await := func(change string) {
		t.Helper()
		awaitInAll(t, informers, change)
	}
	await("add before")
	harness.Got(pods.Create(t.Context(), on.upsynced("later"), metav1.CreateOptions{}))(t)
	await("add later")
	change(t, pods.Get, pods.UpdateStatus, "later", func(pod *corev1.Pod) { pod.Status.Phase = corev1.PodRunning })
	await("update later")
	harness.Must(t, pods.Delete(t.Context(), "later", metav1.DeleteOptions{}))
	await("delete later")
	for _, informer := range informers {
		informer.expectOneList(t)
	}
}
