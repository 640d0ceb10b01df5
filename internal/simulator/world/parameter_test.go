package world

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// put is PutParameter for tests: a String that is made or overwritten.
func put(t *testing.T, w *World, name, value string, change ...func(*NewParameter)) ParameterVersion {
	t.Helper()
	v, err := tryPut(w, name, value, change...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func tryPut(w *World, name, value string, change ...func(*NewParameter)) (ParameterVersion, error) {
	p := NewParameter{Name: name, Value: value, Type: "String", Overwrite: true}
	for _, c := range change {
		c(&p)
	}
	return w.PutParameter(p)
}

func TestWhatAnOverwriteKeeps(t *testing.T) {
	w := newWorld(t, "keys: [{id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11, alias: alias/mine}]", succeed)
	put(t, w, "/a", "1", func(p *NewParameter) { p.Description, p.AllowedPattern = ptr("d"), ptr(`\d`) })
	if v := put(t, w, "/a", "2"); v.Description != "d" || v.AllowedPattern != `\d` || v.Number != 2 {
		t.Errorf("got %+v", v)
	}
	if v := put(t, w, "/a", "x", func(p *NewParameter) { p.Description, p.AllowedPattern = ptr(""), ptr("") }); v.Description != "" || v.AllowedPattern != "" {
		t.Errorf("emptied: %+v", v)
	}
	secure := func(p *NewParameter) { p.Type = "SecureString" }
	put(t, w, "/s", "1", secure, func(p *NewParameter) { p.KeyID = "alias/mine" })
	if v := put(t, w, "/s", "2", secure); v.KeyID != "alias/aws/ssm" {
		t.Errorf("without a key: %s", v.KeyID)
	}
}

func TestValuesThatLookLikeAParameter(t *testing.T) {
	w := newWorld(t, "", succeed)
	for value, want := range map[string]string{"{{ssm:/x}}": "ValidationException", "a {{ b }} c": "ValidationException", "{ {x} }": "", "{{": "", "${{": ""} {
		if _, err := tryPut(w, "/a", value); codeOf(err) != want {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestOneNameWithAndWithoutItsSlash(t *testing.T) {
	w := newWorld(t, "", succeed)
	put(t, w, "one", "1")
	if v := put(t, w, "/one", "2"); v.Number != 2 {
		t.Errorf("version %d: they share an ARN", v.Number)
	}
	if s, err := w.Select("", "", w.ParameterARN("one")); err != nil || s.Name != "one" || s.Value != "2" {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestTiers(t *testing.T) {
	w := newWorld(t, "", succeed)
	big := strings.Repeat("é", 2049) // 4,098 bytes
	tier := func(tier string) func(*NewParameter) { return func(p *NewParameter) { p.Tier = tier } }
	expires := func(p *NewParameter) {
		p.Policies = `[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2099-01-01T00:00:00Z"}}]`
	}
	for _, tt := range []struct {
		name  string
		first []func(*NewParameter)
		value string
		then  []func(*NewParameter)
		want  string
	}{
		{"standard is the default", nil, "v", nil, "Standard"},
		{"bytes count, not characters", nil, big, nil, "ValidationException"},
		{"intelligent with a small value", nil, "v", []func(*NewParameter){tier("Intelligent-Tiering")}, "Standard"},
		{"intelligent with a large one", nil, big, []func(*NewParameter){tier("Intelligent-Tiering")}, "Advanced"},
		{"intelligent with a policy", nil, "v", []func(*NewParameter){tier("Intelligent-Tiering"), expires}, "Advanced"},
		{"a policy in the standard tier", nil, "v", []func(*NewParameter){expires}, "ValidationException"},
		{"advanced stays advanced", []func(*NewParameter){tier("Advanced")}, "v", nil, "Advanced"},
		{"advanced stays so with intelligent", []func(*NewParameter){tier("Advanced")}, "v", []func(*NewParameter){tier("Intelligent-Tiering")}, "Advanced"},
		{"no way back", []func(*NewParameter){tier("Advanced")}, "v", []func(*NewParameter){tier("Standard")}, "ValidationException"},
		{"a way up", []func(*NewParameter){tier("Standard")}, "v", []func(*NewParameter){tier("Advanced")}, "Advanced"},
		{"more than 8 KB", nil, strings.Repeat("x", 8193), []func(*NewParameter){tier("Advanced")}, "ValidationException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := "/" + strings.ReplaceAll(tt.name, " ", "-")
			name = strings.ReplaceAll(name, ",", "")
			if tt.first != nil {
				put(t, w, name, "first", tt.first...)
			}
			v, err := tryPut(w, name, tt.value, tt.then...)
			if got := v.Tier + codeOf(err); got != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
	if err := w.UpdateServiceSetting(SettingDefaultTier, "Intelligent-Tiering", ""); err != nil {
		t.Fatal(err)
	}
	if v := put(t, w, "/default", big); v.Tier != "Advanced" {
		t.Errorf("the account's default: %s", v.Tier)
	}
}

func TestTenThousandStandardParametersAreAll(t *testing.T) {
	w := newWorld(t, "parameter_store: {generate: [{count: 10000, secure: 5, per_path: 250}]}", succeed)
	if _, err := tryPut(w, "/one-more", "v"); codeOf(err) != "ParameterLimitExceeded" {
		t.Errorf("got %v", err)
	}
	put(t, w, "/load/g001/00010", "another version is none")
	if v := put(t, w, "/one-more", "v", func(p *NewParameter) { p.Tier = "Intelligent-Tiering" }); v.Tier != "Advanced" {
		t.Errorf("intelligent: %s", v.Tier)
	}
	w.DeleteParameter("/load/g001/00002")
	put(t, w, "/in-its-place", "v")

	got, _, more := w.FindParameters(ParameterQuery{Path: "/load", Flat: true, Limit: 10})
	if len(got) != 0 || more {
		t.Errorf("nothing is directly below: %v, %v", got, more)
	}
	var names []string
	for after := ""; ; {
		page, last, more := w.FindParameters(ParameterQuery{Path: "/load/g040", After: after, Limit: 10})
		for _, h := range page {
			names = append(names, h.Name)
		}
		if after = last; !more {
			break
		}
	}
	if len(names) != 250 || names[0] != "/load/g040/09751" || names[249] != "/load/g040/10000" || !slices.IsSorted(names) {
		t.Errorf("%d: %v", len(names), names)
	}
	secure := 0
	for p := range w.RawParameters() {
		if p.Type == "SecureString" {
			secure++
		}
	}
	if secure != 5 {
		t.Errorf("%d SecureStrings", secure)
	}
}

func TestTheHierarchyIsWalkedInOrder(t *testing.T) {
	w := newWorld(t, "", succeed)
	for _, name := range []string{"/a/b", "/a/b/c", "/a/b/d/e", "/a-b/x", "/a.b", "/a/z", "/a0", "root", "/a/b0"} {
		put(t, w, name, "v")
	}
	find := func(q ParameterQuery) string {
		var names []string
		q.Limit = 2
		for {
			page, last, more := w.FindParameters(q)
			for _, h := range page {
				names = append(names, h.Name)
			}
			if q.After = last; !more {
				return strings.Join(names, " ")
			}
		}
	}
	for _, tt := range []struct {
		q    ParameterQuery
		want string
	}{
		{ParameterQuery{Path: "/"}, "/a-b/x /a.b /a/b /a/b/c /a/b/d/e /a/b0 /a/z /a0 root"},
		{ParameterQuery{Path: "/", Flat: true}, "/a.b /a0 root"},
		{ParameterQuery{Path: "/a", Flat: true}, "/a/b /a/b0 /a/z"},
		{ParameterQuery{Path: "/a/"}, "/a/b /a/b/c /a/b/d/e /a/b0 /a/z"},
		{ParameterQuery{Path: "/a/b"}, "/a/b/c /a/b/d/e"},
		{ParameterQuery{Path: "/none"}, ""},
		{ParameterQuery{Prefix: "/a/b"}, "/a/b /a/b/c /a/b/d/e /a/b0"},
		{ParameterQuery{Names: []string{"root", "/a/z", "a.b", "/none", "/a/z"}}, "/a.b /a/z root"},
	} {
		if got := find(tt.q); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.q, got, tt.want)
		}
	}
}

func TestTheOldestVersionGoesUnlessItHasALabel(t *testing.T) {
	w := newWorld(t, "", succeed)
	for i := range 100 {
		put(t, w, "/a", fmt.Sprint(i))
	}
	if _, _, err := w.LabelParameter("/a", 1, []string{"first"}); err != nil {
		t.Fatal(err)
	}
	if _, err := tryPut(w, "/a", "x"); codeOf(err) != "ParameterMaxVersionLimitExceeded" || !strings.Contains(err.Error(), "Version 1, the oldest") {
		t.Errorf("got %v", err)
	}
	if p, _ := w.Parameter("/a"); p.Latest().Number != 100 {
		t.Errorf("version %d", p.Latest().Number)
	}
	if _, _, err := w.LabelParameter("/a", 0, []string{"first"}); err != nil {
		t.Fatal(err)
	}
	put(t, w, "/a", "x")
	p, _ := w.Parameter("/a")
	if len(p.Versions) != 100 || p.Versions[0].Number != 2 || !slices.Equal(p.Versions[98].Labels, []string{"first"}) {
		t.Errorf("%d versions from %d", len(p.Versions), p.Versions[0].Number)
	}
}

func TestPoliciesOfParameters(t *testing.T) {
	const (
		expiry = `{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2099-12-02T21:34:33.000Z"}}`
		notify = `{"Type":"ExpirationNotification","Version":"1.0","Attributes":{"Before":"15","Unit":"Days"}}`
		idle   = `{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"20","Unit":"Hours"}}`
	)
	w := newWorld(t, "", succeed)
	for text, want := range map[string]string{
		"[" + expiry + "," + notify + "," + notify + "," + idle + "]": "",
		"[{}]": "",
		"[]":   "",
		strings.Replace("["+expiry+"]", "2099-12-02T21:34:33.000Z", "2099-11-01T22:13:48.87+10:30:00", 1): "",
		strings.Replace("["+expiry+"]", "2099-12-02T21:34:33.000Z", "2099-11-01", 1):                      "InvalidPolicyAttributeException",
		`{"Type":"Expiration"}`: "ValidationException",
		`no json`:               "ValidationException",
		`null`:                  "ValidationException",
		`["Expiration"]`:        "ValidationException",
		strings.ReplaceAll("["+idle+"]", "NoChange", "Every"): "InvalidPolicyTypeException",
		strings.ReplaceAll("["+idle+"]", "Hours", "Weeks"):    "InvalidPolicyAttributeException",
		strings.ReplaceAll("["+idle+"]", `"20"`, `"0"`):       "InvalidPolicyAttributeException",
		strings.ReplaceAll("["+idle+"]", `"20"`, `20`):        "",
		strings.ReplaceAll("["+idle+"]", "1.0", "2.0"):        "InvalidPolicyAttributeException",
		"[" + expiry + "," + expiry + "]":                     "IncompatiblePolicyException",
		"[" + notify + "]":                                    "IncompatiblePolicyException",
		"[" + strings.Repeat(idle+",", 10) + idle + "]":       "PoliciesLimitExceededException",
		"[" + expiry + strings.Repeat(","+notify, 9) + "]":    "",
	} {
		_, err := tryPut(w, "/p", "v", func(p *NewParameter) { p.Tier, p.Policies = "Advanced", text })
		if codeOf(err) != want {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	put(t, w, "/q", "v", func(p *NewParameter) { p.Tier, p.Policies = "Advanced", "["+expiry+","+notify+"]" })
	if v := put(t, w, "/q", "w"); len(v.Policies) != 2 || v.Policies[0].Text != expiry {
		t.Errorf("they stay: %+v", v.Policies)
	}
	if v := put(t, w, "/q", "w", func(p *NewParameter) { p.Policies = "[" + idle + "]" }); len(v.Policies) != 1 || v.Policies[0].Type != "NoChangeNotification" {
		t.Errorf("a list takes their place: %+v", v.Policies)
	}
	if v := put(t, w, "/q", "w", func(p *NewParameter) { p.Policies = "[{}]" }); len(v.Policies) != 0 {
		t.Errorf("none: %+v", v.Policies)
	}
}

func TestPoliciesActOnTheClock(t *testing.T) {
	w := newWorld(t, `
clock: {start: 2026-03-01T12:00:00Z, stopped: true}
parameters:
  - {name: /app/token, type: SecureString, value: first, expires: 240h, notify: 72h}
  - {name: /app/key, value: old, tier: Advanced, unchanged: 48h}
`, succeed)
	forward := func(d time.Duration) {
		t.Helper()
		if err := w.Clock().Advance(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	told := func() string {
		var list []string
		for _, e := range w.ParameterEvents() {
			if e.DetailType == "Parameter Store Policy Action" {
				list = append(list, e.Time.UTC().Format("02T15")+" "+e.Detail["policy-type"]+" "+e.Detail["parameter-name"])
			} else {
				list = append(list, e.Time.UTC().Format("02T15")+" "+e.Detail["operation"]+" "+e.Detail["name"])
			}
		}
		return strings.Join(list, "\n")
	}
	state := func(name string) string {
		p, ok := w.Parameter(name)
		if !ok {
			return "gone"
		}
		var list []string
		for _, policy := range p.Latest().Policies {
			list = append(list, policy.Status)
		}
		return strings.Join(list, " ")
	}
	forward(47 * time.Hour)
	put(t, w, "/app/key", "new")
	forward(47 * time.Hour)
	if got := told(); got != "03T11 Update /app/key" || state("/app/key") != "Pending" {
		t.Errorf("a change begins the time anew:\n%s", got)
	}
	forward(time.Hour)
	if state("/app/key") != "Finished" {
		t.Error(state("/app/key"))
	}
	forward(168*time.Hour - 95*time.Hour)
	if state("/app/token") != "Pending Finished" {
		t.Error(state("/app/token"))
	}
	forward(72*time.Hour - time.Second)
	if state("/app/token") != "Pending Finished" {
		t.Error(state("/app/token"))
	}
	forward(time.Second)
	want := "03T11 Update /app/key\n05T11 NoChangeNotification /app/key\n08T12 ExpirationNotification /app/token\n11T12 Expiration /app/token\n11T12 Delete /app/token"
	if got := told(); got != want || state("/app/token") != "gone" {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	last := w.ParameterEvents()[3]
	if last.Source != "aws.ssm" || last.Resources[0] != w.ParameterARN("/app/token") || last.Detail["action-status"] != "Success" || strings.Contains(fmt.Sprint(last), "first") {
		t.Errorf("got %+v", last)
	}
}

func TestAnImageIsCheckedAfterTheAnswer(t *testing.T) {
	w := newWorld(t, `
clock: {start: 2026-03-01T12:00:00Z, stopped: true}
nodes: [{id: i-00000000000000001, image: ami-0123456789abcdef0}]
`, succeed)
	image := func(p *NewParameter) { p.DataType = "aws:ec2:image" }
	settle := func() {
		t.Helper()
		if err := w.Clock().Advance(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if v := put(t, w, "/ami", "ami-0123456789abcdef0", image); v.Number != 1 {
		t.Errorf("got %+v", v)
	}
	settle()
	for _, bad := range []string{"ami-0fedcba9876543210", "not-an-image"} {
		if v := put(t, w, "/ami", bad, image); v.Number != 2 {
			t.Errorf("%s: got %+v", bad, v)
		}
		settle()
		if p, _ := w.Parameter("/ami"); p.Latest().Value != "ami-0123456789abcdef0" || len(p.Versions) != 1 {
			t.Errorf("%s is kept: %+v", bad, p)
		}
		events := w.ParameterEvents()
		if e := events[len(events)-1]; e.Detail["action-status"] != "Failed" || e.Detail["operation"] != "Update" {
			t.Errorf("%s: %+v", bad, e)
		}
	}
	if _, err := tryPut(w, "/list", "ami-0123456789abcdef0", image, func(p *NewParameter) { p.Type = "StringList" }); codeOf(err) != "ValidationException" {
		t.Errorf("a StringList: %v", err)
	}
}

func TestADeletedNameIsRefusedForAWhile(t *testing.T) {
	w := newWorld(t, "clock: {start: 2026-03-01T12:00:00Z, stopped: true}\nparameter_store: {recreate_after: 30s}", succeed)
	put(t, w, "/a", "v")
	w.DeleteParameter("/a")
	if _, err := tryPut(w, "/a", "v"); codeOf(err) != "TooManyUpdates" {
		t.Errorf("got %v", err)
	}
	put(t, w, "/b", "v")
	if err := w.Clock().Advance(t.Context(), 30*time.Second); err != nil {
		t.Fatal(err)
	}
	if v := put(t, w, "/a", "v"); v.Number != 1 {
		t.Errorf("got %+v", v)
	}
}

func TestPublicParameters(t *testing.T) {
	w := newWorld(t, "", succeed)
	s, err := w.Select("", "", "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64")
	if err != nil || !imageForm().MatchString(s.Value) || s.ARN != "arn:aws:ssm:us-east-1::parameter/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64" {
		t.Errorf("got %+v, %v", s, err)
	}
	if byARN, err := w.Select("", "", s.ARN); err != nil || byARN.Value != s.Value {
		t.Errorf("got %+v, %v", byARN, err)
	}
	page, _, more := w.FindParameters(ParameterQuery{Path: "/aws/service/global-infrastructure/regions", Flat: true, Public: true, Limit: 50})
	if len(page) < 20 || more {
		t.Errorf("%d Regions", len(page))
	}
	if own, _, _ := w.FindParameters(ParameterQuery{Path: "/", Limit: 10}); len(own) != 0 {
		t.Errorf("they are the account's own: %v", own)
	}
	if _, err := tryPut(w, "/aws/service/mine", "v"); codeOf(err) != "AccessDeniedException" {
		t.Errorf("got %v", err)
	}
}
