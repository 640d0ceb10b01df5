package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// TestAWriteWithoutAnAnswerIsLookedUp puts a network between us and the service that
// loses what the service answers, or the request itself.
func TestAWriteWithoutAnAnswerIsLookedUp(t *testing.T) {
	sc, err := world.ParseScenario("lost", []byte("parameters: [{name: /a, value: old}, {name: /b, value: gone}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	srv, err := simulator.Start(t.Context(), simulator.Options{Scenario: sc})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	target, err := url.Parse(srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	var arrives, lost atomic.Bool
	through := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operation := r.Header.Get("X-Amz-Target")
		if !strings.HasSuffix(operation, ".PutParameter") && !strings.HasSuffix(operation, ".DeleteParameter") || !lost.CompareAndSwap(true, false) {
			through.ServeHTTP(w, r)
			return
		}
		if arrives.Load() {
			through.ServeHTTP(httptest.NewRecorder(), r)
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
	}))
	t.Cleanup(proxy.Close)
	home := t.TempDir()
	run := func(args ...string) (code int, stdout, stderr string) {
		t.Helper()
		var out, errs bytes.Buffer
		creds := srv.Credentials()
		code = commands.Run(t.Context(), &cli.Env{
			In: strings.NewReader(""), Out: &out, Err: &errs, Args: args,
			Lookup: func(name string) (string, bool) {
				if name != "HOME" {
					return "", false
				}
				return home, true
			},
			Local: &awsapi.Static{
				Endpoint: proxy.URL, Region: srv.World().Region(), AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey,
			},
		})
		return code, out.String(), errs.String()
	}
	lose := func(after bool) { arrives.Store(after); lost.Store(true) }

	lose(true)
	if code, out, errs := run("param", "set", "/a", "new", "--overwrite"); code != 0 || !strings.Contains(out, "version\t2") || strings.Contains(errs, "answer") {
		t.Errorf("the answer was lost: %d\n%s%s", code, out, errs)
	}
	lose(false)
	code, out, errs := run("param", "set", "/a", "canary", "--overwrite")
	if code != 1 || !strings.Contains(errs, "no answer came, and the value is not there: version 2 is still the latest") || !strings.Contains(errs, "hint: try again") ||
		strings.Contains(out+errs, "canary") {
		t.Errorf("the request was lost: %d\n%s%s", code, out, errs)
	}
	lose(false)
	if code, out, errs := run("param", "set", "/new", "canary"); code != 1 || !strings.Contains(errs, "there is no such parameter") {
		t.Errorf("the request for a new one was lost: %d\n%s%s", code, out, errs)
	}
	lose(true)
	if code, out, errs := run("param", "delete", "/b", "--yes"); code != 0 || !strings.Contains(out, "/b\tString\t1\tStandard\tdeleted") {
		t.Errorf("the answer to a deletion was lost: %d\n%s%s", code, out, errs)
	}
}
