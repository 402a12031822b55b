package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// ComputePath is the workspace with the exports of SyncTargets and of what is synced; whoever serves the view syncer has made it.
const ComputePath = "root:compute"

const (
	computeExport = "kubernetes"
	// Syncers send a heartbeat so often.
	heartbeatInterval = 20 * time.Second
)

var syncTargets = schema.GroupVersionResource{Group: "workload.kcp.io", Version: "v1alpha1", Resource: "synctargets"}

// SyncTarget is a physical cluster as kcp knows it, with a service account beside it that is its syncer.
type SyncTarget struct {
	Name string
	// Key is what labels, annotations and finalizers of this target end with.
	Key string

	home   Workspace
	syncer User
	urls   map[string]syncTargetURLs
}

type syncTargetURLs struct {
	SyncerURL   string `json:"syncerURL"`
	UpsyncerURL string `json:"upsyncerURL"`
}

// syncTargetStatus is the part of a SyncTarget's status that a syncer reads.
type syncTargetStatus struct {
	VirtualWorkspaces []syncTargetURLs `json:"virtualWorkspaces"`
	SyncedResources   []struct {
		Group        string   `json:"group"`
		Resource     string   `json:"resource"`
		Versions     []string `json:"versions"`
		IdentityHash string   `json:"identityHash"`
		State        string   `json:"state"`
	} `json:"syncedResources"`
}

// NewSyncTarget creates a SyncTarget in root:compute, whose syncer is alive and accepts all resources, and waits until it has its URLs.
func (target *Target) NewSyncTarget(t *testing.T) *SyncTarget {
	t.Helper()
	target.OnlyWithView(t, "syncer")
	return (Workspace{Path: ComputePath, Shard: "root", target: target}).newSyncTarget(t, map[string]any{"export": computeExport})
}

func (workspace Workspace) newSyncTarget(t *testing.T, supportedAPIExports ...any) *SyncTarget {
	t.Helper()
	name := UniqueName("conformance")
	made := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{"supportedAPIExports": supportedAPIExports},
	}}
	made.SetGroupVersionKind(syncTargets.GroupVersion().WithKind("SyncTarget"))
	made.SetName(name)
	made.SetLabels(map[string]string{placementLabel: name})
	clusters := Got(dynamic.NewForConfig(workspace.target.ConfigIn(t, workspace.Path)))(t).Resource(syncTargets)
	Eventually(t, "creation of a SyncTarget in "+workspace.Path, func() error {
		_, err := clusters.Create(t.Context(), made, metav1.CreateOptions{})
		return err
	})
	t.Cleanup(func() {
		// The test's own context ends before its cleanup begins.
		if err := clusters.Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
			t.Logf("SyncTarget %s stays behind: %v", name, err)
		}
	})
	created := &SyncTarget{Name: name, home: workspace, urls: map[string]syncTargetURLs{}}
	created.giveSyncer(t)
	created.beatUntilTheEnd(t)
	created.acceptResources(t)
	created.awaitURLs(t)
	return created
}

// giveSyncer makes the service account, with the rights that a syncer has and no others.
func (syncTarget *SyncTarget) giveSyncer(t *testing.T) {
	t.Helper()
	accounts := syncTarget.home.KubeClient(t).CoreV1().ServiceAccounts(metav1.NamespaceDefault)
	made := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: syncTarget.Name}}
	Got(accounts.Create(t.Context(), made, metav1.CreateOptions{}))(t)
	request := &authenticationv1.TokenRequest{}
	token := Got(accounts.CreateToken(t.Context(), made.Name, request, metav1.CreateOptions{}))(t).Status.Token
	syncTarget.syncer = User{Name: made.Name, Token: token}
	subject := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: metav1.NamespaceDefault, Name: made.Name}
	of := func(resource string, verbs ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{
			APIGroups: []string{syncTargets.Group}, Resources: []string{resource}, ResourceNames: []string{syncTarget.Name}, Verbs: verbs,
		}
	}
	syncTarget.home.Grant(t, subject, []rbacv1.PolicyRule{
		of(syncTargets.Resource, "sync", "get", "list", "watch"),
		of(syncTargets.Resource+"/status", "get", "update", "patch"),
	})
}

// own is the syncer's client of its SyncTarget, at the front proxy.
func (syncTarget *SyncTarget) own(t *testing.T) dynamic.ResourceInterface {
	t.Helper()
	config := as(syncTarget.home.target.ConfigIn(t, syncTarget.home.Path), syncTarget.syncer)
	return Got(dynamic.NewForConfig(config))(t).Resource(syncTargets)
}

