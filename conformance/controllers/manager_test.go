package controllers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/go-logr/logr"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	mcbuilder "sigs.k8s.io/multicluster-runtime/pkg/builder"
	mcmanager "sigs.k8s.io/multicluster-runtime/pkg/manager"
	"sigs.k8s.io/multicluster-runtime/pkg/multicluster"
	mcreconcile "sigs.k8s.io/multicluster-runtime/pkg/reconcile"

	apisv1alpha1 "github.com/kcp-dev/sdk/apis/apis/v1alpha1"
	apisv1alpha2 "github.com/kcp-dev/sdk/apis/apis/v1alpha2"
	corev1alpha1 "github.com/kcp-dev/sdk/apis/core/v1alpha1"
	tenancyv1alpha1 "github.com/kcp-dev/sdk/apis/tenancy/v1alpha1"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

const namespace = metav1.NamespaceDefault

// quiet keeps the libraries' logs out of the tests' output.
var quiet = logr.Discard()

func init() { log.SetLogger(quiet) }

// scheme has what the providers watch besides Kubernetes' own types.
var scheme = sync.OnceValue(func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, apisv1alpha1.AddToScheme, apisv1alpha2.AddToScheme, corev1alpha1.AddToScheme,
		tenancyv1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	return scheme
})

// startManager runs a manager with one controller for objects of a type, until stop is called or the test ends. The reconciler is given
// the manager, through which it finds the object's logical cluster.
func startManager(
	t *testing.T,
	config *rest.Config,
	provider multicluster.Provider,
	object client.Object,
	reconcile func(context.Context, mcmanager.Manager, mcreconcile.Request) error,
) (mcmanager.Manager, func()) {
	t.Helper()
	// The names of controllers are unique in a process, for their metrics; tests start several.
	anyName := true
	mgr := harness.Got(mcmanager.New(config, provider, manager.Options{
		Scheme:  scheme(),
		Logger:  quiet,
		Metrics: server.Options{BindAddress: "0"},
	}))(t)
	run := mcreconcile.Func(func(ctx context.Context, request mcreconcile.Request) (ctrl.Result, error) {
		return ctrl.Result{}, reconcile(ctx, mgr, request)
	})
	harness.Must(t, mcbuilder.ControllerManagedBy(mgr).Named("conformance").For(object).
		WithOptions(controller.TypedOptions[mcreconcile.Request]{SkipNameValidation: &anyName}).Complete(run))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the manager ended: %v", err)
		}
	})
	t.Cleanup(stop)
	return mgr, stop
}

// mark is a reconciler of ConfigMaps that copies one key of their data to another, and tells so in an event.
func mark(ctx context.Context, mgr mcmanager.Manager, request mcreconcile.Request) error {
	cluster, err := mgr.GetCluster(ctx, request.ClusterName)
	if err != nil {
		return fmt.Errorf("logical cluster %s: %w", request.ClusterName, err)
	}
	var found corev1.ConfigMap
	if err := cluster.GetClient().Get(ctx, request.NamespacedName, &found); err != nil {
		return client.IgnoreNotFound(err)
	}
	wanted, isOurs := found.Data["wanted"]
	if !isOurs || found.Data["marked"] == wanted {
		return nil
	}
	before := found.DeepCopy()
	found.Data["marked"] = wanted
	if err := cluster.GetClient().Patch(ctx, &found, client.MergeFrom(before)); err != nil {
		return err
	}
	cluster.GetEventRecorder("conformance").Eventf(&found, nil, corev1.EventTypeNormal, "Marked", "Marking", "marked as %s", wanted)
	return nil
}

// want makes or changes a ConfigMap in the consumer's workspace for mark.
func want(t *testing.T, consumer harness.Workspace, name, wanted string) {
	t.Helper()
	configMaps := consumer.KubeClient(t).CoreV1().ConfigMaps(namespace)
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"wanted": wanted}}
	_, err := configMaps.Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		harness.Got(configMaps.Update(t.Context(), object, metav1.UpdateOptions{}))(t)
	}
}

// awaitMark waits until the controller has done its work.
func awaitMark(t *testing.T, consumer harness.Workspace, name, wanted string) {
	t.Helper()
	harness.Eventually(t, fmt.Sprintf("mark %s at %s of %s", wanted, name, consumer.Path), func() error {
		found, err := consumer.KubeClient(t).CoreV1().ConfigMaps(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err == nil && found.Data["marked"] != wanted {
			err = fmt.Errorf("it has %v", found.Data)
		}
		return err
	})
}
