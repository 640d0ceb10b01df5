package param

import "testing"

func TestPlacesOfParameters(t *testing.T) {
	for text, want := range map[string]paramPlace{
		"/app/prod":                  {path: "/app/prod"},
		"db-url":                     {path: "db-url"},
		"db-url:3":                   {path: "db-url:3"},
		"/app/db:live":               {path: "/app/db:live"},
		"eu-west-1:/app":             {region: "eu-west-1", path: "/app"},
		"us-gov-west-1:/app":         {region: "us-gov-west-1", path: "/app"},
		"eu-west-1:db-url:3":         {region: "eu-west-1", path: "db-url:3"},
		"prod@eu-west-1:/app":        {profile: "prod", region: "eu-west-1", path: "/app"},
		"prod@:/app":                 {profile: "prod", path: "/app"},
		"prod@/app":                  {profile: "prod", path: "/app"},
		"a.b:c@:/app":                {profile: "a.b:c", path: "/app"},
		"arn:aws:ssm:x:1:parameter/": {path: "arn:aws:ssm:x:1:parameter/"},
	} {
		got, err := parseParamPlace(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
		if again, err := parseParamPlace(got.String()); err != nil || again != got {
			t.Errorf("%q printed as %q is %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "@/app", "eu-west-1:", "euwest:/app", "prod@", "prod@eu-west-1:"} {
		if got, err := parseParamPlace(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}
