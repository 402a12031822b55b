package harness

import (
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	apisv1alpha2 "github.com/kcp-dev/sdk/apis/apis/v1alpha2"
	apisclient "github.com/kcp-dev/sdk/client/clientset/versioned/typed/apis/v1alpha2"
)

// bindingName is the name of every scenario's bindings.
const bindingName = "widgets"

// Bind binds the scenario's export in the workspaces, accepts all its claims, and waits until the provider's user reaches them.
func (scenario *Scenario) Bind(t *testing.T, consumers ...Workspace) {
	t.Helper()
	for _, consumer := range consumers {
		// Another shard knows the export only after it has been replicated.
		Eventually(t, "creation of a binding in "+consumer.Path, func() error {
			_, err := scenario.bindings(t, consumer).Create(t.Context(), scenario.binding(), metav1.CreateOptions{})
			return ignoring(err, apierrors.IsAlreadyExists)
		})
	}
	for _, consumer := range consumers {
		Eventually(t, "binding in "+consumer.Path, func() error {
			found, err := scenario.bindings(t, consumer).Get(t.Context(), bindingName, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if found.Status.Phase != apisv1alpha2.APIBindingPhaseBound || len(found.Status.AppliedPermissionClaims) < len(Claims) {
				return fmt.Errorf("its status is %+v", found.Status)
			}
			return nil
		})
		scenario.awaitAccess(t, consumer)
	}
}

func (scenario *Scenario) bindings(t *testing.T, consumer Workspace) apisclient.APIBindingInterface {
	t.Helper()
	return scenario.Target.KCPClient(t, consumer.Path).ApisV1alpha2().APIBindings()
}

func (scenario *Scenario) binding() *apisv1alpha2.APIBinding {
	var accepted []apisv1alpha2.AcceptablePermissionClaim
	for _, claim := range permissionClaims() {
		accepted = append(accepted, apisv1alpha2.AcceptablePermissionClaim{
			ScopedPermissionClaim: apisv1alpha2.ScopedPermissionClaim{
				PermissionClaim: claim,
				Selector:        apisv1alpha2.PermissionClaimSelector{MatchAll: true},
			},
			State: apisv1alpha2.ClaimAccepted,
		})
	}
	export := &apisv1alpha2.ExportBindingReference{Path: scenario.Provider.Path, Name: exportName}
	return &apisv1alpha2.APIBinding{
		ObjectMeta: metav1.ObjectMeta{Name: bindingName},
		Spec: apisv1alpha2.APIBindingSpec{
			Reference:        apisv1alpha2.BindingReference{Export: export},
			PermissionClaims: accepted,
		},
	}
}

// Unbind deletes the binding in the workspace and waits until it is gone.
func (scenario *Scenario) Unbind(t *testing.T, consumer Workspace) {
	t.Helper()
	bindings := scenario.bindings(t, consumer)
	Must(t, bindings.Delete(t.Context(), bindingName, metav1.DeleteOptions{}))
	Eventually(t, "end of the binding in "+consumer.Path, func() error {
		_, err := bindings.Get(t.Context(), bindingName, metav1.GetOptions{})
		if err == nil {
			return fmt.Errorf("it is still there")
		}
		return ignoring(err, apierrors.IsNotFound)
	})
}
