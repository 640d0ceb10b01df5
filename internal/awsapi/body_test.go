package awsapi

import (
	"io"
	"net/http"
	"testing"
)

// TestBodiesAreReadersOnly: what net/http asks of a body after the answer has
// begun must not look like a broken connection, also in a second attempt.
func TestBodiesAreReadersOnly(t *testing.T) {
	var bodies []io.ReadCloser
	s := wired(t, Options{}, &wire{do: func(n int, r *http.Request) (*http.Response, error) {
		bodies = append(bodies, r.Body)
		b, err := io.ReadAll(r.Body)
		if int64(len(b)) != r.ContentLength || err != nil {
			t.Errorf("read %d of %d bytes, %v", len(b), r.ContentLength, err)
		}
		if n == 1 {
			return answer(http.StatusBadRequest, throttle), nil
		}
		return answer(http.StatusOK, "{}"), nil
	}})
	if err := sendCommand(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if len(bodies) != 2 {
		t.Fatalf("%d requests, want a second one after a throttle", len(bodies))
	}
	for _, body := range bodies {
		if n, err := io.Copy(io.Discard, body); n != 0 || err != nil {
			t.Errorf("a body that was sent gives %d bytes more, %v", n, err)
		}
	}
}