// beatUntilTheEnd says that the syncer is alive: without that its target is given nothing.
func (syncTarget *SyncTarget) beatUntilTheEnd(t *testing.T) {
	t.Helper()
	own := syncTarget.own(t)
	beat := func() error {
		patch := fmt.Sprintf(`{"status":{"lastSyncerHeartbeatTime":%q}}`, time.Now().UTC().Format(time.RFC3339))
		_, err := own.Patch(t.Context(), syncTarget.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
		return err
	}
	Eventually(t, "heartbeat of "+syncTarget.Name, beat)
	ended := make(chan struct{})
	t.Cleanup(func() { <-ended })
	go func() {
		defer close(ended)
		for {
			select {
			case <-t.Context().Done():
				return
			case <-time.After(heartbeatInterval):
			}
			// The next one makes good for one that is lost.
			if err := beat(); err != nil && t.Context().Err() == nil {
				t.Logf("heartbeat of %s: %v", syncTarget.Name, err)
			}
		}
	}()
}

// acceptResources says as the syncer that the cluster can take all that the export has.
func (syncTarget *SyncTarget) acceptResources(t *testing.T) {
	t.Helper()
	own := syncTarget.own(t)
	Eventually(t, "resources of "+syncTarget.Name, func() error {
		found, status, err := syncTarget.status(t)
		if err != nil {
			return err
		}
		if len(status.SyncedResources) == 0 {
			return errors.New("there are none")
		}
		for i := range status.SyncedResources {
			status.SyncedResources[i].State = "Accepted"
		}
		patch, err := json.Marshal(map[string]any{
			"metadata": map[string]any{"resourceVersion": found.GetResourceVersion()},
			"status":   map[string]any{"syncedResources": status.SyncedResources},
		})
		if err != nil {
			return err
		}
		_, err = own.Patch(t.Context(), syncTarget.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
		return err
	})
}

// awaitURLs waits until the status has the URLs of all shards, and the key is known.
func (syncTarget *SyncTarget) awaitURLs(t *testing.T) {
	t.Helper()
	target := syncTarget.home.target
	Eventually(t, "URLs of "+syncTarget.Name, func() error {
		found, status, err := syncTarget.status(t)
		if err != nil {
			return err
		}
		for _, shard := range target.Shards {
			prefix := target.virtualWorkspaceURL(t, shard) + "/"
			for _, urls := range status.VirtualWorkspaces {
				if strings.HasPrefix(urls.SyncerURL, prefix) {
					syncTarget.urls[shard] = urls
				}
			}
		}
		syncTarget.Key = found.GetLabels()["internal.workload.kcp.io/key"]
		if len(syncTarget.urls) != len(target.Shards) || syncTarget.Key == "" {
			return fmt.Errorf("its key is %q, its URLs are %v", syncTarget.Key, status.VirtualWorkspaces)
		}
		return nil
	})
}

func (syncTarget *SyncTarget) status(t *testing.T) (*unstructured.Unstructured, syncTargetStatus, error) {
	t.Helper()
	read := struct {
		Status syncTargetStatus `json:"status"`
	}{}
	found, err := syncTarget.own(t).Get(t.Context(), syncTarget.Name, metav1.GetOptions{})
	if err == nil {
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(found.Object, &read)
	}
	return found, read.Status, err
}

// Syncer is the syncer's configuration at what is assigned to the target on a shard: in all logical clusters, or in one.
func (syncTarget *SyncTarget) Syncer(t *testing.T, shard, cluster string) *rest.Config {
	t.Helper()
	return syncTarget.at(t, syncTarget.urls[shard].SyncerURL, cluster)
}

// Upsyncer is the syncer's configuration at what the target has made on a shard.
func (syncTarget *SyncTarget) Upsyncer(t *testing.T, shard, cluster string) *rest.Config {
	t.Helper()
	return syncTarget.at(t, syncTarget.urls[shard].UpsyncerURL, cluster)
}

// What is synced is written in JSON: deployments and pods are custom resources there, whatever a typed client takes them for.
func (syncTarget *SyncTarget) at(t *testing.T, url, cluster string) *rest.Config {
	t.Helper()
	config := as(syncTarget.home.target.admin(t), syncTarget.syncer)
	config.Host = url + "/clusters/" + cluster
	config.ContentType = runtime.ContentTypeJSON
	return config
}

// StateLabel says by its value what an object is to the target: Sync, Upsync, or empty.
func (syncTarget *SyncTarget) StateLabel() string { return "state.workload.kcp.io/" + syncTarget.Key }

// Finalizer is the syncer's on what it has taken.
func (syncTarget *SyncTarget) Finalizer() string { return "workload.kcp.io/syncer-" + syncTarget.Key }
