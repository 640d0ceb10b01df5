package world

import "testing"

func TestWildcards(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "", true},
		{"a*c", "abc", true},
		{"a*c", "a/b:c", true},
		{"a*c", "acb", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"*b*", "abc", true},
		{"a*b*c", "a-b-b-c", true},
		{"", "a", false},
		{"abc", "abc", true},
	} {
		if got := wildcard(tt.pattern, tt.s); got != tt.want {
			t.Errorf("%q and %q: %v", tt.pattern, tt.s, got)
		}
	}
}

func TestDenied(t *testing.T) {
	w := newWorld(t, `
keys: [{id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11, alias: alias/app}]
denied: ["kms:Decrypt", "ssm:GetParameter*", "ssm:PutParameter /prod/*", "ssm:PutParameter plain", "secretsmanager:GetSecretValue app/db"]
`, succeed)
	for action, want := range map[string]bool{"kms:Decrypt": true, "KMS:decrypt": true, "kms:Encrypt": false, "ssm:GetParametersByPath": true, "ssm:PutParameter": false} {
		if got := w.Denies(action); got != want {
			t.Errorf("%s on everything: %v", action, got)
		}
	}
	const demo = "arn:aws:iam::123456789012:user/demo"
	for _, name := range []string{"alias/app", "alias/aws/ssm"} {
		k, err := w.Key(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.UseKey(demo, k, "kms:Decrypt"); codeOf(err) != "AccessDeniedException" {
			t.Errorf("%s: %v", name, err)
		}
		if err := w.UseKey(demo, k, "kms:Encrypt"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, want := range map[string]string{"/prod/a": "AccessDeniedException", "/test/a": "", "plain": "AccessDeniedException", "/plain": "AccessDeniedException", "/a/plain": ""} {
		if err := w.MayWrite(demo, "ssm:PutParameter", w.ParameterARN(name)); codeOf(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, want := range map[string]string{"app/db-AbCdEf": "AccessDeniedException", "app/db": "AccessDeniedException", "app/db2-AbCdEf": "", "app/db-other-AbCdEf": ""} {
		if err := w.MayOn(demo, "secretsmanager:GetSecretValue", w.ARN("secretsmanager", "secret:"+name)); codeOf(err) != want {
			t.Errorf("secret %s: %v", name, err)
		}
	}
}

func TestWhoMayUseAKey(t *testing.T) {
	w := newWorld(t, `
keys:
  - {id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11, alias: alias/open}
  - {id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d12, alias: alias/app, users: [app, "222222222222"]}
  - {id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d13, alias: alias/off, state: disabled}
  - {id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d14, alias: alias/gone, state: pending_deletion}
roles:
  - {name: bare, enforced: true, policies: [], inline: {p: '{"Statement":{"Effect":"Allow","Action":"ssm:*","Resource":"*"}}'}}
  - {name: reader, enforced: true, policies: [], inline: {p: '{"Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}]}'}}
denied: ["kms:Decrypt alias/open"]
`, succeed)
	const (
		demo  = "arn:aws:iam::123456789012:user/demo"
		other = "arn:aws:sts::222222222222:assumed-role/x/y"
	)
	role := func(name string) string { return "arn:aws:sts::123456789012:assumed-role/" + name + "/s" }
	for _, tt := range []struct{ caller, key, action, want string }{
		{demo, "alias/open", "kms:Encrypt", ""},
		{demo, "alias/open", "kms:Decrypt", "AccessDeniedException"},
		{demo, "alias/app", "kms:Decrypt", "AccessDeniedException"},
		{role("app"), "alias/app", "kms:Decrypt", ""},
		{other, "alias/app", "kms:Decrypt", ""},
		{other, "alias/open", "kms:Encrypt", "AccessDeniedException"},
		{other, "alias/aws/ssm", "kms:Decrypt", "AccessDeniedException"},
		{role("bare"), "alias/open", "kms:Encrypt", "AccessDeniedException"},
		{role("bare"), "alias/aws/ssm", "kms:Decrypt", ""},
		{role("reader"), "alias/off", "kms:Decrypt", "DisabledException"},
		{role("reader"), "alias/off", "kms:Encrypt", "AccessDeniedException"},
		{demo, "alias/gone", "kms:Encrypt", "KMSInvalidStateException"},
	} {
		k, err := w.Key(tt.key)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.UseKey(tt.caller, k, tt.action); codeOf(err) != tt.want {
			t.Errorf("%s, %s, %s: %v, want %q", tt.caller, tt.key, tt.action, err, tt.want)
		}
	}
}
