package param

import (
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/cli/clitest"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestArgumentsOfParameters(t *testing.T) {
	for arg, want := range map[string]argument{
		"/":                    {path: "/"},
		"/app/prod":            {name: "/app/prod", path: "/app/prod"},
		"/app/prod/":           {path: "/app/prod"},
		"/app/prod//":          {path: "/app/prod"},
		"top":                  {name: "top"},
		"/app/prod/url:3":      {name: "/app/prod/url:3"},
		"top:live":             {name: "top:live"},
		"/aws/service/ami-x/y": {name: "/aws/service/ami-x/y"},
		"/aws/service/ami-x/":  {path: "/aws/service/ami-x"},
		"/aws/reference/secretsmanager/db:AWSCURRENT":        {name: "/aws/reference/secretsmanager/db:AWSCURRENT"},
		"arn:aws:ssm:eu-west-1:123456789012:parameter/app/x": {name: "arn:aws:ssm:eu-west-1:123456789012:parameter/app/x"},
	} {
		want.arg = arg
		if got, err := parseParamArgument(arg); err != nil || got != want {
			t.Errorf("%s: %+v, %v", arg, got, err)
		}
	}
	for arg, want := range map[string]string{
		"": "without a name", "app/prod": "no slash before the first", "/app//x": "two slashes", "/a b": "has", "/app/x:": "behind the colon", "//": "slashes", "/ssm/x": "begins with ssm",
	} {
		if got, err := parseParamArgument(arg); fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v", arg, got, err)
		}
	}
	if _, err := parseParamArguments([]string{"/a", "a b", "/x//y"}); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("all faults at once: %v", err)
	}
}

func TestMaskedObjectsHaveTheKeysThatAreAskedFor(t *testing.T) {
	o := paramRenderOptions{}
	env := clitest.Quiet()
	env.In = strings.NewReader(`{{ param "/a" "x" }}{{ param "/a" "y\"" }}{{ param "/b" }}`)
	tpl, err := o.parse(env, "-")
	if err != nil {
		t.Fatal(err)
	}
	out, err := tpl.Render(func(name string) (string, bool) { return maskedField(tpl, name), true })
	if want := strings.Repeat(maskedValue, 3); err != nil || string(out) != want {
		t.Errorf("got %s, %v", out, err)
	}
}
