package clients

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/openapi3"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

func TestDiscovery(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	consumer := scenario.Consumers[0]
	for _, place := range []struct {
		name   string
		config *rest.Config
	}{
		{"of all logical clusters", scenario.Wildcard(t, consumer.Shard)},
		{"of one logical cluster", scenario.InCluster(t, consumer)},
	} {
		t.Run(place.name, func(t *testing.T) {
			t.Parallel()
			client := harness.Got(discovery.NewDiscoveryClientForConfig(place.config))(t)
			mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client))
			for kind, resource := range map[schema.GroupVersionKind]string{
				harness.WidgetKind: "widgets",
				corev1.SchemeGroupVersion.WithKind("ConfigMap"):                 "configmaps",
				{Group: "events.k8s.io", Version: "v1", Kind: "Event"}:          "events",
				corev1.SchemeGroupVersion.WithKind("Event"):                     "events",
				{Group: "coordination.k8s.io", Version: "v1", Kind: "Lease"}:    "leases",
				{Group: "apis.kcp.io", Version: "v1alpha1", Kind: "APIBinding"}: "apibindings",
				{Group: "apis.kcp.io", Version: "v1alpha2", Kind: "APIBinding"}: "apibindings",
			} {
				mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
				if err != nil || mapping.Resource.Resource != resource {
					t.Errorf("%s is mapped to %v: %v", kind, mapping, err)
				}
			}
			if _, _, err := client.ServerGroupsAndResources(); err != nil {
				t.Errorf("discovery of everything: %v", err)
			}
			openAPI := openapi3.NewRoot(client.OpenAPIV3())
			spec := harness.Got(openAPI.GVSpec(harness.Widgets.GroupVersion()))(t)
			path := "/apis/conformance.example.com/v1/namespaces/{namespace}/widgets"
			if spec.Paths == nil || spec.Paths.Paths[path] == nil {
				t.Errorf("OpenAPI has no path %s", path)
			}
		})
	}
}
