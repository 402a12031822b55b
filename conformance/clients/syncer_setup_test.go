package clients

import (
	"context"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/retry"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

var (
	deployments = appsv1.SchemeGroupVersion.WithResource("deployments")
	configMaps  = corev1.SchemeGroupVersion.WithResource("configmaps")
)

// onTarget is a SyncTarget, and a workspace with a namespace that is on it.
type onTarget struct {
	*harness.SyncTarget
	owner     harness.Workspace
	namespace string
}

// newOnTarget makes them, the workspace on the last shard.
func newOnTarget(t *testing.T) onTarget {
	t.Helper()
	target := harness.TheTarget(t)
	syncTarget := target.NewSyncTarget(t)
	owner := target.NewSyncedWorkspace(t, target.Shards[len(target.Shards)-1])
	return onTarget{syncTarget, owner, owner.NewNamespaceOn(t, syncTarget)}
}

// syncerClient is the syncer's typed client in the workspace.
func (on onTarget) syncerClient(t *testing.T) kubernetes.Interface {
	t.Helper()
	return harness.Got(kubernetes.NewForConfig(on.Syncer(t, on.owner.Shard, on.owner.Cluster)))(t)
}

// create makes a Deployment and a ConfigMap of that name, as the owner of the workspace.
func (on onTarget) create(t *testing.T, name string) {
	t.Helper()
	client := on.owner.KubeClient(t)
	made := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"key": "value"}}
	harness.Got(client.CoreV1().ConfigMaps(on.namespace).Create(t.Context(), made, metav1.CreateOptions{}))(t)
	harness.Eventually(t, "creation of a Deployment in "+on.owner.Path, func() error {
		_, err := client.AppsV1().Deployments(on.namespace).Create(t.Context(), idle(name), metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
}

// idle is a Deployment of three pods that do nothing.
func idle(name string) *appsv1.Deployment {
	replicas := int32(3)
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "registry.k8s.io/pause:3.10"}}},
			},
		},
	}
}

// awaitAssigned waits until the syncer is shown both objects of that name.
func (on onTarget) awaitAssigned(t *testing.T, name string) {
	t.Helper()
	client := on.syncerClient(t)
	harness.Eventually(t, name+" in the view of the syncer", func() error {
		if _, err := client.CoreV1().ConfigMaps(on.namespace).Get(t.Context(), name, metav1.GetOptions{}); err != nil {
			return err
		}
		_, err := client.AppsV1().Deployments(on.namespace).Get(t.Context(), name, metav1.GetOptions{})
		return err
	})
}

// patchBoth changes both objects of that name, as the owner.
func (on onTarget) patchBoth(t *testing.T, name, patch string) {
	t.Helper()
	client := on.owner.KubeClient(t)
	configMaps, deployments := client.CoreV1().ConfigMaps(on.namespace), client.AppsV1().Deployments(on.namespace)
	options := metav1.PatchOptions{}
	harness.Got(configMaps.Patch(t.Context(), name, types.MergePatchType, []byte(patch), options))(t)
	harness.Got(deployments.Patch(t.Context(), name, types.MergePatchType, []byte(patch), options))(t)
}

func (on onTarget) deleteBoth(t *testing.T, name string) {
	t.Helper()
	client := on.owner.KubeClient(t)
	harness.Must(t, client.CoreV1().ConfigMaps(on.namespace).Delete(t.Context(), name, metav1.DeleteOptions{}))
	harness.Must(t, client.AppsV1().Deployments(on.namespace).Delete(t.Context(), name, metav1.DeleteOptions{}))
}

// change updates an object as the syncer; after a conflict again, since others write it, too.
func change[T any](
	t *testing.T, get func(context.Context, string, metav1.GetOptions) (*T, error),
	update func(context.Context, *T, metav1.UpdateOptions) (*T, error), name string, edit func(*T),
) *T {
	t.Helper()
	var changed *T
	harness.Must(t, retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		found, err := get(t.Context(), name, metav1.GetOptions{})
		if err == nil {
			edit(found)
			changed, err = update(t.Context(), found, metav1.UpdateOptions{})
		}
		return err
	}))
	return changed
}

// gone is an error unless that of a get says that nothing is there.
func gone(found metav1.Object, err error) error {
	if err == nil {
		return fmt.Errorf("%s is still there, with the finalizers %v", found.GetName(), found.GetFinalizers())
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

var assignedConfigMaps = source{
	"typed of configmaps", &corev1.ConfigMap{}, func(t *testing.T, config *rest.Config) cache.ListerWatcher {
		client := harness.Got(kubernetes.NewForConfig(config))(t)
		return sourceOf(client, client.CoreV1().ConfigMaps("").List, client.CoreV1().ConfigMaps("").Watch)
	},
}

var upsyncedPods = source{
	"typed of pods", &corev1.Pod{}, func(t *testing.T, config *rest.Config) cache.ListerWatcher {
		client := harness.Got(kubernetes.NewForConfig(config))(t)
		return sourceOf(client, client.CoreV1().Pods("").List, client.CoreV1().Pods("").Watch)
	},
}

// assignedSources are clients of what is assigned: of a custom resource, and of one that is built in.
var assignedSources = []source{
	assignedConfigMaps,
	{"typed of deployments", &appsv1.Deployment{}, func(t *testing.T, config *rest.Config) cache.ListerWatcher {
		client := harness.Got(kubernetes.NewForConfig(config))(t)
		return sourceOf(client, client.AppsV1().Deployments("").List, client.AppsV1().Deployments("").Watch)
	}},
	{"dynamic of deployments", &unstructured.Unstructured{}, func(t *testing.T, config *rest.Config) cache.ListerWatcher {
		client := harness.Got(dynamic.NewForConfig(config))(t)
		return sourceOf(client, client.Resource(deployments).List, client.Resource(deployments).Watch)
	}},
	{"dynamic of configmaps", &unstructured.Unstructured{}, func(t *testing.T, config *rest.Config) cache.ListerWatcher {
		client := harness.Got(dynamic.NewForConfig(config))(t)
		return sourceOf(client, client.Resource(configMaps).List, client.Resource(configMaps).Watch)
	}},
	{"metadata of deployments", &metav1.PartialObjectMetadata{}, func(t *testing.T, config *rest.Config) cache.ListerWatcher {
		client := harness.Got(metadata.NewForConfig(config))(t)
		return sourceOf(client, client.Resource(deployments).List, client.Resource(deployments).Watch)
	}},
}

// sourceOf makes an informer's source of what a client offers.
func sourceOf[L runtime.Object](
	client any, list func(context.Context, metav1.ListOptions) (L, error),
	follow func(context.Context, metav1.ListOptions) (watch.Interface, error),
) cache.ListerWatcher {
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return list(ctx, options)
		},
		WatchFuncWithContext: follow,
	}, client)
}

// shortWatches end each second. One that begins with a streamed list lasts longer: a reflector lists again if nothing comes for the
// rest of it, and that is less than a second.
type shortWatches struct{ cache.ListerWatcher }

func (short shortWatches) Watch(options metav1.ListOptions) (watch.Interface, error) {
	seconds := int64(1)
	if options.SendInitialEvents != nil {
		seconds = 5
	}
	options.TimeoutSeconds = &seconds
	return short.ListerWatcher.Watch(options)
}
