package clients

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// changes are what an informer has told its handlers, as "add name", "update name", "delete name".
type changes struct {
	mutex sync.Mutex
	told  []string
	// awaited is how many of them a test has seen.
	awaited int
}

func newChanges(t *testing.T, informer cache.SharedIndexInformer) *changes {
	t.Helper()
	found := &changes{}
	tell := func(what string, object any) {
		if last, isUnknown := object.(cache.DeletedFinalStateUnknown); isUnknown {
			object = last.Obj
		}
		found.mutex.Lock()
		defer found.mutex.Unlock()
		found.told = append(found.told, what+" "+object.(metav1.Object).GetName())
	}
	harness.Got(informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { tell("add", object) },
		UpdateFunc: func(_, object any) { tell("update", object) },
		DeleteFunc: func(object any) { tell("delete", object) },
	}))(t)
	return found
}

// await waits for a change that comes after all that have been awaited before.
func (found *changes) await(t *testing.T, change string) {
	t.Helper()
	harness.Eventually(t, change, func() error {
		found.mutex.Lock()
		defer found.mutex.Unlock()
		at := slices.Index(found.told[found.awaited:], change)
		if at < 0 {
			return fmt.Errorf("after %v the informer has told %v", found.told[:found.awaited], found.told[found.awaited:])
		}
		found.awaited += at + 1
		return nil
	})
}
