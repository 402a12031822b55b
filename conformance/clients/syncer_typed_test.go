package clients

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	applyappsv1 "k8s.io/client-go/applyconfigurations/apps/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// A syncer takes a Deployment, tells of its status, and lets go of it when it is deleted: with the calls of every controller.
func TestASyncersTypedClientTakesADeploymentAndLetsGoOfIt(t *testing.T) {
	t.Parallel()
	on := newOnTarget(t)
	on.create(t, "web")
	on.awaitAssigned(t, "web")
	deployments := on.syncerClient(t).AppsV1().Deployments(on.namespace)
	owned := on.owner.KubeClient(t).AppsV1().Deployments(on.namespace)

	seen := harness.Got(deployments.Get(t.Context(), "web", metav1.GetOptions{}))(t)
	if len(seen.Finalizers) != 0 || *seen.Spec.Replicas != 3 || seen.Annotations["kcp.io/cluster"] != on.owner.Cluster {
		t.Errorf("before it is taken it is %v", seen)
	}
	taken := change(t, deployments.Get, deployments.Update, "web", func(deployment *appsv1.Deployment) {
		replicas := int32(9)
		deployment.Finalizers = append(deployment.Finalizers, on.Finalizer())
		deployment.Labels["mine"] = "yes"
		deployment.Spec.Replicas = &replicas
		deployment.Status.ReadyReplicas = 9
	})
	if !slices.Equal(taken.Finalizers, []string{on.Finalizer()}) {
		t.Errorf("its finalizers are %v", taken.Finalizers)
	}
	if *taken.Spec.Replicas != 3 || taken.Labels["mine"] != "" || taken.Status.ReadyReplicas != 0 {
		t.Errorf("the update has changed what is not the syncer's: %v", taken)
	}
	if _, err := deployments.Update(t.Context(), seen, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		t.Errorf("an update of an old version: %v", err)
	}

	told := change(t, deployments.Get, deployments.UpdateStatus, "web", func(deployment *appsv1.Deployment) {
		deployment.Status = appsv1.DeploymentStatus{Replicas: 3, ReadyReplicas: 2}
	})
	upstream := harness.Got(owned.Get(t.Context(), "web", metav1.GetOptions{}))(t)
	if told.Status.ReadyReplicas != 2 || upstream.Status.ReadyReplicas != 2 || upstream.Status.Replicas != 3 {
		t.Errorf("the status is %v for the syncer, %v for the owner", told.Status, upstream.Status)
	}

	harness.Must(t, owned.Delete(t.Context(), "web", metav1.DeleteOptions{}))
	harness.Eventually(t, "deletion in the view", func() error {
		found, err := deployments.Get(t.Context(), "web", metav1.GetOptions{})
		if err == nil && found.DeletionTimestamp == nil {
			err = fmt.Errorf("it is %v", found.ObjectMeta)
		}
		return err
	})
	change(t, deployments.Get, deployments.Update, "web", func(deployment *appsv1.Deployment) { deployment.Finalizers = nil })
	if _, err := deployments.Get(t.Context(), "web", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a get after the syncer has let go: %v", err)
	}
	harness.Eventually(t, "end of the Deployment", func() error {
		return gone(owned.Get(t.Context(), "web", metav1.GetOptions{}))
	})
}

func TestASyncersTypedClientPatches(t *testing.T) {
	t.Parallel()
	on := newOnTarget(t)
	on.create(t, "web")
	on.awaitAssigned(t, "web")
	client := on.syncerClient(t)
	deployments, configMaps := client.AppsV1().Deployments(on.namespace), client.CoreV1().ConfigMaps(on.namespace)
	finalizers := func(names ...string) []byte {
		return harness.Got(json.Marshal(map[string]any{"metadata": map[string]any{"finalizers": names}}))(t)
	}
	options := metav1.PatchOptions{}

	taken := harness.Got(deployments.Patch(t.Context(), "web", types.MergePatchType, finalizers(on.Finalizer()), options))(t)
	if !slices.Equal(taken.Finalizers, []string{on.Finalizer()}) {
		t.Errorf("after the merge patch the finalizers are %v", taken.Finalizers)
	}
	merged := harness.Got(deployments.Patch(t.Context(), "web", types.MergePatchType, []byte(`{"status":{"replicas":3}}`), options, "status"))(t)
	if merged.Status.Replicas != 3 {
		t.Errorf("after the merge patch the status is %v", merged.Status)
	}
	operations := []byte(`[{"op":"test","path":"/status/replicas","value":3},{"op":"add","path":"/status/readyReplicas","value":1}]`)
	patched := harness.Got(deployments.Patch(t.Context(), "web", types.JSONPatchType, operations, options, "status"))(t)
	if patched.Status.Replicas != 3 || patched.Status.ReadyReplicas != 1 {
		t.Errorf("after the JSON patch the status is %v", patched.Status)
	}
	failing := []byte(`[{"op":"test","path":"/status/replicas","value":4}]`)
	if _, err := deployments.Patch(t.Context(), "web", types.JSONPatchType, failing, options, "status"); !apierrors.IsInvalid(err) {
		t.Errorf("a JSON patch whose test fails: %v", err)
	}
	_, err := deployments.Patch(t.Context(), "web", types.StrategicMergePatchType, finalizers(), options)
	if !apierrors.IsUnsupportedMediaType(err) {
		t.Errorf("a strategic patch of a custom resource: %v", err)
	}

	strategic := harness.Got(configMaps.Patch(t.Context(), "web", types.StrategicMergePatchType, finalizers(on.Finalizer()), options))(t)
	if !slices.Equal(strategic.Finalizers, []string{on.Finalizer()}) || strategic.Data["key"] != "value" {
		t.Errorf("the strategic patch has made %v", strategic)
	}
	on.deleteBoth(t, "web")
	// Both are to leave the target a moment later, and not before may it let go of them.
	remove := []byte(`[{"op":"remove","path":"/metadata/finalizers"}]`)
	harness.Eventually(t, "end of the Deployment in the view", func() error {
		return gone(deployments.Patch(t.Context(), "web", types.JSONPatchType, remove, options))
	})
	harness.Eventually(t, "end of the ConfigMap in the view", func() error {
		return gone(configMaps.Patch(t.Context(), "web", types.JSONPatchType, remove, options))
	})
}

