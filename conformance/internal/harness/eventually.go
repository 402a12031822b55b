package harness

import (
	"testing"
	"time"
)

const (
	// Patience is how long something may take that follows by itself; kcp's own tests wait 30 s, and this machine may be smaller.
	Patience = 60 * time.Second
	interval = 50 * time.Millisecond
)

// Eventually repeats attempt until it succeeds, and fails the test with its last error when Patience is over.
func Eventually(t *testing.T, what string, attempt func() error) {
	t.Helper()
	deadline := time.Now().Add(Patience)
	for {
		err := attempt()
		if err == nil {
			return
		}
		if time.Now().After(deadline) || t.Context().Err() != nil {
			t.Fatalf("%s: not after %s: %v", what, Patience, err)
		}
		time.Sleep(interval)
	}
}

// Must ends the test on an error.
func Must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Got returns the value, or ends the test on an error: Got(f(x))(t).
func Got[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		Must(t, err)
		return value
	}
}
