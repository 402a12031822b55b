package harness

import (
	"net/http"
	"net/url"
	"sync"

	"k8s.io/client-go/rest"
)

// Request is one that a client has sent.
type Request struct {
	Method      string
	Query       url.Values
	ContentType string
	Accept      string
	// AnsweredIn is the Content-Type of the answer.
	AnsweredIn string
}

// Traffic records what a client sends: many tests prove something only if the client has used the feature they are about.
type Traffic struct {
	mutex    sync.Mutex
	requests []Request
}

// Record returns the configuration with its requests recorded.
func (traffic *Traffic) Record(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(request)
			sent := Request{
				Method:      request.Method,
				Query:       request.URL.Query(),
				ContentType: request.Header.Get("Content-Type"),
				Accept:      request.Header.Get("Accept"),
			}
			if response != nil {
				sent.AnsweredIn = response.Header.Get("Content-Type")
			}
			traffic.mutex.Lock()
			defer traffic.mutex.Unlock()
			traffic.requests = append(traffic.requests, sent)
			return response, err
		})
	})
	return config
}

// Count is how many of the requests until now are such.
func (traffic *Traffic) Count(such func(Request) bool) int {
	traffic.mutex.Lock()
	defer traffic.mutex.Unlock()
	count := 0
	for _, request := range traffic.requests {
		if such(request) {
			count++
		}
	}
	return count
}

type roundTripper func(*http.Request) (*http.Response, error)

func (trip roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	return trip(request)
}
