package parameter

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

const sharedARN = "arn:aws:ssm:us-east-1:123456789012:parameter/app/url"

func TestWhoAParameterCanBeSharedWith(t *testing.T) {
	for who, want := range map[string]bool{
		"111122223333": true, "arn:aws:iam::111122223333:role/app": true, "arn:aws:iam::111122223333:root": true, "arn:aws-cn:iam::111122223333:user/a/b": true,
		"11112222333": false, "*": false, "o-abc": false, "": false, "arn:aws:iam::1:role/x": false, "arn:aws:organizations::111122223333:organization/o-a": false,
	} {
		if err := CheckPrincipal(who); (err == nil) != want {
			t.Errorf("%s: %v", who, err)
		}
	}
}

func TestASharingPolicyIsReadAsItWasMade(t *testing.T) {
	for _, s := range []Share{{With: []string{"111122223333"}}, {With: []string{"111122223333", "arn:aws:iam::444455556666:role/r"}, History: true}} {
		text, err := s.Policy(sharedARN)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := ShareFrom(text)
		if !ok || !slices.Equal(got.With, s.With) || got.History != s.History {
			t.Errorf("%s: %+v, %v", text, got, ok)
		}
	}
	want := `{"Version":"2012-10-17","Statement":[{"Sid":"Share","Effect":"Allow","Principal":{"AWS":["111122223333"]},` +
		`"Action":["ssm:DescribeParameters","ssm:GetParameter","ssm:GetParameters"],"Resource":["` + sharedARN + `"]}]}`
	if text, _ := (Share{With: []string{"111122223333", "111122223333"}}).Policy(sharedARN); text != want {
		t.Errorf("made %s", text)
	}
}

func TestPoliciesOfOtherFormsAreLeftAlone(t *testing.T) {
	for text, want := range map[string]string{
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"ssm:GetParameter","Resource":"*"}]}`:                            "true [111122223333]",
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["ssm:GetParameter","ssm:PutParameter"]}]}`:                                        "false [111122223333]",
		`{"Statement":[{"Effect":"Deny","Principal":{"AWS":"111122223333"},"Action":"ssm:GetParameter"}]}`:                                                              "false []",
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"ssm:GetParameter","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`:         "false [111122223333]",
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"1"},"Action":"ssm:GetParameter"},{"Effect":"Allow","Principal":{"AWS":"2"},"Action":"ssm:GetParameter"}]}`: "false [1 2]",
		`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ssm:GetParameter"}]}`:                                                                                "false [*]",
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"ssm:GetParameter"}]}`:                                                                        "false [*]",
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333","Service":"lambda.amazonaws.com"},"Action":"ssm:GetParameter"}]}`:                            "false [111122223333]",
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"ssm:GetParameter","NotResource":"x"}]}`:                                           "false [111122223333]",
		`nothing`: "false []",
	} {
		s, ok := ShareFrom(text)
		if got := fmt.Sprintf("%v %v", ok, s.With); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestAPolicyThatIsTooLongIsNotSent(t *testing.T) {
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf("%012d", i))
	}
	if _, err := (Share{With: many}).Policy(sharedARN); fault.KindOf(err) != fault.Limit {
		t.Errorf("got %v", err)
	}
	if text := KeyStatement([]string{"111122223333"}); !strings.Contains(text, `"Action":["kms:Decrypt"]`) {
		t.Error(text)
	}
}
