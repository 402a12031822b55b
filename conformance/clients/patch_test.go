package clients

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

func TestPatchTypesOfAClaimedResource(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	configMaps := harness.Got(kubernetes.NewForConfig(scenario.InCluster(t, scenario.Consumers[0])))(t).CoreV1().ConfigMaps(namespace)
	for _, patch := range []struct {
		name  string
		kind  types.PatchType
		patch string
	}{
		{"json", types.JSONPatchType, `[{"op":"test","path":"/data/key","value":"old"},{"op":"replace","path":"/data/key","value":"new"}]`},
		{"merge", types.MergePatchType, `{"data":{"key":"new"}}`},
		{"strategic", types.StrategicMergePatchType, `{"data":{"key":"new"}}`},
	} {
		t.Run(patch.name, func(t *testing.T) {
			t.Parallel()
			harness.Got(configMaps.Create(t.Context(), configMap(patch.name, "old"), metav1.CreateOptions{}))(t)
			patched := harness.Got(configMaps.Patch(t.Context(), patch.name, patch.kind, []byte(patch.patch), metav1.PatchOptions{}))(t)
			got := harness.Got(configMaps.Get(t.Context(), patch.name, metav1.GetOptions{}))(t)
			if patched.Data["key"] != "new" || got.Data["key"] != "new" || got.ResourceVersion != patched.ResourceVersion {
				t.Errorf("the patch answered %v, get %v", patched.Data, got.Data)
			}
			_, err := configMaps.Patch(t.Context(), "missing", patch.kind, []byte(patch.patch), metav1.PatchOptions{})
			if !apierrors.IsNotFound(err) {
				t.Errorf("a patch of what is not there: %v", err)
			}
		})
	}
	t.Run("a list is merged by its keys", func(t *testing.T) {
		t.Parallel()
		object := configMap("lists", "value")
		object.Finalizers = []string{"conformance.example.com/a"}
		harness.Got(configMaps.Create(t.Context(), object, metav1.CreateOptions{}))(t)
		strategic := func(patch string) []string {
			patched := harness.Got(configMaps.Patch(t.Context(), "lists", types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}))(t)
			return patched.Finalizers
		}
		if left := strategic(`{"metadata":{"finalizers":["conformance.example.com/b"]}}`); len(left) != 2 {
			t.Errorf("a strategic merge left the finalizers %v", left)
		}
		if left := strategic(`{"metadata":{"finalizers":null}}`); len(left) != 0 {
			t.Errorf("null left the finalizers %v", left)
		}
	})
}

func TestPatchTypesOfTheExportedResource(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	widgets := widgetsIn(t, scenario, scenario.Consumers[0])
	harness.Got(widgets.Create(t.Context(), harness.Widget("patched", "red"), metav1.CreateOptions{}))(t)
	patch := func(kind types.PatchType, body string, subresources ...string) error {
		_, err := widgets.Patch(t.Context(), "patched", kind, []byte(body), metav1.PatchOptions{}, subresources...)
		return err
	}
	harness.Must(t, patch(types.MergePatchType, `{"spec":{"color":"blue"}}`))
	harness.Must(t, patch(types.JSONPatchType, `[{"op":"add","path":"/spec/size","value":3}]`))
	harness.Must(t, patch(types.MergePatchType, `{"spec":{"color":"ignored"},"status":{"observed":"blue"}}`, "status"))
	got := harness.Got(widgets.Get(t.Context(), "patched", metav1.GetOptions{}))(t)
	if field(t, got, "spec", "color") != "blue" || field(t, got, "status", "observed") != "blue" {
		t.Errorf("the patches left %v", got.Object)
	}
	// Kubernetes answers a failed test with 422.
	failedTest := patch(types.JSONPatchType, `[{"op":"test","path":"/spec/color","value":"red"}]`)
	if !apierrors.IsInvalid(failedTest) {
		t.Errorf("a JSON patch whose test fails: %v", failedTest)
	}
	outdated := patch(types.MergePatchType, `{"metadata":{"resourceVersion":"1"},"spec":{"color":"green"}}`)
	if !apierrors.IsConflict(outdated) {
		t.Errorf("a patch of an old version: %v", outdated)
	}
	// There are no merge keys for the lists of custom resources.
	strategic := patch(types.StrategicMergePatchType, `{"spec":{"color":"green"}}`)
	if !apierrors.IsUnsupportedMediaType(strategic) {
		t.Errorf("a strategic merge of a custom resource: %v", strategic)
	}
}
