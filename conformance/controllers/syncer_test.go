package controllers

import (
	"fmt"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// A cache and a client of controller-runtime are enough to be a syncer: they find what the view serves by themselves.
func TestAClientOfControllerRuntimeIsASyncer(t *testing.T) {
	t.Parallel()
	target := harness.TheTarget(t)
	syncTarget := target.NewSyncTarget(t)
	owner := target.NewSyncedWorkspace(t, target.Shards[0])
	namespace := owner.NewNamespaceOn(t, syncTarget)
	owned := owner.KubeClient(t).AppsV1().Deployments(namespace)
	replicas, labels := int32(1), map[string]string{"app": "web"}
	made := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.DeploymentSpec{
		Replicas: &replicas,
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "registry.k8s.io/pause:3.10"}}},
		},
	}}
	harness.Got(owned.Create(t.Context(), made, metav1.CreateOptions{}))(t)

	kept := startCache(t, syncTarget.Syncer(t, owner.Shard, "*"), &appsv1.Deployment{})
	writer := harness.Got(client.New(syncTarget.Syncer(t, owner.Shard, owner.Cluster), client.Options{Scheme: scheme()}))(t)
	web := types.NamespacedName{Namespace: namespace, Name: "web"}
	find := func(such func(*appsv1.Deployment) bool) *appsv1.Deployment {
		t.Helper()
		var found appsv1.Deployment
		harness.Eventually(t, "the Deployment in the cache", func() error {
			err := kept.Get(t.Context(), web, &found)
			if err == nil && !such(&found) {
				err = fmt.Errorf("it is %v", found)
			}
			return err
		})
		return &found
	}
	isTaken := func(found *appsv1.Deployment) bool { return slices.Contains(found.Finalizers, syncTarget.Finalizer()) }

	found := find(func(found *appsv1.Deployment) bool { return !isTaken(found) })
	before := found.DeepCopy()
	controllerutil.AddFinalizer(found, syncTarget.Finalizer())
	harness.Must(t, writer.Patch(t.Context(), found, client.MergeFrom(before)))
	found = find(isTaken)
	before = found.DeepCopy()
	found.Status.ReadyReplicas = 1
	harness.Must(t, writer.Status().Patch(t.Context(), found, client.MergeFrom(before)))
	find(func(found *appsv1.Deployment) bool { return found.Status.ReadyReplicas == 1 })

	harness.Must(t, owned.Delete(t.Context(), "web", metav1.DeleteOptions{}))
	found = find(func(found *appsv1.Deployment) bool { return found.DeletionTimestamp != nil })
	before = found.DeepCopy()
	controllerutil.RemoveFinalizer(found, syncTarget.Finalizer())
	harness.Must(t, writer.Patch(t.Context(), found, client.MergeFrom(before)))
	harness.Eventually(t, "end of the Deployment", func() error {
		_, errOfOwner := owned.Get(t.Context(), "web", metav1.GetOptions{})
		errOfCache := kept.Get(t.Context(), web, found)
		if !apierrors.IsNotFound(errOfOwner) || !apierrors.IsNotFound(errOfCache) {
			return fmt.Errorf("its owner gets the error %v, the cache %v", errOfOwner, errOfCache)
		}
		return nil
	})
}
