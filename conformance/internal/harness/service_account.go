package harness

import (
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// UseServiceAccount makes a service account of the provider's workspace the user of the scenario.
func (scenario *Scenario) UseServiceAccount(t *testing.T) {
	t.Helper()
	accounts := scenario.Provider.KubeClient(t).CoreV1().ServiceAccounts(metav1.NamespaceDefault)
	made := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: UniqueName("conformance")}}
	account := Got(accounts.Create(t.Context(), made, metav1.CreateOptions{}))(t)
	request := &authenticationv1.TokenRequest{}
	token := Got(accounts.CreateToken(t.Context(), account.Name, request, metav1.CreateOptions{}))(t).Status.Token
	subject := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: account.Namespace, Name: account.Name}
	scenario.Provider.Grant(t, subject, providerRules)
	scenario.User = User{Name: account.Name, Token: token}
	for _, consumer := range scenario.Consumers {
		scenario.awaitAccess(t, consumer)
	}
}
