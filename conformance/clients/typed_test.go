package clients

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

const namespace = metav1.NamespaceDefault

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Data:       map[string]string{"key": value},
	}
}

// Typed clients of Kubernetes' own types send protobuf, unless told otherwise, and would like to be answered in it.
func TestTypedClientsSendProtobuf(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	consumer := scenario.Consumers[0]
	var traffic harness.Traffic
	client := harness.Got(kubernetes.NewForConfig(traffic.Record(scenario.InCluster(t, consumer))))(t)
	configMaps := client.CoreV1().ConfigMaps(namespace)

	created := harness.Got(configMaps.Create(t.Context(), configMap("typed", "created"), metav1.CreateOptions{}))(t)
	if created.UID == "" || created.Data["key"] != "created" || created.Annotations["kcp.io/cluster"] != consumer.Cluster {
		t.Errorf("create answered %v", created)
	}
	created.Data["key"] = "updated"
	created.BinaryData = map[string][]byte{"bytes": {0, 255, 7}}
	updated := harness.Got(configMaps.Update(t.Context(), created, metav1.UpdateOptions{}))(t)
	if updated.ResourceVersion == created.ResourceVersion {
		t.Errorf("an update left the resourceVersion %s", updated.ResourceVersion)
	}
	stored := harness.Got(consumer.KubeClient(t).CoreV1().ConfigMaps(namespace).Get(t.Context(), "typed", metav1.GetOptions{}))(t)
	if stored.Data["key"] != "updated" || string(stored.BinaryData["bytes"]) != "\x00\xff\x07" {
		t.Errorf("the workspace holds %v %v", stored.Data, stored.BinaryData)
	}

	_, err := configMaps.Create(t.Context(), configMap("typed", "again"), metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		t.Errorf("a second create: %v", err)
	}
	_, err = configMaps.Update(t.Context(), created, metav1.UpdateOptions{})
	if !apierrors.IsConflict(err) {
		t.Errorf("an update of an old version: %v", err)
	}
	another := metav1.NewUIDPreconditions("somebody-else")
	err = configMaps.Delete(t.Context(), "typed", metav1.DeleteOptions{Preconditions: another})
	if !apierrors.IsConflict(err) {
		t.Errorf("a delete of another object of that name: %v", err)
	}
	harness.Must(t, configMaps.Delete(t.Context(), "typed", metav1.DeleteOptions{}))
	_, err = configMaps.Get(t.Context(), "typed", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("a get after the delete: %v", err)
	}

	sent := traffic.Count(func(request harness.Request) bool {
		return strings.Contains(request.ContentType, "protobuf") && (request.Method == "POST" || request.Method == "PUT")
	})
	if sent != 4 {
		t.Errorf("the client sent %d of 4 bodies in protobuf", sent)
	}
}

func TestTypedClientsReadAllLogicalClustersOfAShard(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 2*len(harness.TheTarget(t).Shards))
	for _, consumer := range scenario.Consumers {
		client := harness.Got(kubernetes.NewForConfig(scenario.InCluster(t, consumer)))(t)
		made := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "shared-name"}, Data: map[string][]byte{"from": []byte(consumer.Cluster)}}
		harness.Got(client.CoreV1().Secrets(namespace).Create(t.Context(), made, metav1.CreateOptions{}))(t)
	}
	for _, shard := range scenario.Target.Shards {
		client := harness.Got(kubernetes.NewForConfig(scenario.Wildcard(t, shard)))(t)
		list := harness.Got(client.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=shared-name"}))(t)
		if list.ResourceVersion == "" {
			t.Errorf("the list of %s has no resourceVersion to watch from", shard)
		}
		found := map[string]string{}
		for _, secret := range list.Items {
			found[secret.Annotations["kcp.io/cluster"]] = string(secret.Data["from"])
		}
		for _, consumer := range scenario.Consumers {
			want := ""
			if consumer.Shard == shard {
				want = consumer.Cluster
			}
			if found[consumer.Cluster] != want {
				t.Errorf("the list of %s has %q of a cluster on %s, want %q", shard, found[consumer.Cluster], consumer.Shard, want)
			}
		}
		if len(list.Items) != 2 {
			t.Errorf("the list of %s has %d secrets, want 2", shard, len(list.Items))
		}
	}
}

func TestTypedClientsMakeNamespacesAndDeleteCollections(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	client := harness.Got(kubernetes.NewForConfig(scenario.InCluster(t, scenario.Consumers[0])))(t)
	made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "typed"}}
	harness.Got(client.CoreV1().Namespaces().Create(t.Context(), made, metav1.CreateOptions{}))(t)
	configMaps := client.CoreV1().ConfigMaps("typed")
	for name, color := range map[string]string{"a": "red", "b": "red", "c": "blue"} {
		object := configMap(name, color)
		object.Namespace, object.Labels = "typed", map[string]string{"color": color}
		harness.Got(configMaps.Create(t.Context(), object, metav1.CreateOptions{}))(t)
	}
	harness.Must(t, configMaps.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "color=red"}))
	list := harness.Got(configMaps.List(t.Context(), metav1.ListOptions{LabelSelector: "color"}))(t)
	if len(list.Items) != 1 || list.Items[0].Name != "c" {
		t.Errorf("after the collection's delete the list has %v", list.Items)
	}
}
