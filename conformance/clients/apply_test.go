package clients

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

func TestServerSideApplyOfAClaimedResource(t *testing.T) {
	t.Parallel()
	target := harness.TheTarget(t)
	scenario := harness.NewScenario(t, 1)
	configMaps := harness.Got(kubernetes.NewForConfig(scenario.InCluster(t, scenario.Consumers[0])))(t).CoreV1().ConfigMaps(namespace)
	desired := func(data map[string]string) *applycorev1.ConfigMapApplyConfiguration {
		return applycorev1.ConfigMap("applied", namespace).WithData(data)
	}
	one := metav1.ApplyOptions{FieldManager: "one", Force: true}
	created := harness.Got(configMaps.Apply(t.Context(), desired(map[string]string{"a": "1", "b": "1"}), one))(t)
	if created.UID == "" || created.Data["a"] != "1" {
		t.Errorf("an apply that creates answered %v", created)
	}
	again := harness.Got(configMaps.Apply(t.Context(), desired(map[string]string{"a": "2", "b": "1"}), one))(t)
	if again.UID != created.UID || again.Data["a"] != "2" || again.Data["b"] != "1" {
		t.Errorf("a second apply answered %v", again)
	}
	t.Run("field managers", func(t *testing.T) {
		target.OnlyOnOurs(t, "they compute the patch themselves and store its result under their own name")
		fewer := harness.Got(configMaps.Apply(t.Context(), desired(map[string]string{"a": "2"}), one))(t)
		if _, left := fewer.Data["b"]; left {
			t.Errorf("a field that is not applied any more stays: %v", fewer.Data)
		}
		entry := fewer.ManagedFields[0]
		if len(fewer.ManagedFields) != 1 || entry.Manager != "one" || entry.Operation != metav1.ManagedFieldsOperationApply {
			t.Errorf("the fields are managed by %v", fewer.ManagedFields)
		}
		two := metav1.ApplyOptions{FieldManager: "two"}
		if _, err := configMaps.Apply(t.Context(), desired(map[string]string{"a": "3"}), two); !apierrors.IsConflict(err) {
			t.Errorf("an apply of another manager's field: %v", err)
		}
		shared := harness.Got(configMaps.Apply(t.Context(), desired(map[string]string{"c": "3"}), two))(t)
		if shared.Data["a"] != "2" || shared.Data["c"] != "3" {
			t.Errorf("two managers made %v", shared.Data)
		}
	})
}

func TestServerSideApplyOfTheExportedResource(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	widgets := widgetsIn(t, scenario, scenario.Consumers[0])
	options := metav1.ApplyOptions{FieldManager: "conformance", Force: true}
	harness.Got(widgets.Apply(t.Context(), "applied", harness.Widget("applied", "red"), options))(t)
	status := harness.Widget("applied", "ignored")
	status.Object["status"] = map[string]any{"observed": "red"}
	delete(status.Object, "spec")
	harness.Got(widgets.ApplyStatus(t.Context(), "applied", status, options))(t)
	got := harness.Got(widgets.Get(t.Context(), "applied", metav1.GetOptions{}))(t)
	if field(t, got, "spec", "color") != "red" || field(t, got, "status", "observed") != "red" {
		t.Errorf("the applies left %v", got.Object)
	}
}
