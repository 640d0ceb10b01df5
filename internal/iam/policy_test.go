package iam

import (
	"strings"
	"testing"
)

func documents(t *testing.T, texts ...string) []Document {
	t.Helper()
	var docs []Document
	for i, text := range texts {
		d, err := ParseDocument(string(rune('a'+i)), text)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
	return docs
}

func TestDecide(t *testing.T) {
	const action = "ssmmessages:OpenDataChannel"
	for _, tt := range []struct {
		name     string
		policies []string
		want     Result
		by       string
	}{
		{"nothing", nil, NotAllowed, ""},
		{"another action", []string{`{"Statement":[{"Effect":"Allow","Action":"ssm:*","Resource":"*"}]}`}, NotAllowed, ""},
		{"by name", []string{`{"Statement":[{"Effect":"Allow","Action":["ssmmessages:OpenDataChannel"],"Resource":"*"}]}`}, Allowed, "a"},
		{"in another case", []string{`{"Statement":[{"Effect":"Allow","Action":"SSMMessages:openDATAchannel","Resource":"*"}]}`}, Allowed, "a"},
		{"by wildcard", []string{`{"Statement":{"Effect":"Allow","Action":"ssm*:Open?ataChannel","Resource":["*"]}}`}, Allowed, "a"},
		{"everything", []string{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`}, Allowed, "a"},
		{"all but", []string{`{"Statement":[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]}`}, Allowed, "a"},
		{"all but this", []string{`{"Statement":[{"Effect":"Allow","NotAction":["iam:*","ssmmessages:*"],"Resource":"*"}]}`}, NotAllowed, ""},
		{"on some resources", []string{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::x"}]}`}, Perhaps, "a"},
		{"on all resources but", []string{`{"Statement":[{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::x"}]}`}, Perhaps, "a"},
		{"under a condition", []string{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:x":"true"}}}]}`}, Perhaps, "a"},
		{"certain beats perhaps", []string{
			`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:x":"true"}}}]}`,
			`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		}, Allowed, "b"},
		{"a denial wins", []string{
			`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, `{"Statement":[{"Effect":"Deny","Action":"ssmmessages:*","Resource":"*"}]}`,
		}, Denied, "b"},
		{"a denial first", []string{
			`{"Statement":[{"Effect":"Deny","Action":"ssmmessages:*","Resource":"*"}]}`, `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		}, Denied, "a"},
		{"a denial under a condition", []string{
			`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}]}`,
		}, Allowed, "a"},
		{"an endpoint's policy for all", []string{`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`}, Allowed, "a"},
		{"an endpoint's policy for all, longer", []string{`{"Statement":[{"Effect":"Allow","Principal":{"AWS": ["*"]},"Action":"*","Resource":"*"}]}`}, Allowed, "a"},
		{"an endpoint's policy for some", []string{`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:role/x"},"Action":"*","Resource":"*"}]}`}, Perhaps, "a"},
	} {
		d := Decide(documents(t, tt.policies...), action)
		if d.Result != tt.want || d.Policy != tt.by || d.Action != action {
			t.Errorf("%s: %+v, want %v by %q", tt.name, d, tt.want, tt.by)
		}
	}
}

func TestCoreAllowsWhatAgentsNeed(t *testing.T) {
	docs, err := Documents([]Policy{{Name: Core, ARN: CoreARN("aws-cn")}})
	if err != nil || len(docs) != 1 {
		t.Fatal(docs, err)
	}
	for action, want := range map[string]Result{
		"ssm:UpdateInstanceInformation": Allowed, "ssmmessages:OpenControlChannel": Allowed, "ec2messages:GetMessages": Allowed, "s3:PutObject": NotAllowed,
	} {
		if d := Decide(docs, action); d.Result != want {
			t.Errorf("%s: %v", action, d.Result)
		}
	}
}

func TestDocumentsNamesWhatItCanNotRead(t *testing.T) {
	docs, err := Documents([]Policy{{Name: "good", Document: `{"Statement":[]}`}, {Name: "bad", Document: `{"Statement":7}`}})
	if len(docs) != 1 || err == nil || !strings.Contains(err.Error(), "policy bad") {
		t.Errorf("got %v, %v", docs, err)
	}
}

func TestTrusts(t *testing.T) {
	for policy, want := range map[string]bool{
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`:                                                                            true,
		`{"Statement":{"Effect":"Allow","Principal":{"Service":["ssm.amazonaws.com","ec2.amazonaws.com.cn"]},"Action":["sts:*"]}}`:                                                            true,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`:                                                                         false,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`:                                                                                                false,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:TagSession"}]}`:                                                                            false,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":{"Service":"ec2.amazonaws.com"},"Action":"*"}]}`: false,
		`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}`:                                                                                                        false,
	} {
		if got, err := Trusts(policy, "ec2.amazonaws.com"); err != nil || got != want {
			t.Errorf("%s: %v, %v", policy, got, err)
		}
	}
	if _, err := Trusts("%7B", "ec2.amazonaws.com"); err == nil {
		t.Error("what is no policy is an error")
	}
}

func TestWildcard(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"*", "", true},
		{"a*", "", false},
		{"a*c", "abbc", true},
		{"a*c", "abcb", false},
		{"*b*", "abc", true},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"**", "x", true},
		{"a*b*c", "aXbYbZc", true},
		{"ssm:Get*", "ssm:GetParameters", true},
		{"a", "ab", false},
	} {
		if got := wildcard(tt.pattern, tt.s); got != tt.want {
			t.Errorf("%q on %q: %v", tt.pattern, tt.s, got)
		}
	}
}

// FuzzDecide feeds policies of whoever wrote them: nothing may panic, and an
// unconditional denial of everything added to any policy denies.
func FuzzDecide(f *testing.F) {
	f.Add(`{"Statement":[{"Effect":"Allow","Action":["ssm:*"],"Resource":"*"}]}`, "ssm:GetParameter")
	f.Add(`{"Statement":{"Effect":"Deny","NotAction":"a*b","Principal":{"Service":["x"]}}}`, "a:b")
	f.Fuzz(func(t *testing.T, policy, action string) {
		d, err := ParseDocument("x", policy)
		if err != nil {
			return
		}
		Decide([]Document{d}, action)
		_, _ = Trusts(policy, action)
		no, err := ParseDocument("no", `{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`)
		if err != nil {
			t.Fatal(err)
		}
		if got := Decide([]Document{d, no}, action); got.Result != Denied {
			t.Errorf("%s: %+v", action, got)
		}
	})
}
