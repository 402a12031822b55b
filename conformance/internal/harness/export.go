package harness

import (
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	apisv1alpha2 "github.com/kcp-dev/sdk/apis/apis/v1alpha2"
)

// exportName is the name of every scenario's export, and of its endpoint slice; each is in a workspace of its own.
const exportName = "widgets"

// Claims are the resources of kcp and Kubernetes that the export of every scenario claims, with all verbs.
var Claims = []schema.GroupResource{
	{Resource: "configmaps"},
	{Resource: "secrets"},
	{Resource: "namespaces"},
	{Resource: "events"},
	{Group: "coordination.k8s.io", Resource: "leases"},
}

func permissionClaims() []apisv1alpha2.PermissionClaim {
	var claims []apisv1alpha2.PermissionClaim
	for _, claim := range Claims {
		claims = append(claims, apisv1alpha2.PermissionClaim{
			GroupResource: apisv1alpha2.GroupResource{Group: claim.Group, Resource: claim.Resource},
			Verbs:         []string{"*"},
		})
	}
	return claims
}

// createExport makes the export in the workspace and waits until it has an identity.
func (target *Target) createExport(t *testing.T, provider Workspace) {
	t.Helper()
	client := target.KCPClient(t, provider.Path)
	Eventually(t, "creation of an APIResourceSchema in "+provider.Path, func() error {
		_, err := client.ApisV1alpha1().APIResourceSchemas().Create(t.Context(), widgetResourceSchema(), metav1.CreateOptions{})
		return err
	})
	export := &apisv1alpha2.APIExport{
		ObjectMeta: metav1.ObjectMeta{Name: exportName},
		Spec: apisv1alpha2.APIExportSpec{
			Resources: []apisv1alpha2.ResourceSchema{{
				Name: Widgets.Resource, Group: Widgets.Group, Schema: widgetSchemaName,
				Storage: apisv1alpha2.ResourceSchemaStorage{CRD: &apisv1alpha2.ResourceSchemaStorageCRD{}},
			}},
			PermissionClaims: permissionClaims(),
		},
	}
	exports := client.ApisV1alpha2().APIExports()
	Got(exports.Create(t.Context(), export, metav1.CreateOptions{}))(t)
	Eventually(t, "identity of the export in "+provider.Path, func() error {
		found, err := exports.Get(t.Context(), exportName, metav1.GetOptions{})
		if err == nil && found.Status.IdentityHash == "" {
			err = errors.New("it has none")
		}
		return err
	})
}
