package parameter

import "testing"

func TestKeysHaveSeveralNames(t *testing.T) {
	const arn = "arn:aws:kms:eu-west-1:111122223333:"
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"", "alias/aws/ssm", true},
		{"alias/aws/ssm", arn + "alias/aws/ssm", true},
		{"alias/app", arn + "alias/app", true},
		{"1234", arn + "key/1234", true},
		{"alias/app", "alias/other", false},
		{"", "alias/app", false},
		{arn + "alias/app", "arn:aws:kms:us-east-1:111122223333:alias/app", false},
	} {
		if SameKey(c.a, c.b) != c.same || SameKey(c.b, c.a) != c.same {
			t.Errorf("%q and %q", c.a, c.b)
		}
	}
	if !OwnKey("") || !OwnKey(arn+"alias/aws/ssm") || OwnKey("alias/app") {
		t.Error("the account's own key")
	}
}
