package harness

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	apisv1alpha1 "github.com/kcp-dev/sdk/apis/apis/v1alpha1"
)

// Widgets is the resource that the export of every scenario brings: namespaced, with a status.
var Widgets = schema.GroupVersionResource{Group: "conformance.example.com", Version: "v1", Resource: "widgets"}

// WidgetKind is the kind of Widgets.
var WidgetKind = Widgets.GroupVersion().WithKind("Widget")

const widgetSchemaName = "v1.widgets.conformance.example.com"

const widgetSchema = `{
	"type": "object",
	"properties": {
		"spec": {"type": "object", "properties": {
			"color": {"type": "string"},
			"size": {"type": "integer"},
			"labels": {"type": "object", "additionalProperties": {"type": "string"}}
		}},
		"status": {"type": "object", "properties": {"observed": {"type": "string"}}}
	}
}`

func widgetResourceSchema() *apisv1alpha1.APIResourceSchema {
	return &apisv1alpha1.APIResourceSchema{
		ObjectMeta: metav1.ObjectMeta{Name: widgetSchemaName},
		Spec: apisv1alpha1.APIResourceSchemaSpec{
			Group: Widgets.Group,
			Names: apiextensionsv1.CustomResourceDefinitionNames{
				Plural: Widgets.Resource, Singular: "widget", Kind: WidgetKind.Kind, ListKind: WidgetKind.Kind + "List",
			},
			Scope: apiextensionsv1.NamespaceScoped,
			Versions: []apisv1alpha1.APIResourceVersion{{
				Name: Widgets.Version, Served: true, Storage: true,
				Schema:       runtime.RawExtension{Raw: []byte(widgetSchema)},
				Subresources: apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
			}},
		},
	}
}

// Widget is a widget of a color in the namespace default.
func Widget(name, color string) *unstructured.Unstructured {
	widget := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"color": color}}}
	widget.SetGroupVersionKind(WidgetKind)
	widget.SetNamespace(metav1.NamespaceDefault)
	widget.SetName(name)
	return widget
}
