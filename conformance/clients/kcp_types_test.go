package clients

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kcpclientset "github.com/kcp-dev/sdk/client/clientset/versioned"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// The provider sees the bindings of its own export, claimed or not, in both versions at once.
func TestKcpClientReadsTheBindingsOfTheExport(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	consumer := scenario.Consumers[0]
	client := harness.Got(kcpclientset.NewForConfig(scenario.Wildcard(t, consumer.Shard)))(t)
	old := harness.Got(client.ApisV1alpha1().APIBindings().List(t.Context(), metav1.ListOptions{}))(t)
	current := harness.Got(client.ApisV1alpha2().APIBindings().List(t.Context(), metav1.ListOptions{}))(t)
	if len(old.Items) != 1 || len(current.Items) != 1 || old.Items[0].UID != current.Items[0].UID {
		t.Fatalf("the bindings are %v and %v", old.Items, current.Items)
	}
	if old.Items[0].APIVersion != "" && old.Items[0].APIVersion != "apis.kcp.io/v1alpha1" {
		t.Errorf("a binding in v1alpha1 says that it is of %s", old.Items[0].APIVersion)
	}
	accepted := current.Items[0].Spec.PermissionClaims
	if len(accepted) != len(harness.Claims) || len(accepted[0].Verbs) == 0 || accepted[0].Verbs[0] != "*" {
		t.Errorf("the claims in v1alpha2 are %v", accepted)
	}
	if len(old.Items[0].Spec.PermissionClaims) != len(harness.Claims) || !old.Items[0].Spec.PermissionClaims[0].All {
		t.Errorf("the claims in v1alpha1 are %v", old.Items[0].Spec.PermissionClaims)
	}
	inCluster := harness.Got(kcpclientset.NewForConfig(scenario.InCluster(t, consumer)))(t)
	got := harness.Got(inCluster.ApisV1alpha2().APIBindings().Get(t.Context(), current.Items[0].Name, metav1.GetOptions{}))(t)
	if got.UID != current.Items[0].UID || got.Annotations["kcp.io/path"] != "" && got.Annotations["kcp.io/path"] != consumer.Path {
		t.Errorf("the binding is %v", got)
	}
}
