package doctor

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/iam"
)

// well are the facts of a caller to whom nothing is wrong.
func well() selfFacts {
	f := selfFacts{region: "eu-west-1", me: fact[caller]{value: caller{"1", "arn:aws:iam::1:user/me"}}}
	f.place = Place{API: "https://ssm.eu-west-1.amazonaws.com", Gateway: "https://ssmmessages.eu-west-1.amazonaws.com/v1", Terminal: Terminal{In: true, Out: true, Columns: 120, UTF8: true}}
	f.api = probe{status: 404, at: noon, date: noon.Add(-10 * time.Second), took: 30 * time.Millisecond}
	f.gateway = probe{status: 403}
	var actions []string
	for _, e := range everyday {
		actions = append(actions, e.actions...)
	}
	f.rights.value = allowing(actions...)
	return f
}

func TestSelf(t *testing.T) {
	refused := &url.Error{Op: "Get", URL: "https://x", Err: errors.New("dial tcp: connection refused")}
	for _, tt := range []struct {
		name   string
		spoil  func(f *selfFacts)
		status Status
		cause  string
	}{
		{"well", func(*selfFacts) {}, Pass, ""},
		{"no answer", func(f *selfFacts) { f.api = probe{err: refused} }, Fail, "endpoint-unreachable"},
		{"no answer in time", func(f *selfFacts) { f.api = probe{err: context.DeadlineExceeded} }, Fail, "endpoint-unreachable"},
		{"proxy gone", func(f *selfFacts) {
			f.place.Proxy, f.api = "http://proxy:3128", probe{err: &url.Error{Err: errors.New("proxyconnect tcp: dial tcp: connection refused")}}
		}, Fail, "proxy-refuses"},
		{"proxy refuses", func(f *selfFacts) {
			f.place.Proxy, f.api = "http://proxy:3128", probe{err: &url.Error{Err: errors.New("Proxy Authentication Required")}}
		}, Fail, "proxy-refuses"},
		{"certificate", func(f *selfFacts) {
			f.api = probe{err: &url.Error{Err: errors.New("tls: failed to verify certificate: x509: certificate signed by unknown authority")}}
		}, Fail, "certificate-unknown"},
		{"clock ahead", func(f *selfFacts) { f.api.date = noon.Add(-6 * time.Minute) }, Fail, "clock-wrong"},
		{"clock behind", func(f *selfFacts) { f.api.date = noon.Add(5 * time.Minute) }, Fail, "clock-wrong"},
		{"clock a little off", func(f *selfFacts) { f.api.date = noon.Add(2 * time.Minute) }, Warn, "clock-wrong"},
		{"expired", func(f *selfFacts) {
			f.me.err = fault.New(fault.Auth, "identify the caller", "the credentials have expired")
		}, Fail, "no-credentials"},
		{"gateway gone", func(f *selfFacts) { f.gateway = probe{err: refused} }, Fail, "websocket-blocked"},
		{"something takes the websocket apart", func(f *selfFacts) { f.gateway.status = 426 }, Fail, "websocket-blocked"},
		{"a gateway that opens", func(f *selfFacts) { f.gateway.status = 101 }, Pass, ""},
		{"no sessions", func(f *selfFacts) {
			f.rights.value.decisions = slices.DeleteFunc(f.rights.value.decisions, func(d iam.Decision) bool { return d.Action == "ssm:StartSession" })
		}, Warn, "caller-lacks-actions"},
		{"dumb", func(f *selfFacts) { f.place.Terminal.Dumb = true }, Warn, "no-terminal"},
		{"not UTF-8", func(f *selfFacts) { f.place.Terminal.UTF8 = false }, Warn, "no-terminal"},
		{"narrow", func(f *selfFacts) { f.place.Terminal.Columns = 40 }, Warn, "no-terminal"},
		{"no terminal", func(f *selfFacts) { f.place.Terminal.In = false }, Pass, ""},
	} {
		f := well()
		tt.spoil(&f)
		worst, cause := Pass, ""
		for _, k := range selfChecks {
			c := k.rule(&f)
			if c.Found() {
				if worst != Pass {
					t.Errorf("%s: more than one finding: %s and %s", tt.name, cause, c.Cause)
				}
				worst, cause = c.Status, c.Cause
			}
			if _, ok := CauseOf(c.Cause); c.Cause != "" && !ok {
				t.Errorf("%s: %s is no cause", tt.name, c.Cause)
			}
		}
		if worst != tt.status || cause != tt.cause {
			t.Errorf("%s: %s %s, want %s %s", tt.name, worst, cause, tt.status, tt.cause)
		}
	}
}

func TestSelfSkipsWhatIsDenied(t *testing.T) {
	f := well()
	f.rights.err = denyOf("simulate", "iam:SimulatePrincipalPolicy")
	if c := selfRights(&f); c.Status != Skip || c.Evidence != "not allowed: iam:SimulatePrincipalPolicy" {
		t.Errorf("got %+v", c)
	}
}

func TestExamineSelfAsksTheAddresses(t *testing.T) {
	var upgrades []string
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			upgrades = append(upgrades, r.URL.Path+" "+r.Header.Get("Sec-WebSocket-Version"))
		}
		rw.Header().Set("Date", noon.Add(time.Hour).Format(http.TimeFormat))
		rw.WriteHeader(http.StatusForbidden)
	}))
	defer srv.Close()
	w := newWorld(t)
	w.iam.EXPECT().Role(gomock.Any(), "Ops").Return(iam.Role{Name: "Ops", ARN: "arn:aws:iam::1:role/sso/Ops"}, true, nil)
	w.iam.EXPECT().Simulate(gomock.Any(), "arn:aws:iam::1:role/sso/Ops", gomock.Any(), "").Return(well().rights.value.decisions, nil)
	var handed []string
	checks, err := w.ExamineSelf(t.Context(), Place{API: srv.URL, Gateway: srv.URL + "/v1/data-channel/x", HTTP: srv.Client()}, func(c Check) { handed = append(handed, c.ID) })
	if err != nil || len(handed) != len(checks) {
		t.Fatal(handed, err)
	}
	if got := withStatus(checks, Fail); !slices.Equal(got, []string{"clock-wrong"}) {
		t.Errorf("failed %v", got)
	}
	if !slices.Equal(upgrades, []string{"/v1/data-channel/x 13"}) {
		t.Errorf("upgrades %v", upgrades)
	}
}

func TestCertificatesThatNobodyTrusts(t *testing.T) {
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	srv.Config.ErrorLog = nil
	defer srv.Close()
	w := newWorld(t)
	f := well()
	f.api = w.probe(t.Context(), &http.Client{Transport: &http.Transport{}}, srv.URL, false)
	if c := selfReaches(&f); c.Cause != "certificate-unknown" {
		t.Errorf("got %+v", c)
	}
}

func TestNoScope(t *testing.T) {
	for cause, err := range map[string]error{
		"no-region":      fault.New(fault.Usage, "choose a Region", "no Region is configured").WithHint("name one"),
		"no-credentials": fault.New(fault.Usage, "load", "there is no profile x"),
	} {
		if c := NoScope(err); c.Cause != cause || c.Status != Fail || cause == "no-region" && !strings.Contains(c.Evidence, "name one") {
			t.Errorf("got %+v", c)
		}
	}
}
