package harness

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Scenario is a service provider with an export, and the consumers who have bound it: what most tests begin with.
type Scenario struct {
	Target    *Target
	Provider  Workspace
	Consumers []Workspace
	// User runs the provider's controllers, with no right but those.
	User User
	// Stranger has no right at all.
	Stranger User

	// urls has the published URLs of those shards on which somebody has bound the export.
	urls map[string]string
}

// NewScenario makes a provider on the root shard and so many consumers, spread over all shards, and waits until the provider's user
// reaches them through the URLs in the endpoint slice.
func NewScenario(t *testing.T, consumers int) *Scenario {
	t.Helper()
	target := TheTarget(t)
	shards := []string{"root"}
	for i := range consumers {
		shards = append(shards, target.Shards[i%len(target.Shards)])
	}
	workspaces := target.NewWorkspaces(t, shards)
	scenario := &Scenario{
		Target: target, User: target.users[0], Stranger: target.Stranger(),
		Provider: workspaces[0], Consumers: workspaces[1:], urls: map[string]string{},
	}
	target.createExport(t, scenario.Provider)
	scenario.Provider.Grant(t, scenario.User.Subject(), providerRules)
	scenario.Bind(t, scenario.Consumers...)
	return scenario
}

// ProviderConfig is the user's configuration in the provider's workspace: where a controller finds the endpoint slice of EndpointSlice.
func (scenario *Scenario) ProviderConfig(t *testing.T) *rest.Config {
	t.Helper()
	return as(scenario.Target.ConfigIn(t, scenario.Provider.Path), scenario.User)
}

// EndpointSlice is the name of the export's APIExportEndpointSlice.
func (scenario *Scenario) EndpointSlice() string { return exportName }

// awaitAccess waits until the endpoint slice has the URL of the consumer's shard and the user reaches the consumer through it.
func (scenario *Scenario) awaitAccess(t *testing.T, consumer Workspace) {
	t.Helper()
	Eventually(t, "URL for the shard "+consumer.Shard, func() error {
		urls, err := scenario.publishedURLs(t)
		if err != nil {
			return err
		}
		prefix := scenario.Target.virtualWorkspaceURL(t, consumer.Shard)
		for _, url := range urls {
			if strings.HasPrefix(url, prefix+"/") {
				scenario.urls[consumer.Shard] = url
				return nil
			}
		}
		return fmt.Errorf("there is none with the prefix %s in %v", prefix, urls)
	})
	client := Got(kubernetes.NewForConfig(scenario.InCluster(t, consumer)))(t)
	Eventually(t, "access to "+consumer.Path+" through the export's URL", func() error {
		_, err := client.CoreV1().ConfigMaps(metav1.NamespaceDefault).List(t.Context(), metav1.ListOptions{})
		return err
	})
}

// AwaitURLs waits until the endpoint slice has so many URLs.
func (scenario *Scenario) AwaitURLs(t *testing.T, count int) {
	t.Helper()
	Eventually(t, fmt.Sprintf("URLs in the endpoint slice: %d", count), func() error {
		urls, err := scenario.publishedURLs(t)
		if err == nil && len(urls) != count {
			err = fmt.Errorf("there are %v", urls)
		}
		return err
	})
}

func (scenario *Scenario) publishedURLs(t *testing.T) ([]string, error) {
	t.Helper()
	slices := scenario.Target.KCPClient(t, scenario.Provider.Path).ApisV1alpha1().APIExportEndpointSlices()
	slice, err := slices.Get(t.Context(), scenario.EndpointSlice(), metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	var urls []string
	for _, endpoint := range slice.Status.APIExportEndpoints {
		urls = append(urls, endpoint.URL)
	}
	return urls, nil
}

func (target *Target) virtualWorkspaceURL(t *testing.T, shard string) string {
	t.Helper()
	shards := target.KCPClient(t, "root").CoreV1alpha1().Shards()
	return strings.TrimSuffix(Got(shards.Get(t.Context(), shard, metav1.GetOptions{}))(t).Spec.VirtualWorkspaceURL, "/")
}

// UnpublishedURL is the URL that the slice will have for a shard once somebody there binds the export.
func (scenario *Scenario) UnpublishedURL(t *testing.T, shard string) string {
	t.Helper()
	return fmt.Sprintf("%s/services/apiexport/%s/%s", scenario.Target.virtualWorkspaceURL(t, shard), scenario.Provider.Cluster, exportName)
}

// At is the user's configuration at a URL, as a controller makes it: the configuration of the provider's workspace with another host.
func (scenario *Scenario) At(t *testing.T, url string) *rest.Config {
	t.Helper()
	config := scenario.ProviderConfig(t)
	config.Host = url
	return config
}

// Wildcard is the user's configuration for all logical clusters of a shard.
func (scenario *Scenario) Wildcard(t *testing.T, shard string) *rest.Config {
	t.Helper()
	return scenario.At(t, scenario.urls[shard]+"/clusters/*")
}

// InCluster is the user's configuration for one consumer.
func (scenario *Scenario) InCluster(t *testing.T, consumer Workspace) *rest.Config {
	t.Helper()
	return scenario.At(t, scenario.urls[consumer.Shard]+"/clusters/"+consumer.Cluster)
}

// As is the configuration with another user's token.
func As(config *rest.Config, user User) *rest.Config { return as(config, user) }
