package doctor

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/junit"
	"github.com/ssmdeck/ssmdeck/internal/doctor"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

var someChecks = []doctor.Check{
	{Target: "i-1", Group: "agent", ID: "ping", Title: "the agent calls", Status: doctor.Pass, Evidence: "online"},
	{Target: "i-1", Group: "iam", ID: "rights", Title: "the role allows", Status: doctor.Fail, Cause: "role-lacks-policy", Evidence: "role <app> lacks \x1b[31m", Fix: []string{"aws iam x"}},
	{Target: "i-1", Group: "network", ID: "s3", Title: "S3", Status: doctor.Warn, Cause: "no-s3-endpoint", Evidence: "none"},
	{Target: "i-2", Group: "network", ID: "acl", Title: "ACL", Status: doctor.Skip, Evidence: "not allowed: ec2:DescribeNetworkAcls", Fix: []string{"# on the machine:", "curl x"}},
}

func TestJUnit(t *testing.T) {
	var out bytes.Buffer
	if err := writeJUnit(&out, someChecks); err != nil {
		t.Fatal(err)
	}
	var got junit.Suites
	if err := xml.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if len(got.Suites) != 2 || got.Suites[0].Name != "i-1" || got.Suites[0].Tests != 3 || got.Suites[0].Failures != 1 || got.Suites[1].Skipped != 1 {
		t.Errorf("got %+v", got)
	}
	if k := got.Suites[0].Cases[1]; k.Failure == nil || k.Failure.Type != "role-lacks-policy" || !strings.Contains(k.Failure.Message, "role <app>") || k.Failure.Text != "aws iam x" {
		t.Errorf("got %+v", k)
	}
	if k := got.Suites[0].Cases[2]; k.Failure != nil || k.Out != "no-s3-endpoint: none" {
		t.Errorf("a warning is %+v", k)
	}
	if bytes.ContainsRune(out.Bytes(), 0x1b) {
		t.Error("an escape byte")
	}
}

func TestChecksForPeople(t *testing.T) {
	var out bytes.Buffer
	p := checkPrinter{w: &out, o: render.Options{Styles: theme.New(theme.Plain, false, true)}}
	for _, c := range someChecks {
		p.print(c)
	}
	text := out.String()
	for _, want := range []string{
		"agent\n  + PASS  the agent calls", "x FAIL  the role allows", `lacks \x1b[31m`, "role-lacks-policy: the role does not allow what an agent needs; attach",
		"          $ aws iam x\n", "          # on the machine:\n          $ curl x", "o SKIP  ACL",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Count(text, "network\n") != 1 {
		t.Errorf("a heading is there twice:\n%s", text)
	}
	p = checkPrinter{w: brokenWriter{}, o: p.o}
	p.print(someChecks[0])
	if p.err == nil {
		t.Error("a failed write is lost")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("gone") }
