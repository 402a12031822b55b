package clients

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// expect takes the next event, which must be of the type, about the object of that name, and returns the object's resourceVersion.
// Bookmarks may come between.
func expect(t *testing.T, changes watch.Interface, wanted watch.EventType, name string) string {
	t.Helper()
	event := next(t, changes)
	for event.Type == watch.Bookmark && wanted != watch.Bookmark {
		event = next(t, changes)
	}
	if event.Type != wanted {
		t.Fatalf("an event %s of %v, want %s of %s", event.Type, event.Object, wanted, name)
	}
	object := harness.Got(meta.Accessor(event.Object))(t)
	if object.GetName() != name {
		t.Fatalf("an event %s of %s, want %s", event.Type, object.GetName(), name)
	}
	return object.GetResourceVersion()
}

func next(t *testing.T, changes watch.Interface) watch.Event {
	t.Helper()
	select {
	case event, open := <-changes.ResultChan():
		if !open {
			t.Fatal("the watch ended")
		}
		return event
	case <-time.After(harness.Patience):
		t.Fatal("no event came")
	}
	return watch.Event{}
}
