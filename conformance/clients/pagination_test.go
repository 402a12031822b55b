package clients

import (
	"context"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/pager"

	"github.com/kcp-virtual-workspaces/conformance/internal/harness"
)

const (
	widgetsPerCluster = 7
	pageSize          = 3
)

func TestListsComeInPages(t *testing.T) {
	t.Parallel()
	shards := harness.TheTarget(t).Shards
	scenario := harness.NewScenario(t, 2*len(shards))
	shard := scenario.Consumers[0].Shard
	var clusters []harness.Workspace
	for _, consumer := range scenario.Consumers {
		if consumer.Shard == shard {
			clusters = append(clusters, consumer)
		}
	}
	for _, consumer := range clusters {
		widgets := harness.Got(dynamic.NewForConfig(scenario.InCluster(t, consumer)))(t).Resource(harness.Widgets).Namespace(namespace)
		for i := range widgetsPerCluster {
			harness.Got(widgets.Create(t.Context(), harness.Widget(fmt.Sprintf("widget-%d", i), "red"), metav1.CreateOptions{}))(t)
		}
	}
	one := harness.Got(dynamic.NewForConfig(scenario.InCluster(t, clusters[0])))(t).Resource(harness.Widgets)
	all := harness.Got(dynamic.NewForConfig(scenario.Wildcard(t, shard)))(t).Resource(harness.Widgets)

	t.Run("of one logical cluster", func(t *testing.T) {
		t.Parallel()
		readPages(t, one, widgetsPerCluster)
	})
	t.Run("of all logical clusters", func(t *testing.T) {
		t.Parallel()
		readPages(t, all, widgetsPerCluster*len(clusters))
	})
	t.Run("with a token that is none", func(t *testing.T) {
		t.Parallel()
		_, err := all.List(t.Context(), metav1.ListOptions{Limit: pageSize, Continue: "none"})
		if !apierrors.IsBadRequest(err) {
			t.Errorf("a list from a token that is none: %v", err)
		}
	})
}

func readPages(t *testing.T, widgets dynamic.ResourceInterface, total int) {
	t.Helper()
	pages := 0
	versions := map[string]bool{}
	reader := pager.New(nil)
	reader.PageSize = pageSize
	reader.PageFn = func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		page, err := widgets.List(ctx, options)
		if err != nil {
			return nil, err
		}
		pages++
		versions[page.GetResourceVersion()] = true
		if len(page.Items) > pageSize {
			t.Errorf("a page of %d", len(page.Items))
		}
		return page, nil
	}
	seen := map[string]bool{}
	harness.Must(t, reader.EachListItem(t.Context(), metav1.ListOptions{}, func(item runtime.Object) error {
		widget, err := meta.Accessor(item)
		if err != nil {
			return err
		}
		key := widget.GetAnnotations()["kcp.io/cluster"] + "/" + widget.GetName()
		if seen[key] {
			t.Errorf("%s came twice", key)
		}
		seen[key] = true
		return nil
	}))
	if len(seen) != total || pages != (total+pageSize-1)/pageSize {
		t.Errorf("%d widgets came in %d pages, want %d", len(seen), pages, total)
	}
	if len(versions) != 1 {
		t.Errorf("the pages are of different versions: %v", versions)
	}
}
