package clients

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	eventsv1client "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/record"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

// A claim of events in one of their two groups opens both.
func TestEventRecorders(t *testing.T) {
	t.Parallel()
	scenario := harness.NewScenario(t, 1)
	consumer := scenario.Consumers[0]
	client := harness.Got(kubernetes.NewForConfig(scenario.InCluster(t, consumer)))(t)
	seen := consumer.KubeClient(t).EventsV1().Events(namespace)
	regarding := harness.Got(client.CoreV1().ConfigMaps(namespace).
		Create(t.Context(), configMap("regarded", "value"), metav1.CreateOptions{}))(t)

	t.Run("of the core group", func(t *testing.T) {
		t.Parallel()
		broadcaster := record.NewBroadcaster(record.WithContext(t.Context()))
		defer broadcaster.Shutdown()
		broadcaster.StartRecordingToSink(&corev1client.EventSinkImpl{Interface: client.CoreV1().Events("")})
		recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "conformance"})
		// The second is a patch of the first.
		recorder.Event(regarding, corev1.EventTypeNormal, "Core", "the same")
		recorder.Event(regarding, corev1.EventTypeNormal, "Core", "the same")
		harness.Eventually(t, "an event that has happened twice", func() error {
			event, err := eventOf(t, seen, "Core")
			if err == nil && event.DeprecatedCount != 2 {
				err = fmt.Errorf("its count is %d", event.DeprecatedCount)
			}
			return err
		})
	})
	t.Run("of events.k8s.io", func(t *testing.T) {
		t.Parallel()
		broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
		defer broadcaster.Shutdown()
		harness.Must(t, broadcaster.StartRecordingToSinkWithContext(t.Context()))
		recorder := broadcaster.NewRecorder(scheme.Scheme, "conformance")
		// The second is a patch of the first, which makes a series of it.
		recorder.Eventf(regarding, nil, corev1.EventTypeNormal, "Events", "Testing", "the same")
		harness.Eventually(t, "an event", func() error {
			_, err := eventOf(t, seen, "Events")
			return err
		})
		recorder.Eventf(regarding, nil, corev1.EventTypeNormal, "Events", "Testing", "the same")
		harness.Eventually(t, "a series of events", func() error {
			event, err := eventOf(t, seen, "Events")
			if err == nil && event.Series == nil {
				err = fmt.Errorf("it is %v", event)
			}
			return err
		})
	})
}

// eventOf finds the one event of the reason.
func eventOf(t *testing.T, seen eventsv1client.EventInterface, reason string) (*eventsv1.Event, error) {
	t.Helper()
	list, err := seen.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var found *eventsv1.Event
	for _, event := range list.Items {
		if event.Reason == reason {
			if found != nil {
				return nil, fmt.Errorf("there are several: %v and %v", found, event)
			}
			found = &event
		}
	}
	if found == nil {
		return nil, fmt.Errorf("there is none in %v", list.Items)
	}
	return found, nil
}
