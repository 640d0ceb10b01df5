package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// TestTheRulesOfParametersAreThoseOfTheService holds what is checked offline against the
// simulator, whose rules were written apart: what one accepts the other does too.
func TestTheRulesOfParametersAreThoseOfTheService(t *testing.T) {
	sc, err := world.ParseScenario("rules", []byte("keys: [{id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11, alias: alias/app}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	srv, err := simulator.Start(t.Context(), simulator.Options{Scenario: sc})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	keys := srv.Credentials()
	svc := parameter.New(ssm.New(ssm.Options{
		BaseEndpoint: aws.String(srv.URL()), Region: srv.World().Region(), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, ""),
	}))
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test, which prints its seed
	accepted, refused := 0, 0
	for i := range 1500 {
		c := someChange(r, i)
		var current *parameter.Parameter
		if c.Overwrite {
			if p, err := svc.Exists(t.Context(), c.Name); err == nil {
				current = &p
			}
		}
		faults := parameter.CheckChange(c, current)
		_, err := svc.Put(t.Context(), c)
		if len(faults) == 0 {
			accepted++
		} else {
			refused++
		}
		if (err == nil) != (len(faults) == 0) {
			shown := c
			shown.Value = fmt.Sprintf("%.40q of %d bytes", c.Value, len(c.Value))
			t.Fatalf("seed %d, change %d: %+v\nover %+v\noffline: %v\nservice: %v", seed, i, shown, current, faults, err)
		}
	}
	if accepted < 100 || refused < 100 {
		t.Errorf("%d were accepted and %d refused: that is no test", accepted, refused)
	}
}

// someChange is a change of which each part is usually right.
func someChange(r *rand.Rand, i int) parameter.Change {
	usually := func(right []string, wrong ...string) string {
		if r.IntN(12) == 0 {
			return wrong[r.IntN(len(wrong))]
		}
		return right[r.IntN(len(right))]
	}
	deep := strings.Repeat("/d", 14)
	c := parameter.Change{
		Name: usually([]string{fmt.Sprintf("/new/p%d", i), fmt.Sprintf("root%d", i), "/awful"[:2] + fmt.Sprintf("/aws%d", i), deep + fmt.Sprintf("/%d", i)},
			"", "/", "/a//b", "a/b", "/a/", "/aws/x", "/AWSome", "ssmx", "/a b", "/ä", deep+"/e/f", "/"+strings.Repeat("n", 967), "/a:1"),
		Value: usually([]string{"v", "a,b", "12", " \n\t", "ami-0123456789abcdef0", "\x00ü🙂", strings.Repeat("ü", 2048)},
			"", strings.Repeat("x", 4097), strings.Repeat("x", 8192), strings.Repeat("ü", 4097)),
		Type:           usually([]string{"String", "StringList", "SecureString"}, "", "string", "Secret"),
		Tier:           usually([]string{"", "", "Standard", "Advanced", "Intelligent-Tiering"}, "standard", "Gold"),
		Description:    usually([]string{"", "text", strings.Repeat("ü", 1024)}, strings.Repeat("d", 1025)),
		AllowedPattern: usually([]string{"", "", "", `^(?s:.*)$`}, "(", `^\d+$`, strings.Repeat("p", 1025)),
		DataType:       usually([]string{"", "", "text"}, "Text", "aws:ec2:imag"),
		Policies: usually([]string{
			"", "", "", "[{}]", `[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"5","Unit":"Days"}}]`,
			`[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2099-01-01T00:00:00.000Z"}},{"Type":"ExpirationNotification","Version":"1.0","Attributes":{"Before":"3","Unit":"Hours"}}]`,
			`[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2099-01-01T00:00+10:30"}}]`,
		},
			"x", "{}", `[{"Type":"Never","Version":"1.0"}]`, `[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2099-01-01"}}]`,
			`[{"Type":"Expiration","Version":"2.0","Attributes":{"Timestamp":"2099-01-01T00:00:00Z"}}]`,
			`[{"Type":"ExpirationNotification","Version":"1.0","Attributes":{"Before":"3","Unit":"Hours"}}]`,
			`[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"0","Unit":"Days"}}]`,
			`[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"3","Unit":"Weeks"}}]`,
			`[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"Unit":"Days"}}]`),
	}
	if c.Type == "SecureString" || r.IntN(15) == 0 {
		c.KeyID = usually([]string{"", "alias/app", "7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11"}, "my key", strings.Repeat("k", 257))
	}
	switch r.IntN(6) {
	case 0:
		c.Tags = map[string]string{usually([]string{"team"}, "aws:x", "", strings.Repeat("k", 129)): usually([]string{"", "shop"}, strings.Repeat("v", 257), "a;b")}
		c.Overwrite = r.IntN(6) == 0
	case 1, 2:
		c.Name, c.Overwrite = fmt.Sprintf("/old/%d", r.IntN(5)), true
		c.ClearPattern = r.IntN(2) == 0
	}
	return c
}