func TestASyncersTypedClientIsRefusedWhatNoSyncerMay(t *testing.T) {
	t.Parallel()
	on := newOnTarget(t)
	on.create(t, "web")
	on.awaitAssigned(t, "web")
	client := on.syncerClient(t)
	deployments, configMaps := client.AppsV1().Deployments(on.namespace), client.CoreV1().ConfigMaps(on.namespace)

	made := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "made", Namespace: on.namespace}}
	_, errOfConfigMap := configMaps.Create(t.Context(), made, metav1.CreateOptions{})
	_, errOfDeployment := deployments.Create(t.Context(), idle("made"), metav1.CreateOptions{})
	for what, err := range map[string]error{
		"a create of a ConfigMap":         errOfConfigMap,
		"a create of a Deployment":        errOfDeployment,
		"a delete of a ConfigMap":         configMaps.Delete(t.Context(), "web", metav1.DeleteOptions{}),
		"a delete of a Deployment":        deployments.Delete(t.Context(), "web", metav1.DeleteOptions{}),
		"a delete of a collection":        configMaps.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}),
		"a delete of a custom collection": deployments.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}),
	} {
		if !apierrors.IsMethodNotSupported(err) {
			t.Errorf("%s: %v", what, err)
		}
	}

	apply := metav1.ApplyOptions{FieldManager: "conformance", Force: true}
	_, errOfConfigMap = configMaps.Apply(t.Context(), applycorev1.ConfigMap("web", on.namespace), apply)
	_, errOfDeployment = deployments.ApplyStatus(t.Context(), applyappsv1.Deployment("web", on.namespace), apply)
	inProtobuf := on.Syncer(t, on.owner.Shard, on.owner.Cluster)
	inProtobuf.ContentType = runtime.ContentTypeProtobuf
	typed := harness.Got(kubernetes.NewForConfig(inProtobuf))(t).AppsV1().Deployments(on.namespace)
	_, errOfProtobuf := typed.Update(t.Context(), harness.Got(typed.Get(t.Context(), "web", metav1.GetOptions{}))(t), metav1.UpdateOptions{})
	for what, err := range map[string]error{
		"an apply of a ConfigMap":               errOfConfigMap,
		"an apply of a Deployment's status":     errOfDeployment,
		"an update of a Deployment in protobuf": errOfProtobuf,
	} {
		if !apierrors.IsUnsupportedMediaType(err) {
			t.Errorf("%s: %v", what, err)
		}
	}

	if _, err := client.AppsV1().Deployments(on.namespace).GetScale(t.Context(), "web", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a get of a subresource that no syncer has: %v", err)
	}
	stranger := harness.TheTarget(t).Stranger()
	strange := harness.Got(kubernetes.NewForConfig(harness.As(on.Syncer(t, on.owner.Shard, on.owner.Cluster), stranger)))(t)
	if _, err := strange.AppsV1().Deployments(on.namespace).List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a list of somebody who may not sync: %v", err)
	}
	everywhere := harness.Got(kubernetes.NewForConfig(on.Syncer(t, on.owner.Shard, "*")))(t)
	if _, err := everywhere.AppsV1().Deployments(on.namespace).Get(t.Context(), "web", metav1.GetOptions{}); !apierrors.IsBadRequest(err) {
		t.Errorf("a get in all logical clusters: %v", err)
	}
	if _, err := everywhere.AppsV1().Deployments(on.namespace).List(t.Context(), metav1.ListOptions{}); !apierrors.IsBadRequest(err) {
		t.Errorf("a list of one namespace of all logical clusters: %v", err)
	}
}
