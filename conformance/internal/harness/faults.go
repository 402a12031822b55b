package harness

import (
	"testing"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// ForgottenVersion is a resourceVersion from which the shard cannot watch what has been bound on it since then.
func (target *Target) ForgottenVersion(t *testing.T, shard string) string {
	t.Helper()
	if !target.RealKCP {
		// It forgets nothing by itself.
		target.Fault(t, shard, "compact")
	}
	return "1"
}

// Fault does something to a dev shard: compact makes it forget all versions until now, disconnect cuts every connection.
func (target *Target) Fault(t *testing.T, shard, name string) {
	t.Helper()
	config := fromKubeconfig(t, target.shardKubeconfigs[shard], "shard-base")
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	client := Got(rest.UnversionedRESTClientFor(config))(t)
	Must(t, client.Post().AbsPath("/faults/"+name).Do(t.Context()).Error())
}
