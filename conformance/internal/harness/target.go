// Package harness builds what a test needs on a kcp: workspaces, an APIExport, bindings, and an ordinary user who runs a controller. It
// takes everything from the environment and uses only what kcp itself offers, so that the virtual workspaces under test are met by the
// tests' own clients alone.
package harness

import (
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Target is the kcp whose virtual workspaces are tested.
type Target struct {
	// Kubeconfig is the path of an administrator's kubeconfig; its context "base" has the front proxy as server, without a path.
	Kubeconfig string
	// RealKCP is true for a kcp, false for a dev shard, which can be told to fail.
	RealKCP bool
	// Ours is true for the virtual workspaces of this project, false for those of kcp's own Go program.
	Ours bool
	// Views has the names of the views that are served besides those of kcp's own program.
	Views []string
	// Shards has the names of all shards, sorted; never empty.
	Shards []string
	// shardKubeconfigs has, by shard, a kubeconfig whose context "shard-base" is the shard's own administrator.
	shardKubeconfigs map[string]string
	users            []User
}

// User is somebody with a bearer token and without rights of their own.
type User struct{ Name, Token string }

const (
	kubeconfigVariable = "KUBECONFIG"
	serverVariable     = "CONFORMANCE_SERVER"
	implementation     = "CONFORMANCE_VIRTUAL_WORKSPACES"
	shardsVariable     = "CONFORMANCE_SHARD_KUBECONFIGS"
	usersVariable      = "CONFORMANCE_USER_TOKENS"
	viewsVariable      = "CONFORMANCE_VIEWS"
)

var readTarget = sync.OnceValue(func() *Target {
	kubeconfig := os.Getenv(kubeconfigVariable)
	if kubeconfig == "" {
		return nil
	}
	shards := pairs(os.Getenv(shardsVariable), "root="+kubeconfig)
	target := &Target{
		Kubeconfig:       kubeconfig,
		RealKCP:          os.Getenv(serverVariable) != "dev-shard",
		Ours:             os.Getenv(implementation) != "kcp-go",
		Views:            strings.Split(os.Getenv(viewsVariable), ","),
		shardKubeconfigs: map[string]string{},
	}
	for _, shard := range shards {
		target.Shards = append(target.Shards, shard[0])
		target.shardKubeconfigs[shard[0]] = shard[1]
	}
	sort.Strings(target.Shards)
	for _, user := range pairs(os.Getenv(usersVariable), "user-1=user-1-token,user-2=user-2-token") {
		target.users = append(target.users, User{Name: user[0], Token: user[1]})
	}
	return target
})

// pairs splits "a=b,c=d".
func pairs(text, fallback string) [][2]string {
	if text == "" {
		text = fallback
	}
	var found [][2]string
	for pair := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(pair, "=")
		found = append(found, [2]string{name, value})
	}
	return found
}

// TheTarget is what the environment describes. A test without one is skipped.
func TheTarget(t *testing.T) *Target {
	t.Helper()
	target := readTarget()
	if target == nil {
		t.Skipf("%s names no kcp; `npm run conformance` starts one", kubeconfigVariable)
	}
	return target
}

// OnlyOnOurs skips the test where kcp's own Go program serves the virtual workspaces.
func (target *Target) OnlyOnOurs(t *testing.T, why string) {
	t.Helper()
	if !target.Ours {
		t.Skipf("kcp's own virtual workspaces differ: %s", why)
	}
}

// OnlyWithView skips the test where nobody serves the view.
func (target *Target) OnlyWithView(t *testing.T, view string) {
	t.Helper()
	if !slices.Contains(target.Views, view) {
		t.Skipf("the view %s is not served, says %s", view, viewsVariable)
	}
}

// Stranger is somebody without any right.
func (target *Target) Stranger() User { return target.users[1] }

// admin is the administrator at the front proxy, without a path. It speaks JSON: what the harness does proves nothing about protobuf.
func (target *Target) admin(t *testing.T) *rest.Config {
	t.Helper()
	return fromKubeconfig(t, target.Kubeconfig, "base")
}

func fromKubeconfig(t *testing.T, file, context string) *rest.Config {
	t.Helper()
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: file}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: context}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	if err != nil {
		t.Fatalf("context %s of %s: %v", context, file, err)
	}
	config.ContentType = "application/json"
	config.AcceptContentTypes = "application/json"
	config.QPS = -1
	return config
}

// as is the configuration of a user with a token, at the server of config.
func as(config *rest.Config, user User) *rest.Config {
	config = rest.AnonymousClientConfig(config)
	config.BearerToken = user.Token
	// What a client speaks by default is what is tested.
	config.ContentType = ""
	config.AcceptContentTypes = ""
	config.QPS = -1
	return config
}
