package simulator

import (
	"net/http"
	"strings"
	"testing"
)

func TestHostsArePointedElsewhere(t *testing.T) {
	s := start(t, Options{})
	const name = "my-db.cluster-xyz.us-east-1.rds.amazonaws.com"
	for _, tt := range []struct {
		kind, body string
		want       int
	}{
		{"application/json", `{"name": "` + name + `", "port": 5432, "connect": "127.0.0.1:1"}`, http.StatusNoContent},
		{"application/json", `{"name": "` + name + `", "port": 5432, "connect": "192.0.2.1:1"}`, http.StatusBadRequest},
		{"application/json", `{"name": "nope", "port": 5432, "connect": "127.0.0.1:1"}`, http.StatusBadRequest},
		{"application/json", `{`, http.StatusBadRequest},
		{"text/plain", `{"name": "` + name + `", "port": 5432, "connect": "127.0.0.1:1"}`, http.StatusUnsupportedMediaType},
	} {
		resp, err := client(t, s).Post(s.URL()+HostsPath, tt.kind, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.kind, tt.body, resp.StatusCode, tt.want)
		}
	}
}
