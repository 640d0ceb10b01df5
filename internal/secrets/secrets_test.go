package secrets

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// vault notes what is sent, and answers with JSON.
type vault struct {
	sent    []string
	answer  string
	refusal string
}

func (v *vault) Call(_ context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	v.sent = append(v.sent, operation+" "+string(body))
	if v.refusal != "" {
		return &smithy.GenericAPIError{Code: v.refusal, Message: "no"}
	}
	return json.Unmarshal([]byte(v.answer), out)
}

func TestASecretIsMadeWithAllThatTheParameterHas(t *testing.T) {
	v := &vault{answer: `{"ARN":"arn:x","Name":"app/db","VersionId":"v"}`}
	got, err := (&Service{v}).Create(t.Context(), New{Name: "app/db", Value: " v\r\n", Description: "d", KeyID: "alias/k", Tags: map[string]string{"b": "2", "a": "1"}, Token: Token("a", "1")})
	if err != nil || got.ARN != "arn:x" || got.Version != "v" {
		t.Fatalf("got %+v, %v", got, err)
	}
	want := `CreateSecret {"Name":"app/db","ClientRequestToken":"` + Token("a", "1") + `","Description":"d","KmsKeyId":"alias/k","SecretString":" v\r\n","Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}]}`
	if v.sent[0] != want {
		t.Errorf("sent %s\nwant %s", v.sent[0], want)
	}
}

func TestASecretThatIsNotThereIsNoError(t *testing.T) {
	if _, found, err := (&Service{&vault{refusal: "ResourceNotFoundException"}}).Find(t.Context(), "x"); found || err != nil {
		t.Errorf("got %v, %v", found, err)
	}
	if _, _, err := (&Service{&vault{refusal: "AccessDeniedException"}}).Find(t.Context(), "x"); err == nil {
		t.Error("a refusal is no error")
	}
	s, found, err := (&Service{&vault{answer: `{"Name":"x","DeletedDate":1700000000.5}`}}).Find(t.Context(), "x")
	if !found || err != nil || s.Deletes.Unix() != 1700000000 {
		t.Errorf("got %+v, %v, %v", s, found, err)
	}
}

func TestTokensAreTheSameForTheSame(t *testing.T) {
	a, b := Token("arn", "3", "name"), Token("arn", "3", "name")
	if a != b || a == Token("arn", "4", "name") || Token("ab", "c") == Token("a", "bc") || len(a) != 36 {
		t.Errorf("%s, %s", a, b)
	}
}

func TestRulesOfNewSecrets(t *testing.T) {
	for _, tt := range []struct {
		n    New
		want int
	}{
		{New{Name: "app/prod_db-1+=.@!", Value: "x"}, 0},
		{New{Name: "with space", Value: "x"}, 1},
		{New{Name: "", Value: ""}, 2},
		{New{Name: strings.Repeat("n", 513), Value: strings.Repeat("v", MaxBytes+1)}, 2},
	} {
		faults := tt.n.Check()
		if len(faults) != tt.want {
			t.Errorf("%.20s: %v", tt.n.Name, faults)
		}
		for _, err := range faults {
			if fault.KindOf(err) != fault.Usage {
				t.Errorf("%v is of kind %v", err, fault.KindOf(err))
			}
		}
	}
	if Doubt("app/db-AbC123") == "" || Doubt("app/db") != "" || Doubt("my-secret1") != "" {
		t.Error("the ends of ARNs")
	}
}
