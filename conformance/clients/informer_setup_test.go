package clients

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	kcpcache "github.com/kcp-dev/apimachinery/v2/pkg/cache"
	kcpinformers "github.com/kcp-dev/apimachinery/v2/third_party/informers"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// source is a client that informers can be made of.
type source struct {
	name    string
	example runtime.Object
	connect func(*testing.T, *rest.Config) cache.ListerWatcher
}

var sources = []source{
	{"typed", &corev1.ConfigMap{}, func(t *testing.T, config *rest.Config) cache.ListerWatcher {
		client := harness.Got(kubernetes.NewForConfig(config))(t)
		return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
				return client.CoreV1().ConfigMaps("").List(ctx, options)
			},
			WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
				return client.CoreV1().ConfigMaps("").Watch(ctx, options)
			},
		}, client)
	}},
	{"dynamic", &unstructured.Unstructured{}, func(t *testing.T, config *rest.Config) cache.ListerWatcher {
		return dynamicSource(t, config)
	}},
	{"metadata", &metav1.PartialObjectMetadata{}, func(t *testing.T, config *rest.Config) cache.ListerWatcher {
		client := harness.Got(metadata.NewForConfig(config))(t)
		configMaps := client.Resource(corev1.SchemeGroupVersion.WithResource("configmaps"))
		return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
				return configMaps.List(ctx, options)
			},
			WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
				return configMaps.Watch(ctx, options)
			},
		}, client)
	}},
}

// dynamicSource watches widgets.
func dynamicSource(t *testing.T, config *rest.Config) cache.ListerWatcher {
	t.Helper()
	client := harness.Got(dynamic.NewForConfig(config))(t)
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return client.Resource(harness.Widgets).List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return client.Resource(harness.Widgets).Watch(ctx, options)
		},
	}, client)
}

// withoutWatchList makes a reflector list and then watch. The feature gate would do so for the whole process.
type withoutWatchList struct{ cache.ListerWatcher }

func (withoutWatchList) IsWatchListSemanticsUnSupported() bool { return true }

// newInformer makes an informer over many logical clusters.
func newInformer(lister cache.ListerWatcher, example runtime.Object) cache.SharedIndexInformer {
	return kcpinformers.NewSharedIndexInformer(lister, example, 0, cache.Indexers{})
}

// startInformer runs such an informer until the test ends.
func startInformer(t *testing.T, lister cache.ListerWatcher, example runtime.Object) cache.SharedIndexInformer {
	t.Helper()
	informer := newInformer(lister, example)
	go informer.RunWithContext(t.Context())
	return informer
}

func awaitSync(t *testing.T, informer cache.SharedIndexInformer) {
	t.Helper()
	harness.Eventually(t, "synchronization of the informer", func() error {
		if !informer.HasSynced() {
			return fmt.Errorf("its last version is %q", informer.LastSyncResourceVersion())
		}
		return nil
	})
}

// stored is the object of the namespace default in the informer's store, or nil.
func stored(t *testing.T, informer cache.SharedIndexInformer, consumer harness.Workspace, name string) metav1.Object {
	t.Helper()
	return storedIn(t, informer, consumer, namespace, name)
}

func storedIn(t *testing.T, informer cache.SharedIndexInformer, consumer harness.Workspace, namespace, name string) metav1.Object {
	t.Helper()
	key := kcpcache.ToClusterAwareKey(consumer.Cluster, namespace, name)
	item, exists, err := informer.GetStore().GetByKey(key)
	harness.Must(t, err)
	if !exists {
		return nil
	}
	return item.(metav1.Object)
}

func awaitStored(t *testing.T, informer cache.SharedIndexInformer, consumer harness.Workspace, name string, such func(metav1.Object) bool) {
	t.Helper()
	harness.Eventually(t, fmt.Sprintf("%s of %s in the informer", name, consumer.Path), func() error {
		if object := stored(t, informer, consumer, name); !such(object) {
			return fmt.Errorf("it is %v", object)
		}
		return nil
	})
}

func exists(object metav1.Object) bool { return object != nil }

func isGone(object metav1.Object) bool { return object == nil }
