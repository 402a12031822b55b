package harness

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	apisv1alpha2 "github.com/kcp-dev/sdk/apis/apis/v1alpha2"
)

const (
	// placementLabel has, on a SyncTarget, the name of it.
	placementLabel     = "conformance"
	selectorAnnotation = "placement.workload.kcp.io/selector"
	spreadAnnotation   = "placement.workload.kcp.io/spread"
)

// NewSyncedWorkspace creates a workspace on the shard whose namespaces can be brought to SyncTargets. Its namespace default is not.
func (target *Target) NewSyncedWorkspace(t *testing.T, shard string) Workspace {
	t.Helper()
	target.OnlyWithView(t, "syncer")
	workspace := target.NewWorkspace(t, shard)
	Eventually(t, "the namespace default of "+workspace.Path, func() error { return workspace.spread(t, metav1.NamespaceDefault, 0) })
	workspace.bindCompute(t, computeExport)
	return workspace
}

// bindCompute binds an export of root:compute, accepts all its claims, and waits until it is bound.
func (workspace Workspace) bindCompute(t *testing.T, export string) {
	t.Helper()
	exported := Got(workspace.target.KCPClient(t, ComputePath).ApisV1alpha2().APIExports().Get(t.Context(), export, metav1.GetOptions{}))(t)
	binding := &apisv1alpha2.APIBinding{ObjectMeta: metav1.ObjectMeta{Name: export}}
	binding.Spec.Reference.Export = &apisv1alpha2.ExportBindingReference{Path: ComputePath, Name: export}
	for _, claim := range exported.Spec.PermissionClaims {
		binding.Spec.PermissionClaims = append(binding.Spec.PermissionClaims, apisv1alpha2.AcceptablePermissionClaim{
			ScopedPermissionClaim: apisv1alpha2.ScopedPermissionClaim{
				PermissionClaim: claim,
				Selector:        apisv1alpha2.PermissionClaimSelector{MatchAll: true},
			},
			State: apisv1alpha2.ClaimAccepted,
		})
	}
	bindings := workspace.target.KCPClient(t, workspace.Path).ApisV1alpha2().APIBindings()
	Eventually(t, "creation of a binding in "+workspace.Path, func() error {
		_, err := bindings.Create(t.Context(), binding, metav1.CreateOptions{})
		return ignoring(err, apierrors.IsAlreadyExists)
	})
	Eventually(t, "binding in "+workspace.Path, func() error {
		found, err := bindings.Get(t.Context(), export, metav1.GetOptions{})
		if err == nil && found.Status.Phase != apisv1alpha2.APIBindingPhaseBound {
			err = fmt.Errorf("its status is %+v", found.Status)
		}
		return err
	})
}

// NewNamespaceOn creates a namespace and waits until it, with all that will be in it, is brought to the SyncTarget.
func (workspace Workspace) NewNamespaceOn(t *testing.T, syncTarget *SyncTarget) string {
	t.Helper()
	namespaces := workspace.KubeClient(t).CoreV1().Namespaces()
	made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name:        UniqueName("synced"),
		Annotations: map[string]string{selectorAnnotation: placementLabel + "=" + syncTarget.Name, spreadAnnotation: "1"},
	}}
	Got(namespaces.Create(t.Context(), made, metav1.CreateOptions{}))(t)
	Eventually(t, "placement of the namespace "+made.Name, func() error {
		found, err := namespaces.Get(t.Context(), made.Name, metav1.GetOptions{})
		if err == nil && found.Labels[syncTarget.StateLabel()] != "Sync" {
			err = fmt.Errorf("its labels are %v", found.Labels)
		}
		return err
	})
	return made.Name
}

// TakeOff takes a namespace off its SyncTarget, and waits for nothing.
func (workspace Workspace) TakeOff(t *testing.T, namespace string) {
	t.Helper()
	Must(t, workspace.spread(t, namespace, 0))
}

// spread says on how many SyncTargets a namespace is to be.
func (workspace Workspace) spread(t *testing.T, namespace string, targets int) error {
	t.Helper()
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:"%d"}}}`, spreadAnnotation, targets)
	namespaces := workspace.KubeClient(t).CoreV1().Namespaces()
	_, err := namespaces.Patch(t.Context(), namespace, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	return err
}
