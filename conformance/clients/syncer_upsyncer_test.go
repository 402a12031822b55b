package clients

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// upsynced is a pod as the syncer has found it in its cluster.
func (on onTarget) upsynced(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{on.StateLabel(): "Upsync"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "registry.k8s.io/pause:3.10"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
}

// upsyncerClient is the syncer's typed client of what the target has made, in all logical clusters or in one.
func (on onTarget) upsyncerClient(t *testing.T, cluster string) kubernetes.Interface {
	t.Helper()
	return harness.Got(kubernetes.NewForConfig(on.Upsyncer(t, on.owner.Shard, cluster)))(t)
}

// awaitUpsyncer waits until the view has heard of the binding of the workspace.
func (on onTarget) awaitUpsyncer(t *testing.T) {
	t.Helper()
	pods := on.upsyncerClient(t, on.owner.Cluster).CoreV1().Pods(on.namespace)
	harness.Eventually(t, "pods in the view of the upsyncer", func() error {
		_, err := pods.List(t.Context(), metav1.ListOptions{})
		return err
	})
}

func TestAnUpsyncersTypedClientOwnsWhatItMakes(t *testing.T) {
	t.Parallel()
	on := newOnTarget(t)
	on.awaitUpsyncer(t)
	pods := on.upsyncerClient(t, on.owner.Cluster).CoreV1().Pods(on.namespace)
	owned := on.owner.KubeClient(t).CoreV1()
	everywhere := on.upsyncerClient(t, "*").CoreV1().Pods("")
	start := harness.Got(everywhere.List(t.Context(), metav1.ListOptions{}))(t)
	if len(start.Items) != 0 {
		t.Errorf("before there is anything the list has %v", start.Items)
	}
	seen := harness.Got(everywhere.Watch(t.Context(), metav1.ListOptions{ResourceVersion: start.ResourceVersion}))(t)
	defer seen.Stop()

	created := harness.Got(pods.Create(t.Context(), on.upsynced("web"), metav1.CreateOptions{}))(t)
	if created.UID == "" || created.Status.Phase != "" || created.Annotations["kcp.io/cluster"] != on.owner.Cluster {
		t.Errorf("create answered %v", created)
	}
	expect(t, seen, watch.Added, "web")
	told := change(t, pods.Get, pods.UpdateStatus, "web", func(pod *corev1.Pod) { pod.Status.Phase = corev1.PodRunning })
	changed := change(t, pods.Get, pods.Update, "web", func(pod *corev1.Pod) {
		pod.Labels["changed"] = "yes"
		pod.Spec.NodeName = "node-1"
	})
	if told.Status.Phase != corev1.PodRunning || changed.Status.Phase != corev1.PodRunning || changed.Spec.NodeName != "node-1" {
		t.Errorf("the updates have made %v, %v", told.Status, changed)
	}
	upstream := harness.Got(owned.Pods(on.namespace).Get(t.Context(), "web", metav1.GetOptions{}))(t)
	if upstream.UID != created.UID || upstream.Labels["changed"] != "yes" || upstream.Status.Phase != corev1.PodRunning {
		t.Errorf("the workspace holds %v", upstream)
	}
	if _, err := pods.Update(t.Context(), created, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		t.Errorf("an update of an old version: %v", err)
	}
	if _, err := pods.Create(t.Context(), on.upsynced("web"), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		t.Errorf("a second create: %v", err)
	}
	expect(t, seen, watch.Modified, "web")
	expect(t, seen, watch.Modified, "web")
	another := metav1.NewUIDPreconditions("somebody-else")
	if err := pods.Delete(t.Context(), "web", metav1.DeleteOptions{Preconditions: another}); !apierrors.IsConflict(err) {
		t.Errorf("a delete of another pod of that name: %v", err)
	}
	harness.Must(t, pods.Delete(t.Context(), "web", metav1.DeleteOptions{}))
	expect(t, seen, watch.Deleted, "web")
	if err := pods.Delete(t.Context(), "web", metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a second delete: %v", err)
	}
}

func TestAnUpsyncersTypedClientHasNothingOfOthers(t *testing.T) {
	t.Parallel()
	on := newOnTarget(t)
	on.awaitUpsyncer(t)
	pods := on.upsyncerClient(t, on.owner.Cluster).CoreV1().Pods(on.namespace)
	owned := on.owner.KubeClient(t).CoreV1().Pods(on.namespace)
	foreign := on.upsynced("foreign")
	foreign.Labels = nil
	harness.Got(owned.Create(t.Context(), foreign, metav1.CreateOptions{}))(t)

	if _, err := pods.Create(t.Context(), unlabelled("mine"), metav1.CreateOptions{}); !apierrors.IsBadRequest(err) {
		t.Errorf("a create without the label: %v", err)
	}
	mine := harness.Got(pods.Create(t.Context(), on.upsynced("mine"), metav1.CreateOptions{}))(t)
	mine.Labels[on.StateLabel()] = "Sync"
	if _, err := pods.Update(t.Context(), mine, metav1.UpdateOptions{}); !apierrors.IsBadRequest(err) {
		t.Errorf("an update that takes the label away: %v", err)
	}
	if _, err := pods.Get(t.Context(), "foreign", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a get of somebody else's: %v", err)
	}
	if err := pods.Delete(t.Context(), "foreign", metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a delete of somebody else's: %v", err)
	}
	list := harness.Got(pods.List(t.Context(), metav1.ListOptions{}))(t)
	if len(list.Items) != 1 || list.Items[0].Name != "mine" {
		t.Errorf("the list has %v", list.Items)
	}
	if err := pods.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); !apierrors.IsMethodNotSupported(err) {
		t.Errorf("a delete of a collection: %v", err)
	}
	client := on.upsyncerClient(t, on.owner.Cluster)
	if _, err := client.CoreV1().ConfigMaps(on.namespace).List(t.Context(), metav1.ListOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a list of what nobody upsyncs: %v", err)
	}
	elsewhere := harness.TheTarget(t).NewWorkspace(t, on.owner.Shard)
	stranger := on.upsyncerClient(t, elsewhere.Cluster).CoreV1().Pods(namespace)
	if _, err := stranger.Create(t.Context(), on.upsynced("mine"), metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a create in a workspace that has bound nothing: %v", err)
	}
}

func unlabelled(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "registry.k8s.io/pause:3.10"}}},
	}
}
