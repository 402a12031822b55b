package clients

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/openapi3"
	"k8s.io/client-go/rest"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// Both forms of discovery say the same of both views, of all logical clusters and of one.
func TestDiscoveryOfASyncer(t *testing.T) {
	t.Parallel()
	on := newOnTarget(t)
	on.awaitUpsyncer(t)
	status := func(resource string) string { return resource + "/status [get patch update]" }
	synced, upsynced := " [get list patch update watch]", " [create delete get list patch update watch]"
	for _, view := range []struct {
		name      string
		at        func(*testing.T, string, string) *rest.Config
		resources []string
		missing   []string
	}{
		{
			"syncer", on.Syncer,
			[]string{
				"v1 configmaps" + synced, "v1 namespaces" + synced, "v1 " + status("namespaces"), "v1 secrets" + synced,
				"v1 serviceaccounts" + synced, "apps/v1 deployments" + synced, "apps/v1 " + status("deployments"),
			},
			[]string{"v1 pods", "v1 endpoints", "apps/v1 deployments/scale"},
		},
		{
			"upsyncer", on.Upsyncer,
			[]string{"v1 persistentvolumes" + upsynced, "v1 pods" + upsynced, "v1 " + status("pods")},
			[]string{"v1 configmaps", "v1 namespaces", "apps/v1 deployments"},
		},
	} {
		for _, cluster := range []string{"*", on.owner.Cluster} {
			t.Run(fmt.Sprintf("%s in %s", view.name, map[bool]string{true: "all", false: "one"}[cluster == "*"]), func(t *testing.T) {
				client := harness.Got(discovery.NewDiscoveryClientForConfig(view.at(t, on.owner.Shard, cluster)))(t)
				aggregated, legacy := discovered(t, client), discovered(t, client.WithLegacy())
				if !slices.Equal(aggregated, legacy) {
					t.Errorf("aggregated discovery says %v, the other form %v", aggregated, legacy)
				}
				for _, resource := range view.resources {
					if !slices.Contains(aggregated, resource) {
						t.Errorf("there is no %s in %v", resource, aggregated)
					}
				}
				for _, missing := range view.missing {
					if slices.ContainsFunc(aggregated, func(resource string) bool { return nameOf(resource) == missing }) {
						t.Errorf("there is %s in %v", missing, aggregated)
					}
				}
			})
		}
	}
}

// discovered has a line for each resource: group and version, name, verbs.
func discovered(t *testing.T, client discovery.DiscoveryInterface) []string {
	t.Helper()
	_, lists, err := client.ServerGroupsAndResources()
	harness.Must(t, err)
	var lines []string
	for _, list := range lists {
		for _, resource := range list.APIResources {
			verbs := slices.Sorted(slices.Values(resource.Verbs))
			lines = append(lines, fmt.Sprintf("%s %s %v", list.GroupVersion, resource.Name, verbs))
		}
	}
	slices.Sort(lines)
	return lines
}

// nameOf is a line without the verbs.
func nameOf(line string) string { return line[:strings.Index(line, " [")] }

func TestOpenAPIOfASyncer(t *testing.T) {
	t.Parallel()
	on := newOnTarget(t)
	client := harness.Got(discovery.NewDiscoveryClientForConfig(on.Syncer(t, on.owner.Shard, "*")))(t)
	spec := harness.Got(openapi3.NewRoot(client.OpenAPIV3()).GVSpec(deployments.GroupVersion()))(t)
	path := "/apis/apps/v1/namespaces/{namespace}/deployments"
	if spec.Paths == nil || spec.Paths.Paths[path] == nil {
		t.Errorf("OpenAPI has no path %s", path)
	}
}
