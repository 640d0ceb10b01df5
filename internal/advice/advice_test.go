package advice

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

func TestNamesOfSecrets(t *testing.T) {
	for name, want := range map[string]bool{
		"/app/prod/db-password": true, "/app/dbPassword": true, "/app/API_KEY": true, "/app/apiKey": true, "api.token": true, "/app/secret": true,
		"/app/private-key": true, "/app/SECRET_ACCESS_KEY": true, "/app/aws-credentials": true, "passwd": true,
		"/app/secret-arn": false, "/app/token-url": false, "/app/password-length": false, "/app/db-url": false, "/secret/app/log-level": false,
		"/app/key": false, "/app/tokenizer": false, "/app/secretary": false, "": false, "/": false, "/app/token_ttl": false, "/app/key-id": false,
	} {
		if got := NamesSecret(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFormsOfSecrets(t *testing.T) {
	for value, want := range map[string]string{
		"AKIAIOSFODNN7EXAMPLE":                                          "an AWS access key",
		"x\n-----BEGIN RSA PRIVATE KEY-----\nMII":                       "a private key",
		"-----BEGIN PRIVATE KEY-----":                                   "a private key",
		"-----BEGIN PUBLIC KEY-----":                                    "",
		"-----BEGIN CERTIFICATE-----":                                   "",
		"ghp_" + strings.Repeat("a1B2", 9):                              "a token of GitHub",
		"xoxb-1234567890-abcdef":                                        "a token of Slack",
		"postgres://app:hunter2@db:5432/app":                            "a URL with a password",
		"jdbc:postgresql://db/app?user=a&password=hunter2":              "a connection string with a password",
		"Server=db;User Id=a;Password=hunter2;":                         "a connection string with a password",
		"postgres://app:${PASSWORD}@db/app":                             "",
		"postgres://app@db/app":                                         "",
		"https://example.com:8443/a@b":                                  "",
		`{"username":"a","password":"b"}`:                               "JSON with a secret in it",
		`{"password":""}`:                                               "",
		`{"level":"info"}`:                                              "",
		"d41d8cd98f00b204e9800998ecf8427e":                              "a text as random as a key",
		"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY":                      "a text as random as a key",
		"00000000000000000000000000000000":                              "",
		"123e4567-e89b-12d3-a456-426614174000":                          "",
		"ami-0123456789abcdef0":                                         "",
		"arn:aws:iam::123456789012:role/SomeLongRoleNameWithDigits1234": "",
		"/a/path/that/is/Long/Enough/To/Look/Like/Base64/1":             "",
		"the quick brown fox":                                           "",
		"true":                                                          "",
		"":                                                              "",
		"12345678901234567890123456789012345":                           "",
		"internal-web-frontend-service":                                 "",
	} {
		if got := SecretForm(value); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func weighed(p parameter.Parameter, f Facts) (Advice, bool) {
	if p.Modified.IsZero() {
		p.Modified = now.AddDate(0, 0, -10)
	}
	return Of(p, f, Options{Now: now, MaxAge: 90 * 24 * time.Hour})
}

func kinds(a Advice) string {
	var list []string
	for _, r := range a.Reasons {
		list = append(list, r.Kind)
	}
	return strings.Join(list, " ")
}

func TestWhatIsAdvised(t *testing.T) {
	const secure = parameter.SecureString
	tests := []struct {
		name                    string
		p                       parameter.Parameter
		f                       Facts
		verdict, urgency, kinds string
	}{
		{"a SecureString like others", parameter.Parameter{Name: "/a/salt", Type: secure}, Facts{}, Keep, Never, "quiet"},
		{"an old one", parameter.Parameter{Name: "/a/salt", Type: secure, Modified: now.AddDate(0, 0, -91)}, Facts{}, Keep, Soon, "old"},
		{"a database password by its name", parameter.Parameter{Name: "/a/db-password", Type: secure}, Facts{}, Move, Later, "rotation"},
		{"a password below a database", parameter.Parameter{Name: "/a/postgres/password", Type: secure}, Facts{}, Move, Later, "rotation"},
		{"a database password that is old", parameter.Parameter{Name: "/a/db-password", Type: secure, Modified: now.AddDate(-1, 0, 0)}, Facts{}, Move, Soon, "rotation old"},
		{"a database URL", parameter.Parameter{Name: "/a/x", Type: secure, Value: "mysql://a:b@h/d"}, Facts{}, Move, Later, "rotation"},
		{"user and password", parameter.Parameter{Name: "/a/x", Type: secure, Value: `{"username":"a","password":"b"}`}, Facts{}, Move, Later, "rotation json"},
		{"changed often", parameter.Parameter{Name: "/a/x", Type: secure, Version: 12}, Facts{}, Keep, Never, "often"},
		{"nearly too large", parameter.Parameter{Name: "/a/x", Type: secure, Tier: parameter.Advanced, Value: strings.Repeat("x", 8000)}, Facts{}, Move, Soon, "size"},
		{"in several Regions", parameter.Parameter{Name: "/a/x", Type: secure}, Facts{Regions: []string{"eu-west-1"}}, Move, Later, "regions"},
		{"shared and changed often", parameter.Parameter{Name: "/a/x", Type: secure, Tier: parameter.Advanced, Version: 20}, Facts{Accounts: 2}, Move, Later, "often shared"},
		{"advanced for nothing", parameter.Parameter{Name: "/a/x", Type: secure, Tier: parameter.Advanced, Value: "v"}, Facts{}, Keep, Later, "advanced"},
		{"a plain password", parameter.Parameter{Name: "/a/smtp-password", Type: parameter.String, Value: "hunter2"}, Facts{}, Secure, Now, "plain-secret"},
		{"a plain database password", parameter.Parameter{Name: "/a/db-password", Type: parameter.String}, Facts{}, Move, Now, "plain-secret rotation"},
		{"a plain key", parameter.Parameter{Name: "/a/x", Type: parameter.String, Value: "AKIAIOSFODNN7EXAMPLE"}, Facts{}, Secure, Now, "plain-secret"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, ok := weighed(tt.p, tt.f)
			if !ok || a.Verdict != tt.verdict || a.Urgency != tt.urgency || kinds(a) != tt.kinds {
				t.Errorf("got %v %+v", ok, a)
			}
		})
	}
	for _, p := range []parameter.Parameter{
		{Name: "/a/log-level", Type: parameter.String, Value: "info"},
		{Name: "/a/db-password", Type: parameter.String, Value: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x"},
		{Name: "/a/db-url", Type: parameter.String, Value: "postgres://a@b/c"},
	} {
		if a, ok := weighed(p, Facts{}); ok {
			t.Errorf("%s is no secret: %+v", p.Name, a)
		}
	}
}

func TestWhatBothCost(t *testing.T) {
	a, _ := weighed(parameter.Parameter{Name: "/a/x", Type: parameter.SecureString, Tier: parameter.Advanced}, Facts{Regions: []string{"b"}})
	if a.Now.String() != "0.10 USD" || a.Then.String() != "0.80 USD" {
		t.Errorf("in two Regions: %v now, %v then", a.Now, a.Then)
	}
	a, _ = weighed(parameter.Parameter{Name: "/a/x", Type: parameter.SecureString, Tier: parameter.Standard}, Facts{})
	if a.Now != 0 || a.Then.String() != "0.40 USD" {
		t.Errorf("standard: %v now, %v then", a.Now, a.Then)
	}
}

func TestTheMostUrgentComesFirst(t *testing.T) {
	list := []Advice{
		{Name: "d", Urgency: Never, Verdict: Keep},
		{Name: "c", Urgency: Later, Verdict: Move},
		{Name: "b", Urgency: Soon, Verdict: Keep},
		{Name: "a2", Urgency: Now, Verdict: Move},
		{Name: "a1", Urgency: Now, Verdict: Secure},
		{Name: "a0", Urgency: Now, Verdict: Move},
	}
	slices.SortFunc(list, Compare)
	var names []string
	for _, a := range list {
		names = append(names, a.Name)
	}
	if got := strings.Join(names, " "); got != "a1 a0 a2 b c d" {
		t.Error(got)
	}
}

func TestNoAdviceHasAValue(t *testing.T) {
	const canary = "cAnArY7Qx9zR2mK5vB8nL3pW6tY1uJ4s"
	for _, value := range []string{canary, "postgres://u:" + canary + "@h/d", `{"username":"u","password":"` + canary + `"}`, `{"` + canary + `-password":"x","a":1}`} {
		for _, kind := range []string{parameter.String, parameter.SecureString} {
			a, _ := weighed(parameter.Parameter{Name: "/a/x", Type: kind, Value: value, Tier: parameter.Advanced, Modified: now.AddDate(-2, 0, 0)}, Facts{})
			for _, r := range a.Reasons {
				if strings.Contains(strings.ToLower(r.Text), strings.ToLower(canary)) {
					t.Errorf("%s: %s", kind, r.Text)
				}
			}
		}
	}
}

func FuzzAdvice(f *testing.F) {
	f.Add("/a/b", "value", "String")
	f.Add("/a/db-password", `{"password":"x"}`, "SecureString")
	f.Fuzz(func(t *testing.T, name, value, kind string) {
		a, ok := weighed(parameter.Parameter{Name: name, Value: value, Type: kind}, Facts{})
		if ok && (len(a.Reasons) == 0 || a.Urgency == "" || a.Verdict == "") {
			t.Errorf("%+v", a)
		}
	})
}
