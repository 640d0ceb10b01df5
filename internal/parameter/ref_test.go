package parameter

import (
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestParseRef(t *testing.T) {
	const arn = "arn:aws:ssm:eu-west-1:111122223333:parameter/app/db"
	good := map[string]Ref{
		"/app/db":      {Name: "/app/db"},
		"/app/db:3":    {Name: "/app/db", Version: 3},
		"/app/db:prod": {Name: "/app/db", Label: "prod"},
		"plain":        {Name: "plain"},
		arn:            {Name: arn},
		arn + ":7":     {Name: arn, Version: 7},
		arn + ":blue":  {Name: arn, Label: "blue"},
		"/aws/service/global-infrastructure/regions": {Name: "/aws/service/global-infrastructure/regions"},
		SecretPath + "db:v1":                         {Name: SecretPath + "db:v1"},
	}
	for text, want := range good {
		t.Run(text, func(t *testing.T) {
			got, err := ParseRef(text)
			if err != nil || got != want {
				t.Fatalf("got %+v, %v; want %+v", got, err, want)
			}
			if got.String() != text {
				t.Errorf("as text it is %s", got)
			}
		})
	}
	for _, text := range []string{"", "app/db", "/app/db/", "/app//db", "/app/db:", "/app/db:1x", "/app/db:0", "/app/db:aws-x", "arn:aws:s3:::bucket", "/app/d b"} {
		if _, err := ParseRef(text); fault.KindOf(err) != fault.Usage {
			t.Errorf("%q: got %v, want a usage error", text, err)
		}
	}
}
